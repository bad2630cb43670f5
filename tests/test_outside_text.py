"""Text of an API, a file or a user: in one line of the log at most, and acting on no terminal."""

from __future__ import annotations

import json
import re
import socketserver
from contextlib import contextmanager
from io import StringIO
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console
from rich.table import Column, Table

import demo
from api import settings
from calendly_api import CALENDLY
from commands import Outcome, run, run_tap
from tap_calendly.account import resolve
from tap_common.cli.connection_check import check_streams
from tap_common.cli.selection import empty_selection_hint
from tap_common.errors import SettingsError
from tap_common.output.records import UnknownFields
from tap_common.settings import config_problems, keys_by_other_names, misspelled_variables
from tap_common.state.state import check_state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from api import Api
    from harness import Runner
    from sandbox import Sandbox

pytestmark = pytest.mark.long

FORGED = "2026-01-01 00:00:00,000 | ERROR    | tap | forged"
# Clears a terminal, begins a line, turns the direction of what follows around, and is long.
HOSTILE = f"\x1b[2J\r\n{FORGED}\x85\u202e{'x' * 5_000}"
LONGEST = 1_000


def harmless(text: str) -> None:
    """Look at each line of what a command shows."""
    assert all(line.isprintable() for line in text.split("\n"))
    assert not [line for line in text.split("\n") if line.startswith(FORGED)]


def lines(outcome: Outcome, *, structured: bool = False) -> list[str]:
    """Return the log of a command, after a check of each line."""
    harmless(outcome.err)
    found = outcome.err.rstrip("\n").split("\n")
    if structured:
        found = [json.loads(line)["message"] for line in found]
    else:
        assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} *\| [A-Z]+ +\| ", line) for line in found)
    assert max(map(len, found)) < LONGEST
    return found


