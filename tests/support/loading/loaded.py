"""Runs of a tap through `meltano run` and a real loader, with the interface of `Runner`."""

from __future__ import annotations

import json
import os
import subprocess
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import duckdb
import psutil
from ruamel.yaml import YAML
from typing_extensions import override

from api import settings
from commands import BIN
from harness import Runner
from tap_common.state.timestamps import canonical, instant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from api import Api
    from harness import VirtualClock
    from sandbox import Sandbox
    from tap_common.tap import SchedulingTap

ROOT = Path(__file__).parents[3]
Row = dict[str, Any]
_MESSAGES = 5
"""About how many messages a request brings."""


@dataclass(frozen=True)
class Loader(ABC):
    """One of Meltano's loaders, and the warehouse that it fills."""

    base: ClassVar[str]
    """The plugin that the project has."""
    hard_delete: bool
    """True if missing rows are removed instead of soft-deleted."""

    @property
    def plugin(self) -> str:
        """The plugin of this loader: one with a state of its own where rows are removed."""
        return f"{self.base}--hard" if self.hard_delete else self.base

    @property
    def definitions(self) -> list[dict[str, Any]]:
        """The plugins that the project has to know besides its own."""
        return [{"name": self.plugin, "inherit_from": self.base}] if self.hard_delete else []

    @property
    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """The settings of the plugin."""

    @abstractmethod
    def tables(self, schema: str) -> dict[str, list[Row]]:
        """All rows of each table of a schema, nested values decoded."""


@dataclass(frozen=True)
class DuckDB(Loader):
    """The project's own loader, and its file."""

    base: ClassVar[str] = "target-duckdb"
    file: Path

    @property
    @override
    def settings(self) -> dict[str, Any]:
        return {"filepath": str(self.file), "hard_delete": self.hard_delete}

    @override
    def tables(self, schema: str) -> dict[str, list[Row]]:
        if not self.file.exists():  # the first run was killed before the loader had come to it
            return {}
        with duckdb.connect(self.file, read_only=True) as warehouse:
            found = warehouse.execute("select table_name from duckdb_tables() where schema_name = ?", [schema])
            return {name: _rows(warehouse.table(f"{schema}.{name}")) for (name,) in found.fetchall()}


def _rows(answer: duckdb.DuckDBPyRelation) -> list[Row]:
    types = dict(zip(answer.columns, map(str, answer.types), strict=True))
    return [
        {
            name: json.loads(value) if types[name] == "JSON" and value is not None else value
            for name, value in zip(types, row, strict=True)
        }
        for row in answer.fetchall()
    ]


def compared(api: Api) -> Api:
    """An API whose expected rows can be compared with those of a warehouse: moments and dates in one form."""
    streams = api.tap(config={}, validate_config=False).streams
    rows = {name: _comparing(api, name, stream.schema["properties"]) for name, stream in streams.items()}
    return replace(api, rows=rows)


def _comparing(api: Api, stream: str, properties: Mapping[str, Any]) -> Callable[[Row], Row]:
    made = api.rows.get(stream, dict)
    return lambda thing: comparable(made(thing), properties)


def comparable(row: Mapping[str, Any], properties: Mapping[str, Any]) -> Row:
    """A row of the source or of a warehouse, its values in the one form that their JSON schema has here."""
    return {name: _plain(value, properties.get(name, {})) for name, value in row.items()}


def _plain(value: Any, definition: Mapping[str, Any]) -> Any:
    kinds = {definition.get("type")} if isinstance(definition.get("type"), str) else {*definition.get("type", ())}
    if value is None or kinds - {"null"} != {"string"}:
        return value
    match definition.get("format"):
        case "date-time":
            if isinstance(value, datetime):
                return canonical(value if value.tzinfo else value.replace(tzinfo=UTC))
            return canonical(instant(value))
        case "date" if isinstance(value, date):
            return value.isoformat()
    return value


