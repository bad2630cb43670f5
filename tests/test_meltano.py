"""The main job, as a user runs it: `meltano run` from the API to DuckDB."""

from __future__ import annotations

import json
import os
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from ruamel.yaml import YAML

import meltano_settings as settings
from apis import APIS
from calendly_api import CALENDLY
from commands import BIN
from sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from api import Api

pytestmark = pytest.mark.long

ROOT = Path(__file__).parent.parent
TYPES = {"date-time": "TIMESTAMP WITH TIME ZONE", "boolean": "BOOLEAN", "integer": "BIGINT", "number": "DOUBLE"}


class Project:
    """A run of the project's own Meltano, with its state and its DuckDB file elsewhere."""

    def __init__(self, api: Api, sandbox: Sandbox, folder: Path) -> None:
        self.api = api
        self.sandbox = sandbox
        self.streams = api.tap(config={}, validate_config=False).streams
        self.file = folder / "warehouse.duckdb"
        prefix = api.tap.name.upper().replace("-", "_")
        self.environment = os.environ | {
            "MELTANO_ENVIRONMENT": "sandbox",
            "MELTANO_STATE_BACKEND_URI": f"file://{folder / 'state'}",
            "TARGET_DUCKDB_FILEPATH": str(self.file),
            f"{prefix}_API_KEY": api.key,
            f"{prefix}_API_URL": f"{sandbox.url}/{api.name}",
        }

    def run(self, *arguments: str, what: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        command = [
            str(BIN / "meltano"),
            f"--env-file={os.devnull}",
            "--log-level=warning",
            "run",
            "--no-install",
            f"--state-id-suffix={os.getpid()}",
            *arguments,
        ]
        return subprocess.run(
            [*command, *(what or (self.api.tap.name, "target-duckdb"))],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def table(self, stream: str) -> list[dict[str, Any]]:
        """The live rows of a table, nested values decoded."""
        schema = self.api.tap.name.replace("-", "_")
        with duckdb.connect(self.file, read_only=True) as warehouse:
            answer = warehouse.table(f"{schema}.{stream}")
            columns = dict(zip(answer.columns, map(str, answer.types), strict=True))
            rows = [dict(zip(columns, row, strict=True)) for row in answer.fetchall()]
        return [
            {name: json.loads(value) if columns[name] == "JSON" and value else value for name, value in row.items()}
            for row in rows
            if row.get("_sdc_deleted_at") is None
        ]

    def types(self, stream: str) -> dict[str, str]:
        """The type of each column."""
        schema = self.api.tap.name.replace("-", "_")
        with duckdb.connect(self.file, read_only=True) as warehouse:
            return dict(
                warehouse.execute(
                    "select column_name, data_type from duckdb_columns() where schema_name = ? and table_name = ?",
                    [schema, stream],
                ).fetchall()
            )


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Project]]:
    """The sandbox, loaded twice by the job for all taps, with twenty days of life in between."""
    with Sandbox(scale="test") as sandbox:
        sandbox.oncehub.trash_moves_update_time = True  # else no run sees it
        folder = tmp_path_factory.mktemp("meltano")
        projects = {api.name: Project(api, sandbox, folder) for api in APIS}
        environment = {name: value for project in projects.values() for name, value in project.environment.items()}
        for api in APIS:
            getattr(sandbox, api.name).requests_per_minute = 1_000_000
            projects[api.name].environment = environment
        for days in (20, 0):
            outcome = projects[CALENDLY.name].run(what=["all-to-duckdb"])
            assert outcome.returncode == 0, outcome.stderr
            sandbox.advance(days=days)
        assert outcome.stderr == "", "a run that has a state writes nothing to the log at level warning"
        yield projects


@pytest.fixture
def project(api: Api, loaded: dict[str, Project]) -> Project:
    """Tables loaded from one API."""
    return loaded[api.name]


def same(stored: Any, sent: Any) -> bool:
    """Return whether a value from DuckDB is the API's value."""
    if isinstance(stored, datetime) and isinstance(sent, str):
        return stored == datetime.fromisoformat(sent)
    return bool(stored == sent)


def test_every_default_table_holds_exactly_the_truth(project: Project) -> None:
    api = project.api
    for stream in api.default_streams():
        keys = project.streams[stream].primary_keys
        truth = {
            tuple(row[key] for key in keys): row for row in api.table(stream, project.sandbox.truth(api.name, stream))
        }
        rows = {tuple(row[key] for key in keys): row for row in project.table(stream)}
        assert len(rows) == len(project.table(stream)), stream
        assert truth.keys() <= rows.keys(), stream
        assert stream in api.kept or rows.keys() == truth.keys(), stream
        for key, expected in truth.items():
            row = rows[key] | (rows[key]["_extra"] or {})
            wrong = {name: (row.get(name), value) for name, value in expected.items() if not same(row.get(name), value)}
            assert not wrong, f"{stream} {key}"


