"""Several accounts in one Meltano project, as the page says."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from api import runner_of
from calendly_api import CALENDLY
from loaded import ROOT, DuckDB, Project
from luma_api import LUMA
from oncehub_api import ONCEHUB
from sandbox.oncehub.limit import Window
from savvycal_api import SAVVYCAL
from tap_common.errors import SettingsError
from truth import Judge

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from api import Api
    from harness import Runner, VirtualClock
    from sandbox import Sandbox

PAGE = (ROOT / "docs" / "several-accounts.md").read_text(encoding="utf-8")
ACCOUNTS = ("sales", "support")


def block(language: str, begin: str) -> str:
    """The one code block of the page that begins so."""
    [found] = re.findall(rf"```{language}\n({re.escape(begin)}.*?)```", PAGE, re.DOTALL)
    return str(found)


class Accounts:
    """A project with the page's file, as it is printed, and a sandbox for each account."""

    def __init__(self, serve: Callable[..., Sandbox], folder: Path) -> None:
        self.sandboxes = {name: serve(seed=seed) for seed, name in enumerate(ACCOUNTS)}
        for sandbox in self.sandboxes.values():
            sandbox.calendly.requests_per_minute = 60_000
        self.project = Project(CALENDLY, self.sandboxes["sales"], folder)
        self.file = folder / "accounts.meltano.yml"
        self.file.write_text(block("yaml", "plugins:"), encoding="utf-8")
        self.states = folder / "states"
        self.loader = DuckDB(hard_delete=False, file=folder / "warehouse.duckdb")
        self.environment = {
            "MELTANO_ENVIRONMENT": "prod",
            "MELTANO_STATE_BACKEND_URI": self.states.as_uri(),
            "TARGET_DUCKDB_FILEPATH": str(self.loader.file),
            "TAP_CALENDLY_REQUESTS_PER_MINUTE": "60000",
        }
        for name, sandbox in self.sandboxes.items():
            prefix = f"TAP_CALENDLY__{name.upper()}"
            self.environment |= {f"{prefix}_API_URL": sandbox.calendly.api_url, f"{prefix}_API_KEY": CALENDLY.key}

    def edit(self, old: str, new: str) -> None:
        """Replace a part of the file."""
        text = self.file.read_text(encoding="utf-8")
        assert text.count(old) == 1
        self.file.write_text(text.replace(old, new), encoding="utf-8")

    def run(self, *what: str) -> subprocess.CompletedProcess[str]:
        """A run of jobs, or of an extractor and a loader."""
        return self.project.meltano("run", "--no-install", *what, environment=self.environment)

    def rows(self, name: str) -> dict[str, list[dict[str, Any]]]:
        """The tables of an account."""
        return self.loader.tables(f"tap_calendly__{name}")

    def state(self, name: str) -> bytes:
        """The state of an account, as it is kept."""
        [file] = self.states.glob(f"prod*tap-calendly--{name}-to-target-duckdb/state.json")
        return file.read_bytes()

    def is_loaded(self, name: str) -> bool:
        """Whether the schema of an account has exactly the keys of the source in each table."""
        tables, sandbox = self.rows(name), self.sandboxes[name]
        for stream in CALENDLY.default_streams():
            keys = CALENDLY.keys(stream)
            there = {tuple(row[key] for key in keys) for row in tables[stream] if row["_sdc_deleted_at"] is None}
            truth = CALENDLY.table(stream, sandbox.truth("calendly", stream))
            if there != {tuple(row[key] for key in keys) for row in truth}:
                return False
        return True


@pytest.fixture
def accounts(serve: Callable[..., Sandbox], tmp_path: Path) -> Accounts:
    """Two accounts in a project."""
    return Accounts(serve, tmp_path)


def test_each_account_has_its_rows_in_its_schema_and_a_state_that_the_other_s_run_leaves_alone(
    accounts: Accounts,
) -> None:
    both = accounts.run("calendly-sales-to-duckdb", "calendly-support-to-duckdb")
    assert both.returncode == 0, both.stderr
    assert accounts.is_loaded("sales")
    assert accounts.is_loaded("support")
    sales, support = ({row["uri"] for row in accounts.rows(name)["scheduled_events"]} for name in ACCOUNTS)
    assert sales.isdisjoint(support)
    with duckdb.connect(accounts.loader.file, read_only=True) as warehouse:
        assert len(warehouse.sql(block("sql", "select")).fetchall()) == len(sales) + len(support)

    before = accounts.rows("support"), accounts.state("support")
    requested = {name: len(sandbox.requests) for name, sandbox in accounts.sandboxes.items()}
    own = accounts.state("sales")
    for sandbox in accounts.sandboxes.values():
        sandbox.advance(days=2)
    one = accounts.run("calendly-sales-to-duckdb")

    assert one.returncode == 0, one.stderr
    assert accounts.is_loaded("sales")
    assert (accounts.rows("support"), accounts.state("support")) == before
    assert len(accounts.sandboxes["support"].requests) == requested["support"]
    assert accounts.state("sales") != own
    again = accounts.sandboxes["sales"].requests[requested["sales"] :]
    assert 0 < len(again) < requested["sales"]

    program, *arguments = block("sh", ".venv/bin/meltano state clear").splitlines()[0].split()
    cleared = accounts.project.meltano(*arguments, environment=accounts.environment)

    assert (program, cleared.returncode) == (".venv/bin/meltano", 0), cleared.stderr
    assert accounts.state("support") == before[1]
    with pytest.raises(ValueError, match="not enough values"):
        accounts.state("sales")