class Project:
    """A copy of the Meltano project in a folder of its own, with its state and logs, and the installed plugins.

    The taps pass for ones from a package index: of these Meltano remembers the catalog, which saves a process.
    """

    def __init__(self, api: Api, sandbox: Sandbox, folder: Path) -> None:
        self.api = api
        self.sandbox = sandbox
        self.folder = folder
        self.streams = api.tap(config={}, validate_config=False).streams
        self.config = YAML().load(ROOT / "meltano.yml")
        plugin = next(plugin for plugin in self.config["plugins"]["extractors"] if plugin["name"] == api.tap.name)
        plugin["pip_url"] = plugin["pip_url"].replace("-e ", "")
        self._write()
        (folder / "constraints.txt").symlink_to(ROOT / "constraints.txt")
        (folder / ".meltano").mkdir()
        for kind in ("extractors", "loaders"):
            (folder / ".meltano" / kind).symlink_to(ROOT / ".meltano" / kind)

    def know(self, loader: Loader) -> None:
        """Add what the project does not know of a loader."""
        loaders = self.config["plugins"]["loaders"]
        known = {plugin["name"] for plugin in loaders}
        loaders += [plugin for plugin in loader.definitions if plugin["name"] not in known]
        self._write()

    def _write(self) -> None:
        YAML().dump(self.config, self.folder / "meltano.yml")

    def meltano(
        self, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """A command of Meltano in this project."""
        foreign = ("TAP_", "TARGET_", "MELTANO_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        ours = {"MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false", "XDG_STATE_HOME": str(self.folder / "log")}
        return subprocess.run(
            [str(BIN / "meltano"), f"--env-file={os.devnull}", "--log-level=warning", *arguments],
            cwd=self.folder,
            env=kept | ours | dict(environment or {}),
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )


@dataclass
class LoadedRunner(Runner):
    """One tap's runs through one loader, from state to state, which Meltano keeps.

    After each run `warehouse.rows` holds the live rows of the tables, as `comparable` makes them.
    """

    project: Project = field(kw_only=True)
    loader: Loader = field(kw_only=True)
    marked: dict[str, set[tuple[Any, ...]]] = field(default_factory=dict)
    """Of each stream, the rows that are marked as gone."""

    anew: bool = False
    """True if the next run has `--full-refresh`."""

    @override
    def sync(
        self,
        *,
        after: int | None = None,
        then: Callable[[], None] | None = None,
        states: int = 0,
        in_full: bool = False,
        **config: Any,
    ) -> SchedulingTap:
        """A run as a user makes it; the tap that is returned is one like that of the run.

        With `after` the tap's process is killed, about when it has written so many messages. `in_full` is a run of the
        extractor that reads every stream in full.
        """
        if after is None:
            together(self, in_full=in_full, **config)
        else:
            self._killed(after // _MESSAGES + states, **config)
        return self.build(**config)

    @override
    def forget(self) -> None:
        self.anew = True
        self.runs.forget()

    @override
    def age_state(self) -> None:
        self.warehouse.state = self._state()
        super().age_state()
        if self.warehouse.state:
            aged = json.dumps({"singer_state": self.warehouse.state})
            done = self.project.meltano("state", "set", "--force", self._state_id, aged)
            assert done.returncode == 0, done.stderr

    @override
    def bookmarks(self) -> dict[str, str | None]:
        self.warehouse.state = self._state()
        return super().bookmarks()

    @property
    def _state_id(self) -> str:
        return f"sandbox:{self.tap.name}-to-{self.loader.plugin}"

    def _state(self) -> dict[str, Any] | None:
        """The state that Meltano keeps."""
        done = self.project.meltano("state", "get", self._state_id)
        assert done.returncode == 0, done.stderr
        state: dict[str, Any] | None = json.loads(done.stdout).get("singer_state")
        return state

    def _killed(self, request: int, **config: Any) -> None:
        before = self.bookmarks()
        killed: list[int] = []
        self.project.sandbox.meanwhile(request, lambda: killed.extend(_kill(self.tap.name)))
        run = _run([self], config)
        self.project.sandbox.forget_meanwhile()
        assert bool(run.code) == bool(killed), run.log
        advanced = {stream for stream, value in self.bookmarks().items() if before.get(stream) != value}
        self.runs.add(run.started, run.streams, run.settings, advanced if killed else None)
        self.read()

    def read(self) -> None:
        """Read the tables."""
        tables = self.loader.tables(self.tap.name.replace("-", "_"))
        for stream, rows in tables.items():
            declared = self.project.streams[stream]
            keys = list(declared.primary_keys)
            plain = [comparable(row, declared.schema["properties"]) for row in rows]
            keyed = {tuple(row[key] for key in keys): row for row in plain}
            assert len(keyed) == len(rows), f"{stream}: two rows with one key"
            self.marked[stream] = {key for key, row in keyed.items() if row.get("_sdc_deleted_at") is not None}
            self.warehouse.keys[stream] = keys
            self.warehouse.rows[stream] = {key: row for key, row in keyed.items() if key not in self.marked[stream]}


def together(*runners: LoadedRunner, in_full: bool = False, **config: Any) -> None:
    """One `meltano run` of a project, with a block for each of some of its runners: it starts faster than several."""
    run = _run(runners, config, in_full=in_full)
    assert run.code == 0, run.log
    for runner in runners:
        runner.anew = runner.anew and in_full  # which has a state of its own
        runner.runs.add(run.started, run.streams, run.settings, in_full=in_full)
        runner.read()


class _Run(NamedTuple):
    code: int
    log: str
    started: datetime
    streams: list[str]
    settings: dict[str, Any]


def _run(runners: Sequence[LoadedRunner], config: dict[str, Any], *, in_full: bool = False) -> _Run:
    first = runners[0]
    api, project = first.project.api, first.project
    tap = f"{first.tap.name}--in-full" if in_full else first.tap.name
    chosen = [kind.name for kind in api.tap.stream_types if first.select(kind.name, kind.selected_by_default)]
    given = first.config | config
    environment = {"MELTANO_ENVIRONMENT": "sandbox"} | _variables(tap, given)
    if chosen != api.default_streams():
        environment[f"{_prefix(tap)}__SELECT"] = json.dumps([f"{name}.*" for name in chosen])
    for runner in runners:
        environment |= _variables(runner.loader.plugin, runner.loader.settings)
    blocks = [name for runner in runners for name in (tap, runner.loader.plugin)]
    refresh = ["--full-refresh"] if first.anew else []
    started = project.sandbox.world.now
    done = project.meltano("run", "--no-install", *refresh, *blocks, environment=environment)
    return _Run(done.returncode, done.stderr, started, chosen, given)


def _kill(tap: str) -> list[int]:
    """Kill the processes of a tap that are children of this one; returns their ids."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if tap in (Path(part).name for part in process.cmdline()[:2]):
                process.kill()
                found.append(process.pid)
    return found


def _prefix(plugin: str) -> str:
    return plugin.upper().replace("-", "_")


def _variables(plugin: str, given: Mapping[str, Any]) -> dict[str, str]:
    """Settings of a plugin as environment variables; those that are None are left out."""
    return {
        f"{_prefix(plugin)}_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in given.items()
        if value is not None
    }


def loaded_runner(project: Project, loader: Loader, clock: VirtualClock) -> LoadedRunner:
    """Runs of the project's tap through a loader, at the speed of a sandbox whose time stands still."""
    project.know(loader)
    api, sandbox = project.api, project.sandbox
    getattr(sandbox, api.name).requests_per_minute = 60_000
    config = settings(api, sandbox) | {"requests_per_minute": 60_000}
    clock.machine = lambda: sandbox.world.now
    return LoadedRunner(api.tap, config, clock, project=project, loader=loader)