@pytest.fixture(params=["plain", "structured"])
def structured(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Parameter for logs as text, and as JSON as in Meltano."""
    if request.param == "plain":
        return False
    config = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structured": {"()": "singer_sdk.logging.StructuredFormatter"}},
        "handlers": {
            "err": {"class": "logging.StreamHandler", "formatter": "structured", "stream": "ext://sys.stderr"}
        },
        "root": {"handlers": ["err"], "level": "INFO"},
    }
    (tmp_path / "log.json").write_text(json.dumps(config))
    monkeypatch.setenv("SINGER_SDK_LOG_CONFIG", str(tmp_path / "log.json"))
    return True


@contextmanager
def answering(head: str, body: str = "{}") -> Iterator[str]:
    """A server that answers each request with these bytes, and its address."""

    class Answer(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            length = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            self.wfile.write(f"{head}\r\n{length}{body}".encode("latin-1"))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


PHRASE = "\x1b[2J\r\x85" + "x" * 5_000


@pytest.mark.parametrize("status", [302, 403, 404, 422, 503, 799])
def test_the_phrase_of_a_status_is_the_standards_and_not_the_servers(
    api: Api, tmp_path: Path, status: int, *, structured: bool
) -> None:
    with answering(f"HTTP/1.1 {status} {PHRASE}") as url:
        outcome = run_tap(tmp_path, api.tap.name, {"api_key": "key", "api_url": url, "max_retries": 1})

    assert outcome.code == 1
    assert str(status) in lines(outcome, structured=structured)[-1]
    assert "xxx" not in outcome.err


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_what_other_libraries_log_of_an_answer_is_one_line_too(api: Api, tmp_path: Path, level: str) -> None:
    head = f"HTTP/1.1 404 {PHRASE}\r\nno header \x1b[2J\r{FORGED}\r\nX-A\x1b: \x9b{'y' * 99}"
    with answering(head) as url:
        outcome = run_tap(tmp_path, api.tap.name, {"api_key": "key", "api_url": url, "max_retries": 1}, level=level)

    assert outcome.code == 1
    harmless(outcome.err)
    assert level == "DEBUG" or "unparsed" not in outcome.err


def test_names_of_new_fields_are_shown_where_they_are_names_and_are_few(
    api: Api, sandbox: Sandbox, tmp_path: Path, *, structured: bool
) -> None:
    source = getattr(sandbox, api.name)
    source.requests_per_minute = 60_000
    new = {HOSTILE: 1, "ada@example.com": 2, "Ada Lovelace": 3, **{f"field_{number}": 4 for number in range(30)}}
    source.extra_fields = {api.main: new}

    outcome = run_tap(tmp_path, api.tap.name, settings(api, sandbox) | {"requests_per_minute": 60_000})

    said = [line for line in lines(outcome, structured=structured) if "new to this version" in line]
    assert outcome.code == 0
    assert len(said) == 11
    assert said[-1].endswith(f"More fields of `{api.main}` are new to this version; they are kept in `_extra`.")
    assert "field_0" in said[0]
    assert "Ada" not in outcome.err
    assert "ada@" not in outcome.err


def test_whose_key_it_is_is_said_in_one_line(api: Api, runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(api.tap, "owner", lambda _tap, _access: HOSTILE)
    tap = runner.build(**api.config)

    try:
        check_streams(tap, said.append)
    finally:
        tap.close()

    assert "\\x1b[2J" in said[0]
    assert all(line.isprintable() for line in said)
    assert max(map(len, said)) < LONGEST


@pytest.mark.parametrize("state", [{"bookmarks": {HOSTILE: 5}}, {"bookmarks": {HOSTILE: {"covers": 1}}}])
def test_a_state_is_named_in_one_line(api: Api, tmp_path: Path, state: Any, *, structured: bool) -> None:
    outcome = run_tap(tmp_path, api.tap.name, {"api_key": "key"}, state=state)

    assert outcome.code == 1
    assert "The state of stream `\\x1b[2J" in lines(outcome, structured=structured)[-1]


@pytest.mark.parametrize(
    "config",
    [
        {HOSTILE: 1},
        {"stream_maps": {HOSTILE: {HOSTILE: "("}}},
        {"stream_maps": {HOSTILE: 5}},
        {"api_keys": {HOSTILE: 1}},
        {"api_url": f"https://{HOSTILE}"},
        {"start_date": HOSTILE},
        {"batch_config": {"storage": {"root": HOSTILE}}},
    ],
    ids=lambda config: next(iter(config))[:12].strip("\x1b[\r\n"),
)
def test_settings_are_named_in_one_line(api: Api, tmp_path: Path, config: Any, *, structured: bool) -> None:
    with answering("HTTP/1.1 401 No") as url:
        outcome = run_tap(tmp_path, api.tap.name, {"api_key": "key", "api_url": url, **config})

    assert outcome.code == 1
    lines(outcome, structured=structured)


def test_columns_and_methods_of_a_catalog_are_named_in_one_line(api: Api, tmp_path: Path, *, structured: bool) -> None:
    catalog = json.loads(run(api.tap.name, "--discover").out)
    for stream in catalog["streams"]:
        stream["replication_method"] = HOSTILE
        stream["schema"]["properties"][HOSTILE] = {"type": ["string"]}
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))

    outcome = run_tap(tmp_path, api.tap.name, {"api_key": "key"}, f"--catalog={tmp_path / 'catalog.json'}")

    assert outcome.code == 1
    assert "The replication method `\\x1b[2J" in lines(outcome, structured=structured)[-1]


def test_options_that_do_not_exist_are_named_in_one_line(api: Api) -> None:
    outcome = run(api.tap.name, f"--{HOSTILE}")

    assert outcome.code == 2
    harmless(outcome.err)


def test_what_meltano_and_the_environment_name_is_in_one_line() -> None:
    chosen = {"MELTANO_EXTRACT__SELECT": json.dumps([f"!{HOSTILE}"]), "MELTANO_ENVIRONMENT": HOSTILE}
    sentences = [
        empty_selection_hint({**chosen, "MELTANO_EXTRACTOR_NAME": HOSTILE}),
        empty_selection_hint({"MELTANO_EXTRACT__SELECT": json.dumps([HOSTILE])}),
        *config_problems(CALENDLY.tap.config_jsonschema, {HOSTILE: 1}),
        *misspelled_variables(["TAP_LUMA_API_KE\x1bY"], "TAP_LUMA_", ["api_key"]),
    ]

    assert len(sentences) == 4
    assert all(sentence.isprintable() for sentence in sentences)
    assert max(map(len, sentences)) < LONGEST
    assert keys_by_other_names({"LUMA_\x1bKEY": "k"}, "TAP_LUMA_API_KEY", ["Luma"]) == []


def test_a_role_is_quoted() -> None:
    with pytest.raises(SettingsError) as refused:
        resolve({"scope": "organization"}, {"uri": "u"}, HOSTILE)

    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < LONGEST


def test_what_was_loaded_is_no_markup_in_the_tables_of_the_demo() -> None:
    out = StringIO()
    table = Table(*map(Column, demo.cells("[red]week[/]")))
    table.add_row(*demo.cells(f"[link=https://x.example]{HOSTILE}"))
    Console(file=out, width=150, force_terminal=True).print(table)

    assert "[red]week[/]" in out.getvalue()
    assert "[link=https://x.example]\\x1b[2J\\r\\n" in out.getvalue()


def test_a_name_cannot_close_its_quotation() -> None:
    with pytest.raises(SettingsError, match=r"stream `' is fine. '` cannot"):
        check_state({"bookmarks": {"` is fine. `": 5}})


def test_a_field_is_said_once() -> None:
    said: list[str] = []
    fields = UnknownFields("events", lambda text, *args: said.append(text % args))
    for names in ({"a"}, {"a", "b"}, {"b@c.d"}, {"e@f.g"}, {"a", "c"}):
        fields.log_new(names)

    assert [line.split(" of ")[0] for line in said] == ["Field `a`", "Field `b`", "More fields", "Field `c`"]
