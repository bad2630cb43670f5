"""From the API to a real warehouse and back: what the tables hold after each `meltano run`."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from typing_extensions import override

import postgres
from calendly_api import CALENDLY
from history import history_of
from loaded import DuckDB, LoadedRunner, Project, compared, loaded_runner, together
from luma_api import LUMA
from oncehub_api import ONCEHUB
from postgres import Postgres, Server, UnavailableError
from savvycal_api import SAVVYCAL
from truth import Judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from api import Api
    from harness import Runner, VirtualClock
    from loaded import Loader
    from sandbox import Sandbox
    from sandbox.world import World


pytestmark = pytest.mark.long

DELETIONS: dict[str, tuple[str, Callable[[World], object]]] = {
    "calendly": ("meeting_recaps", lambda world: world.delete_recap(next(iter(world.recaps.values())))),
    "oncehub": ("teams", lambda world: world.delete_group(next(iter(world.groups.values())))),
    "luma": ("calendar_coupons", lambda world: world.gatherings.delete_coupon(world.gatherings.main.coupons[0])),
    "savvycal": (
        "workflows",
        lambda world: world.invites.delete_workflow(next(iter(world.invites.workflows.values()))),
    ),
}
"""The stream that `Api.empty` empties, and how one of its rows vanishes."""
QUICK = ("500", "502-html", "503", "504", "reset", "truncated", "html")
"""Faults after which a tap waits a second or two: here it waits in earnest."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server | UnavailableError]:
    """A PostgreSQL server, or why there is none."""
    with ExitStack() as stack:
        try:
            found: Server | UnavailableError = stack.enter_context(postgres.served())
        except UnavailableError as reason:
            found = reason
        yield found


@pytest.fixture
def project(api: Api, sandbox: Sandbox, tmp_path: Path) -> Project:
    """A Meltano project with the tap of an API."""
    return Project(api, sandbox, tmp_path)


@pytest.fixture
def duckdb(project: Project, clock: VirtualClock, tmp_path: Path, *, hard_delete: bool) -> LoadedRunner:
    """Runs into a DuckDB file."""
    return loaded_runner(project, DuckDB(hard_delete, tmp_path / "warehouse.duckdb"), clock)


@pytest.fixture
def postgresql(
    project: Project, clock: VirtualClock, server: Server | UnavailableError, *, hard_delete: bool
) -> LoadedRunner | UnavailableError:
    """Runs into a PostgreSQL database, or why there can be none."""
    if isinstance(server, UnavailableError):
        return server
    runner = loaded_runner(project, Postgres(hard_delete, server, server.create_database()), clock)
    try:
        postgres.install(project)
    except UnavailableError as reason:
        return reason
    return runner


@pytest.fixture
def comparison(api: Api, sandbox: Sandbox) -> Judge:
    """Compares what a warehouse gives back with the truth."""
    return Judge(compared(api), sandbox)


@pytest.mark.parametrize(
    ("api", "hard_delete", "full_refresh"),
    [
        pytest.param(CALENDLY, False, False, id="calendly-marks"),
        pytest.param(ONCEHUB, True, True, id="oncehub-hard-full"),
        pytest.param(LUMA, True, False, id="luma-hard", marks=pytest.mark.soak),
        pytest.param(SAVVYCAL, False, True, id="savvycal-marks-full", marks=pytest.mark.soak),
    ],
)
def test_a_history_in_duckdb_and_postgresql_equals_the_truth(
    api: Api,
    sandbox: Sandbox,
    duckdb: LoadedRunner,
    postgresql: LoadedRunner | UnavailableError,
    comparison: Judge,
    *,
    hard_delete: bool,
    full_refresh: bool,
) -> None:
    stream, delete_one = DELETIONS[api.name]
    others = [name for name in api.default_streams() if name != api.main]
    runners = [duckdb, postgresql] if isinstance(postgresql, LoadedRunner) else [duckdb]
    together(*runners)
    for runner in runners:
        assert comparison.verdict(runner) == {}, runner.loader.plugin
    first = duckdb.warehouse.rows[api.main]
    there = set(duckdb.warehouse.rows[stream])
    assert first

    sandbox.advance(days=2)
    delete_one(sandbox.world)
    duckdb.select = lambda name, default: default and name != api.main
    duckdb.sync()
    comparison.check(duckdb, others)
    assert duckdb.warehouse.rows[api.main] == first
    gone = there - duckdb.warehouse.rows[stream].keys()
    assert len(gone) == 1
    assert duckdb.marked[stream] == (set() if hard_delete else gone)

    sandbox.advance(days=2)
    assert api.empty(sandbox) == stream
    duckdb.select = lambda _name, default: default
    for runner in runners if full_refresh else ():
        runner.forget()
    together(*runners)
    for runner in runners:
        assert comparison.verdict(runner) == {}, runner.loader.plugin
        assert runner.warehouse.rows[stream] == {}
    assert duckdb.marked[stream] == (set() if hard_delete else there)
    if isinstance(postgresql, UnavailableError):
        pytest.skip(f"DuckDB only: {postgresql}")
    assert postgresql.marked[stream] == (set() if hard_delete else there)


def search_loaded(api: Api, load: Callable[[Path], Loader], *, examples: int, steps: int) -> None:
    """Search a few histories, others each time; `load` makes a loader that may use a folder."""
    base = history_of(compared(api))

    class Loaded(base):  # type: ignore[valid-type, misc]  # a class made for one API
        def __init__(self) -> None:
            self.folder = tempfile.TemporaryDirectory(prefix="loaded-")
            super().__init__()

        @override
        def runner_to_test(self) -> Runner:
            folder = Path(self.folder.name)
            project = Project(api, self.sandbox, folder)
            return loaded_runner(project, load(folder), self.clock)

        @override
        def teardown(self) -> None:
            try:
                super().teardown()
            finally:
                self.folder.cleanup()

    few = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        print_blob=False,
        phases=(Phase.generate,),  # to shrink would take hours
        suppress_health_check=list(HealthCheck),
    )
    with mock.patch("history.FAULTS", QUICK):
        run_state_machine_as_test(Loaded, settings=few)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_no_history_is_found_after_which_a_duckdb_file_is_not_the_source(api: Api) -> None:
    search_loaded(api, lambda folder: DuckDB(api is SAVVYCAL, folder / "w.duckdb"), examples=4, steps=5)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_no_history_is_found_after_which_a_postgresql_database_is_not_the_source(
    api: Api, server: Server | UnavailableError, project: Project
) -> None:
    if isinstance(server, UnavailableError):
        pytest.skip(str(server))
    # With marks the target cannot load a column named `version`, as one of SavvyCal's streams has.
    hard_delete = api is SAVVYCAL
    project.know(Postgres(hard_delete, server, "postgres"))
    try:
        postgres.install(project)
    except UnavailableError as reason:
        pytest.skip(str(reason))
    search_loaded(api, lambda _: Postgres(hard_delete, server, server.create_database()), examples=4, steps=5)