def test_a_misspelt_variable_ends_the_run_before_anything_is_requested(accounts: Accounts) -> None:
    key = accounts.environment.pop("TAP_CALENDLY__SALES_API_KEY")
    accounts.environment |= {"TAP_CALENDLY__SALE_API_KEY": key, "TAP_CALENDLY_API_KEY": key}

    given = accounts.project.meltano(
        "invoke", "--no-install", "--dump=config", "tap-calendly--sales", environment=accounts.environment
    )

    with pytest.raises(SettingsError) as refused:
        CALENDLY.tap(config=json.loads(given.stdout))
    assert str(refused.value) == block("log", "Setting").strip()
    assert list(accounts.sandboxes["sales"].requests) == []


def test_an_organization_that_is_set_refuses_the_key_of_another(
    serve: Callable[..., Sandbox], sandbox: Sandbox, calendly: Runner, clock: VirtualClock
) -> None:
    def organization(of: Sandbox) -> str:
        return str(of.truth("calendly", "organization")[0]["uri"])

    calendly.sync(organization_uri=organization(sandbox))
    assert Judge(CALENDLY, sandbox).verdict(calendly) == {}

    other = runner_of(CALENDLY, serve(seed=8), clock)
    with pytest.raises(SettingsError, match="cannot read the organization that is set"):
        other.sync(organization_uri=organization(sandbox))
    assert other.warehouse.rows == {}


# The limit of the sandbox, and the part of a run: one less than half where a request of one run may come in the other's
# next window. OnceHub's five requests a second are each account's own: the sandbox has one account.
@pytest.mark.parametrize(
    ("api", "limit", "share"),
    [(CALENDLY, 50, 24), (LUMA, 30, 14), (ONCEHUB, 200, 20), (SAVVYCAL, 30, 14)],
    ids=["calendly", "luma", "oncehub", "savvycal"],
)
def test_two_runs_with_half_the_limit_each_are_refused_nothing(
    sandbox: Sandbox, clock: VirtualClock, api: Api, limit: int, share: int
) -> None:
    if api is ONCEHUB:
        sandbox.oncehub._second = Window(0)
    else:
        getattr(sandbox, api.name).requests_per_minute = limit
    runners = [runner_of(api, sandbox, clock) for _ in ACCOUNTS]

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda one: one.sync(page_size=1, requests_per_minute=share, concurrency=1), runners))

    assert len(sandbox.requests) > limit
    assert all(request.status != 429 for request in sandbox.requests)


@pytest.mark.soak
def test_accounts_can_be_run_at_the_same_time_and_one_of_them_in_full(accounts: Accounts) -> None:
    accounts.edit("\njobs:", block("yaml", "  - name: tap-calendly--sales-in-full") + "\njobs:")
    assert accounts.project.meltano("state", "list").returncode == 0  # makes Meltano's database

    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(accounts.run, [f"calendly-{name}-to-duckdb" for name in ACCOUNTS]))

    assert [run.returncode for run in runs] == [0, 0], [run.stderr for run in runs]
    assert accounts.is_loaded("sales")
    assert accounts.is_loaded("support")

    state = accounts.state("sales")
    world = accounts.sandboxes["sales"].world
    tied = {one.meeting.id for one in world.bookings.values() if one.old or one.new or one.submission}
    world.erase(next(one for one in world.meetings.values() if one.id not in tied and not one.elsewhere))
    assert not accounts.is_loaded("sales")
    in_full = accounts.run("tap-calendly--sales-in-full", "target-duckdb")

    assert in_full.returncode == 0, in_full.stderr
    assert accounts.is_loaded("sales")
    assert accounts.state("sales") == state


@pytest.mark.soak
def test_without_its_line_an_extractor_reads_with_the_key_that_it_inherits(accounts: Accounts) -> None:
    del accounts.environment["TAP_CALENDLY__SALES_API_KEY"]
    accounts.environment["TAP_CALENDLY_API_KEY"] = CALENDLY.key
    [line] = [one for one in block("yaml", "plugins:").splitlines() if "$TAP_CALENDLY__SALES_API_KEY" in one]
    accounts.edit(f"    config:\n{line}\n", "")

    listed = accounts.project.meltano("config", "list", "tap-calendly--sales", environment=accounts.environment)
    run = accounts.run("calendly-sales-to-duckdb")

    assert "(redacted) (inherited from 'tap-calendly')" in listed.stdout
    assert run.returncode == 0, run.stderr
    assert accounts.is_loaded("sales")