def test_timestamps_are_timestamps_and_nested_values_are_json(project: Project) -> None:
    for stream in project.api.default_streams():
        types = project.types(stream)
        for name, definition in project.streams[stream].schema["properties"].items():
            kinds = definition["type"]
            plain = [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"]
            expected = TYPES.get(definition.get("format") or plain[0], "VARCHAR") if len(plain) == 1 else "JSON"
            expected = "JSON" if plain[0] in ("object", "array") else expected
            assert types[name] == expected, f"{stream}.{name}"


def test_a_bad_key_fails_the_run_with_its_sentence_and_keeps_the_state(loaded: dict[str, Project]) -> None:
    project = loaded[CALENDLY.name]
    prefix = project.api.tap.name.upper().replace("-", "_")
    before = len(project.table(project.api.default_streams()[0]))
    good, project.environment = project.environment, project.environment | {f"{prefix}_API_KEY": "wrong"}
    outcome = project.run()
    project.environment = good

    assert outcome.returncode == 1
    assert "does not accept the key" in outcome.stderr
    assert len(project.table(project.api.default_streams()[0])) == before


@pytest.mark.parametrize("several", [api for api in APIS if api.second_key][:1], ids=lambda api: api.name)
def test_keys_and_numbers_in_environment_variables_reach_the_tap(
    several: Api, sandbox: Sandbox, tmp_path: Path
) -> None:
    getattr(sandbox, several.name).requests_per_minute = 1_000_000
    project = Project(several, sandbox, tmp_path)
    prefix = several.tap.name.upper().replace("-", "_")
    several_keys = {f"{prefix}_API_KEYS": json.dumps([several.second_key])}
    project.environment |= several_keys | {f"{prefix}_BACKOFF_FACTOR": "1.5", "TARGET_DUCKDB_LOCK_TIMEOUT": "5"}

    outcome = project.run()

    assert outcome.returncode == 0, outcome.stderr
    # Each key's own calendar, or user.
    assert len(project.table(several.tap.stream_types[0].name)) == 2


def test_other_names_of_the_loader_s_settings_count_before_meltano_yml_and_names_that_set_nothing_are_told(
    tmp_path: Path,
) -> None:
    with Sandbox(scale="tiny") as sandbox:
        sandbox.calendly.requests_per_minute = 1_000_000
        project = Project(CALENDLY, sandbox, tmp_path)
        del project.environment["TARGET_DUCKDB_FILEPATH"]
        project.environment |= {
            "TAP_CALENDLY__SELECT": '["scheduled_events.*"]',
            "TARGET_DUCKDB_PATH": str(project.file),
            "TARGET_DUCKDB_ADD_METADATA_COLUMNS": "false",
            "TARGET_DUCKDB_DATA_FLATTENING_MAX_LEVEL": "1",
            "TARGET_DUCKDB_FILE": str(tmp_path / "other.duckdb"),
        }
        outcome = project.run()

    assert outcome.returncode == 0, outcome.stderr
    assert "`TARGET_DUCKDB_FILE` is not a known setting; did you mean `TARGET_DUCKDB_FILEPATH`?" in outcome.stderr
    columns = project.types("scheduled_events")
    assert "location__type" in columns
    assert "_sdc_received_at" not in columns


def test_a_run_in_full_tells_the_loader_what_is_gone_and_leaves_the_daily_state_as_it_is(tmp_path: Path) -> None:
    with Sandbox(scale="tiny") as sandbox:
        sandbox.calendly.requests_per_minute = 1_000_000
        project = Project(CALENDLY, sandbox, tmp_path)
        assert project.run().returncode == 0
        world = sandbox.world
        tied = {one.meeting.id for one in world.bookings.values() if one.old or one.new or one.submission}
        world.erase(next(one for one in world.meetings.values() if one.id not in tied and not one.elsewhere))
        state = {path: path.read_bytes() for path in (tmp_path / "state").rglob("*.json")}
        before = len(project.table("scheduled_events"))
        outcome = project.run(what=["calendly-in-full"])
        truth = sandbox.truth("calendly", "scheduled_events")

    assert outcome.returncode == 0, outcome.stderr
    assert before == len(truth) + 1
    assert {row["uri"] for row in project.table("scheduled_events")} == {row["uri"] for row in truth}
    assert state
    assert state == {path: path.read_bytes() for path in state}


def test_a_file_that_was_deleted_is_told_of_and_a_full_refresh_fills_it(tmp_path: Path) -> None:
    with Sandbox(scale="tiny") as sandbox:
        sandbox.calendly.requests_per_minute = 1_000_000
        project = Project(CALENDLY, sandbox, tmp_path)
        assert project.run().returncode == 0
        before = len(project.table("event_invitees"))
        state = {path: path.read_bytes() for path in (tmp_path / "state").rglob("*.json")}
        project.file.unlink()

        project.environment["TARGET_DUCKDB_ON_MISSING_TABLE"] = "fail"
        refused = project.run()
        unchanged = {path: path.read_bytes() for path in state}
        del project.environment["TARGET_DUCKDB_ON_MISSING_TABLE"]
        lost = project.run()
        whole = project.run("--full-refresh")

    told = f"The tap resumes from a state, but {project.file} has no table of stream"
    assert refused.returncode == 1
    assert told in next(line for line in refused.stderr.splitlines() if "[error " in line)
    assert state
    assert state == unchanged
    assert lost.returncode == 0, lost.stderr
    assert lost.stderr.count(told) == 1
    assert whole.returncode == 0, whole.stderr
    assert told not in whole.stderr
    assert len(project.table("event_invitees")) == before


def test_a_run_in_batches_loads_the_same_rows_from_files(tmp_path: Path) -> None:
    with Sandbox(scale="tiny") as sandbox:
        sandbox.calendly.requests_per_minute = 1_000_000
        project = Project(CALENDLY, sandbox, tmp_path)
        folder = tmp_path / "files"
        project.environment["TAP_CALENDLY__IN_BATCHES_BATCH_CONFIG_STORAGE_ROOT"] = folder.as_uri()
        outcome = project.run(what=["calendly-in-batches"])
        streams = ("scheduled_events", "event_invitees", "event_types", "api_user")
        truths = {stream: {row["uri"] for row in sandbox.truth("calendly", stream)} for stream in streams}

    assert outcome.returncode == 0, outcome.stderr
    assert {stream: {row["uri"] for row in project.table(stream)} for stream in streams} == truths
    assert len(list(folder.glob("*.jsonl.gz"))) >= len(streams)


def test_every_tap_can_be_read_in_full_by_a_job_of_its_own() -> None:
    project = YAML().load(settings.MELTANO)
    extractors = {plugin["name"]: plugin for plugin in project["plugins"]["extractors"]}
    jobs = {job["name"]: job["tasks"] for job in project["jobs"]}
    for tap in settings.TAPS:
        plugin = extractors[f"{tap.name}--in-full"]
        assert plugin["inherit_from"] == tap.name
        assert plugin["load_schema"] == tap.name.replace("-", "_")
        assert plugin["metadata"] == {"*": {"replication-method": "FULL_TABLE"}}
        assert jobs[f"{tap.name.removeprefix('tap-')}-in-full"] == [f"{tap.name}--in-full target-duckdb"]


def test_the_schedules_on_the_page_are_those_of_the_project_one_a_day_and_one_a_week_for_each_tap() -> None:
    page = (ROOT / "docs" / "guides" / "schedule.md").read_text(encoding="utf-8")
    schedules = {schedule["name"]: schedule for schedule in YAML().load(settings.MELTANO)["schedules"]}

    assert set(re.findall(r"`((?:daily|weekly)-[\w-]+)`", page)) == schedules.keys()
    for api in APIS:
        job = api.tap.name.removeprefix("tap-")
        daily, weekly = schedules[f"daily-{job}"], schedules[f"weekly-{job}-in-full"]
        assert (daily["job"], weekly["job"]) == (f"{job}-to-duckdb", f"{job}-in-full")
        assert (daily["interval"].endswith(" * * *"), weekly["interval"].endswith(" * * 0")) == (True, True)
        assert f"weekly-{job}-in-full" in (ROOT / "docs" / "taps" / f"{api.name}.md").read_text(encoding="utf-8")
    for interval, name in re.findall(r"^([\d *]+)  cd .* schedule run (\S+)$", page, re.MULTILINE):
        assert schedules[name]["interval"] == interval
    # One process writes a DuckDB file: none begins when another does.
    assert len({schedule["interval"] for schedule in schedules.values()}) == len(schedules)


def test_every_plugin_is_declared_whole_so_that_nothing_asks_the_hub() -> None:
    project = YAML().load(settings.MELTANO)
    declared = [*project["plugins"]["extractors"], *project["plugins"]["loaders"]]
    for plugin in (one for one in declared if "inherit_from" not in one):
        assert {"namespace", "pip_url", "executable", "settings", "capabilities"} <= plugin.keys()
        assert all("label" in setting for setting in plugin["settings"])


def test_the_newest_rows_say_when_they_were_loaded(project: Project) -> None:
    loaded = [row["_sdc_received_at"] for row in project.table(project.api.default_streams()[0])]

    assert all(moment <= datetime.now(UTC) for moment in loaded)
