"""The command as its user sees it: honest exit codes, one clear sentence for each mistake, and nothing private."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import cycle
from threading import Thread
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from api import settings
from apis import APIS
from commands import BIN, run, run_tap
from tap_common.settings import config_problems
from truth import Judge

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from api import Api
    from harness import Runner
    from sandbox import Sandbox

pytestmark = pytest.mark.one_api

SECRET = re.compile(r"key|token|secret|password")
NOT_SECRET = {"token_file", "flattening_max_key_length"}
PRIVATE = re.compile(r"[\w.+-]+@[\w-]+\.\w+")


@pytest.fixture
def config(api: Api, sandbox: Sandbox) -> dict[str, Any]:
    """Settings that work, with a source that does not make a process wait."""
    getattr(sandbox, api.name).requests_per_minute = 60_000
    return settings(api, sandbox) | {"requests_per_minute": 60_000}


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be reached by name or through a proxy."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


@pytest.mark.usefixtures("offline")
def test_discovery_needs_no_network_and_no_config(api: Api) -> None:
    outcome = run(api.tap.name, "--discover")

    catalog = json.loads(outcome.out)
    assert outcome.code == 0
    assert [stream["stream"] for stream in catalog["streams"]] == api.all_streams()


@pytest.mark.usefixtures("offline")
def test_about_needs_no_network_and_marks_every_secret(api: Api) -> None:
    outcome = run(api.tap.name, "--about", "--format=json")

    settings = json.loads(outcome.out)["settings"]["properties"]
    assert outcome.code == 0
    named = {name for name in settings if SECRET.search(name)} - NOT_SECRET
    assert named
    assert named == {name for name, setting in settings.items() if setting.get("secret")}


def test_a_sync_writes_messages_and_ends_with_0(api: Api, config: dict[str, Any], tmp_path: Path) -> None:
    outcome = run_tap(tmp_path, api.tap.name, config | {"requests_per_minute": None, "start_date": None})

    messages = [json.loads(line) for line in outcome.out.splitlines()]
    assert outcome.code == 0
    assert outcome.errors == []
    assert {message["stream"] for message in messages if message["type"] == "RECORD"} == set(api.default_streams())
    assert messages[-1]["type"] == "STATE"


OF_EACH = [
    ({"api_key": "wrong-3f9a"}, "'s. For a new one, "),
    ({"api_key": None}, "_API_KEY`, with Meltano into `.env`."),
    ({"page_size": 101}, "`page_size` is out of range"),
]
OF_ALL = [
    ({"start_date": "31.01.2026"}, "`start_date` is not an ISO 8601 date"),
    ({"start_date": "0001-01-01"}, "`start_date` is not an ISO 8601 date between 1900 and 2999."),
    ({"start_date": "3000-01-01"}, "`start_date` is not an ISO 8601 date between 1900 and 2999."),
    ({"start_date": "9999-12-31T23:59:59-05:00"}, "`start_date` is not an ISO 8601 date"),
    (
        {"api_url": "http://127.0.0.1:9/luma/v1/"},
        "contains a version (`/v1`): end it before that.",
    ),
    ({"api_url": "http://127.0.0.1:9/luma?x=1"}, "`api_url` contains `?` or `#`"),
    ({"start_dat": "2026-01-31"}, "`start_dat` is unknown; did you mean `start_date`?"),
    ({"page_size": "all"}, "`page_size` must be of type integer"),
    ({"api_key": ""}, "`api_key` is missing"),
    ({"api_url": "api.example.com"}, "`api_url` does not begin with https://"),
    ({"api_key": 314159265}, "`api_key` must be of type string"),
    ({"api_key": "wrong-3f9a\n"}, "`api_key` contains whitespace"),
    ({"api_key": "“wrong-3f9a”"}, "`api_key` contains whitespace"),
    ({"user_agent": "wrong-3f9a\n"}, "`user_agent` contains an invalid character"),
    ({"api_url": f"https://{'a' * 64}.example"}, "`api_url` is not a URL"),
    ({"request_timeout": 1e300}, "`request_timeout` is out of range (maximum 86400)"),
    ({"max_wait": 10**400}, "`max_wait` is out of range"),
    ({"backoff_factor": float("nan")}, "The config file is not a JSON object."),
    (
        {"flattening_enabled": True, "flattening_max_depth": 3, "flattening_max_key_length": 5},
        "that begin with `flattening_` cannot be used",
    ),
    ({"batch_config": {}}, "`batch_config` lacks `storage.root`"),
    ({"stream_maps": {"x": {"y": "sha256(config['hash_seed'])"}}}, "(in Meltano, with the files of stream-maps/, `STR"),
]
"""Checks of tap-common, with one tap after the other."""
CORRUPT = [
    "{",
    "[]",
    '{"bookmarks": []}',
    '{"bookmarks": {"events": {"replication_key_value": "soon"}}}',
    '{"bookmarks": {"events": {"covers": "x"}}}',
    '{"bookmarks": {"events": {"covers": {"start_date": "soon"}}}}',
    '{"bookmarks": {"events": {"progress_markers": "abc"}}}',
    "[" * 100_000,
    f'{{"bookmarks": {{"events": {{"more": {"[" * 200}{"]" * 200}}}}}}}',
]


@pytest.mark.parametrize(
    ("api", "change", "sentence"),
    [
        *((api, *case) for api in APIS for case in OF_EACH),
        *((api, *case) for api, case in zip(cycle(APIS), OF_ALL, strict=False)),
    ],
    ids=lambda value: "" if isinstance(value, str) else getattr(value, "name", None) or ",".join(value),
)
def test_a_setting_that_cannot_be_used_gets_one_sentence_and_nothing_is_written(
    api: Api, config: dict[str, Any], tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    changed = {name: value for name, value in (config | change).items() if value is not None}
    bookmarks: dict[str, Any] = {"bookmarks": {api.main: {}}}

    outcome = run_tap(tmp_path, api.tap.name, changed, state=bookmarks)

    assert (outcome.code, outcome.out) == (1, "")
    assert len(outcome.errors) == 1
    assert sentence in outcome.errors[0]
    assert "Traceback" not in outcome.err
    assert "wrong-3f9a" not in outcome.err
    assert "314159265" not in outcome.err


@pytest.mark.parametrize(
    ("api", "state"), list(zip(cycle(APIS), CORRUPT, strict=False)), ids=lambda value: getattr(value, "name", None)
)
def test_a_corrupt_state_gets_one_sentence_and_nothing_is_written(
    api: Api, config: dict[str, Any], tmp_path: Path, state: str
) -> None:
    outcome = run_tap(tmp_path, api.tap.name, config, state=state)

    assert (outcome.code, outcome.out) == (1, "")
    assert len(outcome.errors) == 1
    assert "state" in outcome.errors[0]
    assert "Traceback" not in outcome.err


def test_an_address_where_the_api_is_not_gets_one_sentence_that_names_the_setting(
    api: Api, sandbox: Sandbox, config: dict[str, Any], tmp_path: Path
) -> None:
    outcome = run_tap(tmp_path, api.tap.name, config | {"api_url": f"{sandbox.url}/nowhere"})

    assert (outcome.code, outcome.out) == (1, "")
    assert len(outcome.errors) == 1
    assert "check the setting `api_url`" in outcome.errors[0]


@pytest.mark.parametrize("path", ["/v1", "/v2/", "/public/V3/events"])
def test_a_version_in_the_address_of_the_vendor_is_refused_before_anything_is_requested(api: Api, path: str) -> None:
    usual = api.tap.config_jsonschema["properties"]["api_url"]["default"]

    [sentence] = config_problems(api.tap.config_jsonschema, {"api_key": "x", "api_url": f"{usual}{path}"})

    assert sentence.startswith("Setting `api_url` contains a version (`/")
    assert list(config_problems(api.tap.config_jsonschema, {"api_url": "http://localhost/v1/prefix"})) == []


NAMES = [
    (0, "CALENDLY_API_KEY"),
    (0, "CALENDLY_TOKEN"),
    (0, "CALENDLY_PERSONAL_ACCESS_TOKEN"),
    (0, "TAP_CALENDLY_TOKEN"),
    (0, "tap_calendly_api_key"),
    (1, "TAP_ONCEHUB_API_KEY"),
    (1, "ONCEHUB_API_KEY"),
    (1, "SCHEDULEONCE_APIKEY"),
    (1, "TAP_BOOKING_API_KEY"),
    (1, "BOOKINGS_API_KEY"),
    (2, "LUMA_API_KEY"),
    (2, "TAP_LUMA_KEY"),
    (3, "TAP_SAVVYCAL_API_KEY"),
    (3, "SAVVY_CAL_ACCESS_TOKEN"),
    (3, "SAVVYCAL_SECRET_KEY"),
]


@pytest.mark.parametrize(("place", "name"), NAMES, ids=[name for _, name in NAMES])
def test_a_key_under_nearly_the_right_name_is_recognised_and_the_right_one_named(place: int, name: str) -> None:
    tap = APIS[place].tap
    right = f"{tap.env_prefix()}API_KEY"
    noise = {"GITHUB_TOKEN": "hush-1", "CALENDLY_WEBHOOK_SIGNING_KEY": "hush-2", "OPENAI_API_KEY": "hush-3"}

    outcome = run(tap.name, "--config=ENV", environment={name: "hush-4", **noise})

    assert (outcome.code, outcome.out) == (1, "")
    [sentence] = outcome.errors
    assert sentence.endswith(f" Rename `{name}` in the environment to `{right}`.")
    assert "hush" not in outcome.err


@pytest.mark.parametrize("api", APIS[:1], ids=lambda api: api.name)
def test_a_key_that_is_in_the_environment_and_not_read_from_there_says_how(api: Api, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")

    outcome = run(api.tap.name, f"--config={tmp_path}/config.json", environment={"TAP_CALENDLY_API_KEY": "hush-1"})

    assert outcome.errors == [
        "Setting `api_key` is missing; add --config=ENV to read `TAP_CALENDLY_API_KEY` from the environment."
    ]


@pytest.mark.parametrize("api", APIS[2:3], ids=lambda api: api.name)
def test_environment_variables_that_cannot_be_used_or_set_nothing_are_named(api: Api, config: dict[str, Any]) -> None:
    prefix = api.tap.name.upper().replace("-", "_")
    environment = {f"{prefix}_{name.upper()}": str(value) for name, value in config.items()}

    wrong = run(api.tap.name, "--config=ENV", environment=environment | {f"{prefix}_PAGE_SIZE": "all"})
    names = {f"{prefix}_START_DAET": "2026-05-01", f"{prefix}_SELECT": "[]"}
    misspelt = run(api.tap.name, "--config=ENV", environment=environment | names)

    assert (wrong.code, wrong.out, len(wrong.errors)) == (1, "", 1)
    assert wrong.errors[0] == f"The environment variable `{prefix}_PAGE_SIZE` is not a whole number."
    assert misspelt.code == 0
    assert f"`{prefix}_START_DAET` is not a known setting; did you mean `{prefix}_START_DATE`?" in misspelt.err
    assert f"`{prefix}_SELECT` is not a known setting; did you mean `{prefix}__SELECT`?" in misspelt.err


@pytest.mark.parametrize("api", APIS[1:2], ids=lambda api: api.name)
def test_a_catalog_that_is_none_gets_one_sentence(api: Api, config: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "catalog.json").write_text('{"streams": [{}]}')

    outcome = run_tap(tmp_path, api.tap.name, config, f"--catalog={tmp_path / 'catalog.json'}")

    assert (outcome.code, outcome.out, len(outcome.errors)) == (1, "", 1)
    assert "--discover" in outcome.errors[0]


def test_another_program_behind_the_address_gets_one_sentence(api: Api, tmp_path: Path) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"ok": true}')

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        config = {"api_key": api.key, "api_url": f"http://127.0.0.1:{server.server_port}", "max_retries": 1}
        outcome = run_tap(tmp_path, api.tap.name, config)
        server.shutdown()

    assert (outcome.code, outcome.out, len(outcome.errors)) == (1, "", 1)
    assert "Unexpected" not in outcome.errors[0]


@pytest.mark.parametrize("api", APIS[:1], ids=lambda api: api.name)
@pytest.mark.parametrize("given", ["missing.json", "broken.json", "list.json", "", '{"api_key": "wrong-3f9a"}'])
def test_a_config_file_that_is_not_there_or_no_object_gets_one_sentence_that_does_not_quote_what_was_given(
    api: Api, tmp_path: Path, given: str
) -> None:
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "list.json").write_text('["wrong-3f9a"]')

    for command in (api.tap.name, "target-duckdb"):
        outcome = run(command, f"--config={given if given.startswith('{') else tmp_path / given}")
        assert outcome.code == 1
        assert len(outcome.errors) == 1
        assert "Traceback" not in outcome.err
        assert "wrong-3f9a" not in outcome.err


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_files_with_a_byte_order_mark_are_read(api: Api, config: dict[str, Any], tmp_path: Path, encoding: str) -> None:
    catalog = run(api.tap.name, "--discover").out
    state: dict[str, Any] = {"bookmarks": {api.main: {}}}
    given = {"config": json.dumps(config), "catalog": catalog, "state": json.dumps(state)}
    for name, text in given.items():
        (tmp_path / name).write_text(text, encoding=encoding)

    outcome = run(api.tap.name, *(f"--{name}={tmp_path / name}" for name in given))

    assert (outcome.code, outcome.errors) == (0, [])
    assert json.loads(outcome.out.splitlines()[-1])["type"] == "STATE"


def test_the_settings_of_the_loader_may_have_a_byte_order_mark_and_later_ones_win(tmp_path: Path) -> None:
    for number, schema in enumerate(("first", "last")):
        settings = {"filepath": f"{tmp_path}/w.duckdb", "default_target_schema": schema}
        (tmp_path / f"{number}.json").write_text(json.dumps(settings), encoding="utf-8-sig")
    messages = [
        {"type": "SCHEMA", "stream": "a", "schema": {"properties": {"id": {"type": "integer"}}}, "key_properties": []},
        {"type": "RECORD", "stream": "a", "record": {"id": 1}},
    ]

    files = [f"--config={tmp_path}/{number}.json" for number in range(2)]
    outcome = run("target-duckdb", *files, stdin="\n".join(map(json.dumps, messages)))

    assert (outcome.code, outcome.errors) == (0, [])
    with duckdb.connect(tmp_path / "w.duckdb", read_only=True) as warehouse:
        assert warehouse.execute("select id from last.a").fetchall() == [(1,)]


def test_answers_with_a_byte_order_mark_are_read(api: Api, sandbox: Sandbox, runner: Runner) -> None:
    sandbox.faults.randomly(rate=0.5, kinds=["byte-order-mark"])

    runner.sync()

    Judge(api, sandbox).check(runner)


def test_no_log_line_holds_a_token_and_none_above_debug_anything_private(
    api: Api, sandbox: Sandbox, config: dict[str, Any], tmp_path: Path
) -> None:
    sandbox.faults.randomly(rate=0.05, seed=3, kinds=("500", "502-html", "truncated", "html"))

    outcome = run_tap(tmp_path, api.tap.name, config | {"backoff_factor": 1}, level="DEBUG")

    told = [line for line in outcome.err.splitlines() if "| DEBUG " not in line]
    assert outcome.code == 0
    assert PRIVATE.search(outcome.out)
    assert api.key not in outcome.err
    assert any("| INFO " in line for line in told)
    assert len(told) < len(outcome.err.splitlines())
    assert PRIVATE.search("\n".join(told)) is None


@pytest.mark.parametrize("api", APIS[3:], ids=lambda api: api.name)
def test_an_answer_that_stays_broken_ends_the_run_with_1_and_without_its_body(
    api: Api, sandbox: Sandbox, config: dict[str, Any], tmp_path: Path
) -> None:
    sandbox.faults.script(api.listed, ["502-html"] * 20)

    outcome = run_tap(tmp_path, api.tap.name, config | {"max_retries": 2, "backoff_factor": 1})

    assert outcome.code == 1
    assert "502" in outcome.errors[-1]
    assert "<html" not in outcome.err.lower()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_within_two_seconds_with_its_own_exit_code(
    api: Api, sandbox: Sandbox, config: dict[str, Any], tmp_path: Path, number: signal.Signals
) -> None:
    getattr(sandbox, api.name).requests_per_minute = 5
    (tmp_path / "config.json").write_text(json.dumps(config))
    with (
        (tmp_path / "out").open("w") as file,
        subprocess.Popen(
            [BIN / api.tap.name, f"--config={tmp_path / 'config.json'}"], stdout=file, stderr=subprocess.PIPE, text=True
        ) as tap,
    ):
        assert tap.stderr is not None
        next(line for line in tap.stderr if "waiting" in line)
        began = time.monotonic()
        tap.send_signal(number)
        tap.communicate(timeout=10)

    assert time.monotonic() - began < 2
    assert tap.returncode == 128 + number
    assert all(json.loads(line) for line in (tmp_path / "out").read_text().splitlines())


def test_a_signal_ends_the_run_though_answers_are_slow(api: Api, serve: Callable[..., Sandbox], tmp_path: Path) -> None:
    sandbox = serve(clock=time.monotonic)
    sandbox.faults.slow_seconds = 20
    sandbox.faults.script(api.first, ["slow"])
    config = settings(api, sandbox)
    (tmp_path / "config.json").write_text(json.dumps(config))
    with subprocess.Popen(
        [BIN / api.tap.name, f"--config={tmp_path / 'config.json'}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as tap:
        while not sandbox.faults.injected:
            assert tap.poll() is None
        began = time.monotonic()
        tap.send_signal(signal.SIGTERM)
        tap.communicate(timeout=10)

    assert time.monotonic() - began < 2
    assert tap.returncode == 128 + signal.SIGTERM


def test_an_error_in_a_stream_map_does_not_quote_the_row(api: Api, config: dict[str, Any], tmp_path: Path) -> None:
    stream, column = api.person
    maps = {stream: {"number": f"int({column})"}}

    outcome = run_tap(tmp_path, api.tap.name, config | {"stream_maps": maps})

    assert outcome.code == 1
    assert outcome.errors == [f"Setting `stream_maps`: `number` of stream `{stream}` fails on a record (ValueError)."]
    assert PRIVATE.search(outcome.err) is None
    assert "Traceback" not in outcome.err


FAILING: dict[str, tuple[dict[str, str], str]] = {
    "a name that is none": (
        {"x": "nothing_of_the_kind"},
        "`x` of stream `contacts` fails on a record (NameNotDefined)",
    ),
    "a function that is none": ({"x": "sha1(name)"}, "`x` of stream `contacts` fails on a record (FunctionNotDefined)"),
    "null": ({"email": "None + 'x'"}, "`email` of stream `contacts` fails on a record (TypeError)"),
    "a filter": ({"__filter__": "name.nothing"}, "`__filter__` of stream `contacts` fails on a record (Attribute"),
}


@pytest.mark.parametrize("api", APIS[:1], ids=lambda api: api.name)
@pytest.mark.parametrize(("maps", "sentence"), FAILING.values(), ids=FAILING)
def test_a_stream_map_that_fails_on_a_row_is_named_by_stream_and_column(
    api: Api, config: dict[str, Any], tmp_path: Path, maps: dict[str, str], sentence: str
) -> None:
    outcome = run_tap(tmp_path, api.tap.name, config | {"stream_maps": {"contacts": maps}})

    assert outcome.code == 1
    assert len(outcome.errors) == 1
    assert outcome.errors[0].startswith("Setting `stream_maps`: ")
    assert sentence in outcome.errors[0]
    assert PRIVATE.search(outcome.err) is None


MALFORMED: dict[str, tuple[dict[str, Any], str]] = {
    "an expression that breaks off": ({"contacts": {"name": "int("}}, "`name` of stream `contacts`"),
    "no expression": ({"contacts": {"name": ""}}, "`name` of stream `contacts`"),
    "blanks": ({"contacts": {"email": None, "name": " "}}, "`name` of stream `contacts`"),
    "a filter that breaks off": ({"contacts": {"__filter__": "name =="}}, "`__filter__` of stream `contacts`"),
    "a key that is dropped": ({"contacts": {"uri": None}}, "`uri` of stream `contacts`"),
    "a key that is none": ({"contacts": {"__key_properties__": ["x"]}}, "`__key_properties__` of stream `contacts`"),
    "an else that is none": ({"contacts": {"__else__": "all"}}, "`__else__` of stream `contacts`"),
    "an alias that breaks off": ({"contacts": {"__alias__": "a b"}}, "`__alias__` of stream `contacts`"),
    "an option that is none": ({"__other__": None}, "`__other__`"),
    "wildcards": ({"conta*": {"name": "int("}}, "`name` of stream `contacts`"),
    "a text": ({"contacts": "x"}, "contacts"),
    "a number": ({"contacts": {"name": 5}}, "contacts"),
    "a list": ({"contacts": []}, "contacts"),
}


@pytest.mark.parametrize("api", APIS[:1], ids=lambda api: api.name)
@pytest.mark.parametrize(("maps", "place"), MALFORMED.values(), ids=MALFORMED)
def test_a_stream_map_that_is_none_is_named_before_anything_is_written(
    api: Api, config: dict[str, Any], tmp_path: Path, maps: dict[str, Any], place: str
) -> None:
    outcome = run_tap(tmp_path, api.tap.name, config | {"stream_maps": maps})

    assert (outcome.code, outcome.out) == (1, "")
    assert len(outcome.errors) == 1
    assert "stream_maps" in outcome.errors[0]
    assert place in outcome.errors[0]
    assert "Unexpected" not in outcome.errors[0]


def test_a_target_that_ends_early_ends_the_tap_with_1_and_one_sentence(
    api: Api, config: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    with subprocess.Popen(
        [BIN / api.tap.name, f"--config={tmp_path / 'config.json'}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as tap:
        assert tap.stdout is not None
        assert tap.stderr is not None
        tap.stdout.readline()
        tap.stdout.close()
        log = tap.stderr.read()

    assert tap.returncode == 1
    assert "Traceback" not in log.partition("An unhandled error")[2] or "closed the pipe" in log
