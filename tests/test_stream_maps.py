"""The ready stream maps leave nobody's name and no link that acts, and keys and joins as they were."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from ruamel.yaml import YAML
from singer_sdk.exceptions import StreamMapConfigError

import personal_data
from apis import APIS
from calendly_api import CALENDLY
from commands import BIN, run
from harness import VirtualClock
from oncehub_api import ONCEHUB
from people import leaves, named, people
from sandbox import Sandbox
from savvycal_api import SAVVYCAL
from syncing import SEED, mapped, rows, selected, synced
from tap_common.errors import SettingsError
from tap_common.settings import misspelled_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api import Api
    from syncing import Row

pytestmark = pytest.mark.long

ROOT = Path(__file__).parent.parent
MODES = ["hash", "drop"]


@dataclass(frozen=True)
class Seen:
    """Return the records of all streams without and with each map, and the people at the source."""

    api: Api
    people: frozenset[str]
    schemas: Mapping[str, Mapping[str, Any]]
    messages: Mapping[str, list[Row]]


@pytest.fixture(scope="module", params=APIS, ids=lambda api: api.name)
def seen(request: pytest.FixtureRequest) -> Seen:
    """Each API in turn."""
    api: Api = request.param
    with Sandbox(scale="tiny", clock=VirtualClock()) as sandbox:
        messages = {mode: synced(api, sandbox, selected(api), **mapped(api, mode)) for mode in ("clear", *MODES)}
        return Seen(api, people(sandbox.world), personal_data.schemas(api.tap), messages)


@pytest.mark.parametrize("mode", MODES)
def test_a_ready_map_leaves_nobody_and_no_link_that_acts_in_any_message(seen: Seen, mode: str) -> None:
    links = {
        text
        for stream, found in rows(seen.messages["clear"]).items()
        for path, text in chain.from_iterable(leaves(seen.schemas[stream], row) for row in found)
        if any(
            mark.path == path and mark.secret in {"link", "code"} for mark in personal_data.marks(seen.schemas[stream])
        )
    }
    cells = [cell for found in rows(seen.messages[mode]).values() for row in found for cell in row.values()]
    whole = "\n".join(text for message in seen.messages[mode] for _, text in leaves({}, message))

    assert len(links) > 3
    assert [link for link in links if len(link) > 3 and link in whole] == []
    assert named([whole, *(cell for cell in cells if isinstance(cell, str))], seen.people) == []


def one_spelling(value: Any) -> Any:
    """A mail address without capitals and blanks; another value as it is."""
    return value.strip().lower() if isinstance(value, str) and "@" in value else value


def test_one_address_has_one_hash_however_it_was_typed(seen: Seen) -> None:
    clear, hidden = rows(seen.messages["clear"]), rows(seen.messages["hash"])
    hashes: dict[str, set[str]] = {}
    spellings: dict[str, set[str]] = {}
    for stream, found in clear.items():
        for before, after in zip(found, hidden[stream], strict=True):
            for name in ("email", "user_email"):
                if value := before.get(name):
                    spellings.setdefault(one_spelling(value), set()).add(value)
                    hashes.setdefault(one_spelling(value), set()).add(after[name])

    digest = hashlib.sha256(f"{SEED}{next(iter(hashes))}".encode()).hexdigest()
    assert next(iter(hashes.values())) == {digest}
    assert {len(one) for one in hashes.values()} == {1}
    # What a booking form asks for is in an object, which is dropped as a whole: there each address is in one place.
    typed = {spelling for one in spellings.values() for spelling in one}
    assert any(spelling != spelling.lower() for spelling in typed)
    assert any(spelling != spelling.strip() for spelling in typed)
    assert seen.api is ONCEHUB or max(map(len, spellings.values())) > 1


@pytest.mark.parametrize("mode", MODES)
def test_keys_and_joins_hold_under_a_ready_map(seen: Seen, mode: str) -> None:
    clear, hidden = rows(seen.messages["clear"]), rows(seen.messages[mode])
    hashes: dict[str, str] = {}

    for stream, schema in seen.schemas.items():
        changed = personal_data.stream_map(schema, hashing=mode == "hash")
        for before, after in zip(clear[stream], hidden[stream], strict=True):
            assert all(after[name] is not None for name in schema["required"])
            kept = before.keys() - changed.keys()
            assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
            assert after.keys() == kept | {name for name, what in changed.items() if what != personal_data.GONE}
            for name in after.keys() - kept:
                assert (after[name] is None) == (not before[name]), f"{stream}.{name}"
                value = one_spelling(before[name])
                assert not value or hashes.setdefault(value, after[name]) == after[name]

    assert len(set(hashes.values())) == len(hashes)
    assert (len(hashes) > 20) == (mode == "hash")
    assert all(re.fullmatch("[0-9a-f]{64}", text) for text in hashes.values())


def test_another_seed_gives_other_hashes(sandbox: Sandbox) -> None:
    maps, catalog = mapped(SAVVYCAL, "hash"), selected(SAVVYCAL)
    one = rows(synced(SAVVYCAL, sandbox, catalog, **maps))["event_attendees"]
    other = rows(synced(SAVVYCAL, sandbox, catalog, **maps | {"stream_map_config": {"hash_seed": "another"}}))

    assert {row["email"] for row in one} & {row["email"] for row in other["event_attendees"]} == set()


@pytest.mark.parametrize("seed", [None, {}, {"hash_seed": ""}, {"hash_seed": None}], ids=str)
def test_a_map_that_hashes_without_a_seed_is_refused_before_anything_is_written(api: Api, seed: Any) -> None:
    with pytest.raises(SettingsError, match=r"`stream_map_config` lacks `hash_seed`"):
        api.tap(config={"api_key": api.key, **mapped(api, "hash"), "stream_map_config": seed})


def test_a_column_that_is_not_selected_does_not_trouble_its_map(api: Api, sandbox: Sandbox) -> None:
    stream, column = api.person

    found = rows(synced(api, sandbox, selected(api, but=api.person), **mapped(api, "hash")))[stream]

    assert found
    assert {row.get(column) for row in found} == {None}


def test_a_map_of_a_stream_that_is_not_selected_is_left_out(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    off = next(kind.name for kind in api.tap.stream_types if not kind.selected_by_default)
    maps: dict[str, Any] = {off: {"_extra": "__NULL__"}, "copy": {"__source__": off}, api.main: {"_extra": "__NULL__"}}
    config = {"api_key": api.key, "stream_maps": maps}

    tap = api.tap(config=config)
    monkeypatch.setattr("tap_common.tap.selected_stream_maps", lambda maps, _: maps)

    assert tap.config["stream_maps"] == {api.main: maps[api.main]}
    with pytest.raises(StreamMapConfigError):  # else the SDK does without
        api.tap(config=config)


def test_a_map_of_all_streams_is_one_of_those_that_are_selected(api: Api) -> None:
    tap = api.tap(config={"api_key": api.key, "stream_maps": {"*": {"_extra": "__NULL__"}, api.main: {"x": "1"}}})

    on = [stream.name for stream in tap.streams.values() if stream.selected]
    assert list(tap.config["stream_maps"]) == on
    assert tap.config["stream_maps"][api.main] == {"x": "1"}


def test_the_command_on_the_page_loads_a_warehouse_in_which_nobody_is_named(sandbox: Sandbox, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "guides" / "personal-data.md").read_text(encoding="utf-8")
    command, *arguments = shlex.split(re.findall(r"^\.venv/bin/tap-\w+ --config=.*$", page, re.MULTILINE)[0])
    environment = {
        "TAP_CALENDLY_API_KEY": CALENDLY.key,
        "TAP_CALENDLY_API_URL": f"{sandbox.url}/calendly",
        "TAP_CALENDLY_STREAM_MAP_CONFIG": json.dumps({"hash_seed": SEED}),
    }
    sandbox.calendly.requests_per_minute = 60_000

    tapped = run(
        Path(command).name,
        *(f"{part}".replace("=stream", f"={ROOT}/stream") for part in arguments),
        environment=environment,
    )
    loaded = run(
        "target-duckdb",
        "--config=ENV",
        stdin=tapped.out,
        environment={
            "TARGET_DUCKDB_FILEPATH": str(tmp_path / "w.duckdb"),
            "TARGET_DUCKDB_DEFAULT_TARGET_SCHEMA": "tap_calendly",
        },
    )

    assert (tapped.code, loaded.code) == (0, 0), tapped.errors + loaded.errors
    assert SEED not in tapped.err
    with duckdb.connect(tmp_path / "w.duckdb", read_only=True) as warehouse:
        tables = [table for (table,) in warehouse.execute("select table_name from duckdb_tables()").fetchall()]
        stored = [warehouse.table(f"tap_calendly.{table}").fetchall() for table in tables]
        [(joined,)] = warehouse.execute(
            "select count(*) from tap_calendly.event_invitees join tap_calendly.scheduled_events e on event = e.uri"
        ).fetchall()
    texts = [str(value) for table in stored for row in table for value in row]
    assert len(tables) >= len(CALENDLY.default_streams())
    assert joined > 10
    assert named(texts, people(sandbox.world)) == []


@pytest.mark.parametrize("mode", MODES)
def test_the_jobs_and_schedules_on_the_page_are_those_of_the_file(mode: str) -> None:
    page = (ROOT / "docs" / "guides" / "personal-data.md").read_text(encoding="utf-8")
    table = [line.split(" | ") for line in page.partition("| | in clear |")[2].splitlines()[2:7]]
    named, schema, job, in_full, schedule = (line[MODES.index(mode) + 2].strip("` |") for line in table)
    file = YAML(typ="safe").load(ROOT / "stream-maps" / f"{mode}.meltano.yml")
    extractors = {one["name"]: one for one in file["plugins"]["extractors"]}
    tasks = {one["name"]: one["tasks"] for one in file["jobs"]}
    [[task], [all_of_it]] = tasks[job], tasks[in_full]

    assert len(extractors) == len(tasks) == 2 * len(file["schedules"]) == 2 * len(APIS)
    assert job in [one["job"] for one in file["schedules"] if one["name"] == schedule]
    assert len({one["interval"] for one in file["schedules"]}) == len(APIS)
    for name in (task, all_of_it):
        extractor, loader = name.split()
        assert (extractors[extractor]["load_schema"], loader) == (schema, "target-duckdb")
    assert extractors[all_of_it.split()[0]]["inherit_from"] == task.split()[0] == named


@pytest.mark.long
def test_meltano_takes_the_maps_by_the_link_on_the_page(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "guides" / "personal-data.md").read_text(encoding="utf-8")
    [link] = re.findall(r"^ln -s .*?(?= +#)", page, re.MULTILINE)
    shutil.copy(ROOT / "meltano.yml", tmp_path)
    shutil.copytree(ROOT / "stream-maps", tmp_path / "stream-maps")
    subprocess.run(shlex.split(link), cwd=tmp_path, check=True)

    done = subprocess.run(
        [
            BIN / "meltano",
            "--log-level=warning",
            "invoke",
            "--no-install",
            "--dump=config",
            "tap-scheduler--hashed",
        ],
        cwd=tmp_path,
        env={"PATH": str(BIN), "HOME": str(tmp_path), "STREAM_MAP_HASH_SEED": SEED},
        capture_output=True,
        text=True,
        check=False,
    )

    config = json.loads(done.stdout)
    assert {key: config.get(key) for key in mapped(SAVVYCAL, "hash")} == mapped(SAVVYCAL, "hash")
    assert config["api_url"].startswith("http://127.0.0.1")


def test_variables_that_meltano_sets_for_an_extractor_that_inherits_are_not_taken_for_slips() -> None:
    settings = ["api_key", "emit_activate_version_messages"]
    slip = "TAP_LUMA_API_KEYY"

    [sentence] = misspelled_variables(["TAP_LUMA__HASHED_EMIT_ACTIVATE_VERSION_MESSAGES", slip], "TAP_LUMA_", settings)

    assert slip in sentence
