"""Several accounts in one Meltano project, as the page says."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from ruamel.yaml import YAML

from api import runner_of
from apis import APIS
from calendly_api import CALENDLY
from loaded import ROOT, DuckDB, Project
from luma_api import LUMA
from oncehub_api import ONCEHUB
from sandbox.oncehub.limit import Window
from savvycal_api import SAVVYCAL
from tap_common.cli.connection_check import check_streams
from tap_common.errors import SettingsError
from tap_common.state.accounts import allowed_accounts
from truth import Judge

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from api import Api
    from harness import Runner, VirtualClock
    from sandbox import Sandbox

pytestmark = pytest.mark.one_api

PAGE = (ROOT / "docs" / "guides" / "several-accounts.md").read_text(encoding="utf-8")
ACCOUNTS = ("sales", "support")


def block(language: str, begin: str) -> str:
    """The one code block of the page that begins so."""
    [found] = re.findall(rf"```{language}\n({re.escape(begin)}.*?)```", PAGE, re.DOTALL)
    return str(found)


def organization(of: Sandbox) -> str:
    """The URI of the organization."""
    return str(of.truth("calendly", "organization")[0]["uri"])


class Accounts:
    """A project with the page's file, as it is printed, and a sandbox for each account."""

    def __init__(self, serve: Callable[..., Sandbox], folder: Path) -> None:
        self.sandboxes = {name: serve(seed=seed) for seed, name in enumerate(ACCOUNTS)}
        for sandbox in self.sandboxes.values():
            sandbox.calendly.requests_per_minute = 60_000
        self.project = Project(CALENDLY, self.sandboxes["sales"], folder)
        self.file = folder / "accounts.meltano.yml"
        self.file.write_text(block("yaml", "plugins:"), encoding="utf-8")
        for name, sandbox in self.sandboxes.items():
            self.edit(f": {name.upper()}}}", f": {organization(sandbox)}}}")
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
        """Return whether each table of an account has exactly the keys of the source."""
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


@pytest.mark.long
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


# Credentials of the account that the others inherit from.
PARENT = {
    "calendly": ("api_key", "auth_token", "client_id", "client_secret", "refresh_token", "token_file"),
    "oncehub": ("api_key",),
    "luma": ("api_key", "api_keys", "organization_api_key"),
    "savvycal": ("api_key", "api_keys"),
}
OAUTH = PARENT["calendly"][2:]
OWN = [
    *((CALENDLY, own) for own in (("api_key",), ("auth_token",), OAUTH)),
    *((api, (own,)) for api in (ONCEHUB, LUMA, SAVVYCAL) for own in PARENT[api.name]),
]


def refusals(api: Api) -> dict[str, Any]:
    """Return the credentials that the page has an extractor declare or refuse, all refused."""
    [row] = re.findall(rf"^\| `{api.tap.name}` \| (`api_key`.*) \|$", PAGE, re.MULTILINE)
    told = {name: YAML(typ="safe").load(value or "''") for name, value in re.findall(r"`(\w+)(?:: (\S+))?`", row)}
    return {name: value for name, value in told.items() if name not in OAUTH or name == "refresh_token"}


def variables(prefix: str, names: Iterable[str], value: str) -> dict[str, str]:
    """Variables of credentials."""
    return {f"{prefix}_{name.upper()}": f'["{value}"]' if name == "api_keys" else value for name in names}


@pytest.mark.parametrize(("api", "own"), OWN, ids=lambda value: getattr(value, "name", None) or value[-1])
def test_with_a_misspelt_variable_no_credential_is_left_and_nothing_is_requested(
    sandbox: Sandbox, tmp_path: Path, api: Api, own: tuple[str, ...]
) -> None:
    prefix = api.tap.name.upper().replace("-", "_")
    project = Project(api, sandbox, tmp_path)
    config = refusals(api) | {name: f"${prefix}__SALES_{name.upper()}" for name in own}
    name = f"{api.tap.name}--sales"
    extractor = {"name": name, "inherit_from": api.tap.name, "config": config}
    YAML().dump({"plugins": {"extractors": [extractor]}}, tmp_path / "accounts.meltano.yml")
    environment = {"MELTANO_ENVIRONMENT": "prod", f"{prefix}__SALES_ACCOUNTS": '{"x": "y"}'}
    environment |= variables(prefix, PARENT[api.name], "of-the-parent") | variables(f"{prefix}__SALE", own, "its-own")

    given = project.meltano("invoke", "--no-install", "--dump=config", name, environment=environment)

    config = json.loads(given.stdout)
    kept = {name for name in PARENT[api.name] if config.get(name)}
    assert kept <= {"client_id", "client_secret", "token_file"}
    with pytest.raises(SettingsError, match=r"^(Setting `api_key` is missing|OAuth needs)"):
        api.tap(config=config)


def test_the_page_s_example_ends_as_the_page_says(accounts: Accounts) -> None:
    key = accounts.environment.pop("TAP_CALENDLY__SALES_API_KEY")
    accounts.environment |= {"TAP_CALENDLY__SALE_API_KEY": key, "TAP_CALENDLY_API_KEY": key}

    run = accounts.run("tap-calendly--sales", "target-duckdb")

    assert run.returncode == 1
    assert block("log", "Setting").strip() in run.stderr
    assert list(accounts.sandboxes["sales"].requests) == []


@pytest.mark.long
def test_what_is_not_refused_is_inherited_and_not_a_row_of_that_account_is_loaded(accounts: Accounts) -> None:
    accounts.environment.pop("TAP_CALENDLY__SALES_API_KEY")
    text = accounts.file.read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if "auth_token" not in line and "refresh_token" not in line]
    accounts.file.write_text("\n".join(kept), encoding="utf-8")
    accounts.environment |= {
        "TAP_CALENDLY_AUTH_TOKEN": CALENDLY.key,
        "TAP_CALENDLY__SALES_API_URL": accounts.sandboxes["support"].calendly.api_url,
    }

    run = accounts.run("tap-calendly--sales", "target-duckdb")

    assert run.returncode == 1
    assert block("log", "The key belongs to another account than the setting").strip() in run.stderr
    assert accounts.rows("sales") == {}
    assert {request.path for request in accounts.sandboxes["support"].requests} <= {
        "/users/me",
        "/organization_memberships",
    }


@pytest.mark.long
@pytest.mark.parametrize("api", APIS, ids=lambda api: api.name)
def test_an_extractor_with_a_schema_of_its_own_says_whose_it_is_before_anything_is_requested(
    sandbox: Sandbox, tmp_path: Path, api: Api
) -> None:
    name, schema = f"{api.tap.name}--sales", f"{api.tap.name.replace('-', '_')}__sales"
    project = Project(api, sandbox, tmp_path)
    inherits = {"name": name, "inherit_from": api.tap.name}
    YAML().dump({"plugins": {"extractors": [inherits]}}, tmp_path / "accounts.meltano.yml")
    prefix = api.tap.name.upper().replace("-", "_")
    environment = {
        "MELTANO_ENVIRONMENT": "prod",
        f"{prefix}_API_KEY": api.key,
        f"{prefix}_API_URL": f"{sandbox.url}/{api.name}",
        # Another schema's, which is inherited.
        f"{prefix}_ACCOUNTS": json.dumps({api.tap.name.replace("-", "_"): "*"}),
    }

    run = project.meltano("invoke", "--no-install", name, environment=environment)

    assert run.returncode == 1
    assert f"`{name}` inherits all settings that it does not set, keys included" in run.stderr
    assert f"Set `accounts` to {{`{schema}`: …}}" in run.stderr
    assert list(sandbox.requests) == []


def name_of(api: Api, sandbox: Sandbox) -> str:
    """The name of an account, as `accounts` has it."""
    match api.name:
        case "calendly":
            return organization(sandbox).rpartition("/")[2]
        case "oncehub":
            return str(sandbox.world.seats["owner"].email).upper()
        case "luma":
            return str(sandbox.truth("luma", "calendar")[0]["id"])
    return str(sandbox.truth("savvycal", "current_user")[0]["id"])


@pytest.fixture
def two(serve: Callable[..., Sandbox], api: Api, clock: VirtualClock) -> tuple[Runner, Runner, str]:
    """Runs of one account and of another, and the name of the first."""
    one, other = (serve(seed=seed) for seed in (3, 4))
    other.world.seats["owner"].email = "somebody@else.example"
    return runner_of(api, one, clock), runner_of(api, other, clock), name_of(api, one)


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.name)
def test_the_account_that_is_named_is_read_and_of_another_nothing(two: tuple[Runner, Runner, str]) -> None:
    one, other, name = two
    accounts: dict[str, Any] = {"accounts": {"any": f"somebody, {name}"}}
    one.sync(**accounts)
    assert one.warehouse.rows

    with pytest.raises(SettingsError, match="another account than the setting `accounts` names") as refused:
        other.sync(**accounts)
    assert name.casefold() not in str(refused.value).casefold()
    assert other.warehouse.rows == {}
    assert other.warehouse.state is None
    other.sync(accounts={"any": "*"})
    assert other.warehouse.rows


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.name)
def test_a_key_of_another_account_does_not_go_on_from_a_state(two: tuple[Runner, Runner, str]) -> None:
    one, other, _ = two
    one.sync()
    other.warehouse.state = before = deepcopy(one.warehouse.state)

    with pytest.raises(SettingsError) as refused:
        other.sync()

    assert str(refused.value) == block("log", "The key belongs to another account than the state").strip()
    assert other.warehouse.rows == {}
    assert other.warehouse.state == before
    other.forget()
    other.sync()
    assert other.warehouse.rows


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.name)
def test_what_the_test_of_a_key_says_of_its_account_can_be_named(two: tuple[Runner, Runner, str]) -> None:
    one, _, _ = two
    said: list[str] = []
    with pytest.raises(SettingsError, match="`accounts`"):
        check_streams(one.build(accounts={"any": "nobody"}), said.append)
    [line] = said
    found = re.findall(r"[\w.+-]+@[\w.-]+\w|https://[^\s;]+|(?:cal-|user_)\w+", line)
    one.sync(accounts={"any": found[0]})
    assert one.warehouse.rows


@pytest.mark.parametrize(
    ("schema", "extractor", "accounts", "names"),
    [
        (None, None, {}, None),
        (None, None, {"a": "X", "b": "Y"}, {"x", "y"}),
        ("tap_calendly", "tap-calendly", {}, None),
        ("raw", "tap-calendly", {}, None),
        ("tap_calendly", "tap-calendly--in-full", {}, None),
        ("tap_calendly", "tap-calendly", {"tap_calendly": "X"}, {"x"}),
        ("tap_calendly__a", "tap-calendly--a", {"tap_calendly__a": " https://x/Y/ , Z"}, {"y", "z"}),
        ("tap_calendly__a", "tap-calendly--a-in-full", {"tap_calendly__a": "*"}, None),
        ("tap_calendly__a", "tap-calendly--a", {"tap_calendly": "*"}, "refused"),
        ("tap_calendly__a", "tap-calendly--a", {"tap_calendly__a": " , "}, "refused"),
        ("tap_calendly", "tap-calendly", {"tap_calendly": ""}, "refused"),
        (None, None, {"any": ""}, "refused"),
        (None, "tap-calendly--a", {"tap_calendly__a": "X"}, "refused"),
        ("tap_calendly__a", "tap-calendly--a", {}, "refused"),
    ],
)
def test_an_account_is_named_for_a_schema(
    schema: str | None, extractor: str | None, accounts: dict[str, str], names: Any
) -> None:
    variables = {"MELTANO_EXTRACT__LOAD_SCHEMA": schema, "MELTANO_EXTRACTOR_NAME": extractor}
    environment = {name: text for name, text in variables.items() if text}
    if names == "refused":
        with pytest.raises(SettingsError, match=r"^Extractor `tap-calendly--a` inherits|^Setting `accounts` names no"):
            allowed_accounts({"accounts": accounts}, environment, "tap-calendly", "its id")
    else:
        assert allowed_accounts({"accounts": accounts}, environment, "tap-calendly", "its id") == names


@pytest.mark.long
def test_the_sandbox_s_key_and_one_s_own_are_not_chosen_between(sandbox: Sandbox, tmp_path: Path) -> None:
    project = Project(CALENDLY, sandbox, tmp_path)
    environment = {"MELTANO_ENVIRONMENT": "sandbox", "TAP_CALENDLY_AUTH_TOKEN": "mine"}

    run = project.meltano("invoke", "--no-install", "tap-calendly", environment=environment)

    assert run.returncode == 1
    assert "Settings `auth_token` and `api_key` have different credentials" in run.stderr
    assert "mine" not in run.stderr


def test_an_organization_that_is_set_refuses_the_key_of_another(
    serve: Callable[..., Sandbox], sandbox: Sandbox, calendly: Runner, clock: VirtualClock
) -> None:
    calendly.sync(organization_uri=organization(sandbox))
    Judge(CALENDLY, sandbox).check(calendly)

    other = runner_of(CALENDLY, serve(seed=8), clock)
    with pytest.raises(SettingsError, match="cannot read the organization in the settings"):
        other.sync(organization_uri=organization(sandbox))
    assert other.warehouse.rows == {}


@pytest.mark.parametrize("name", ["organization_uri", "user_uri"])
def test_no_setting_leads_from_a_user_who_is_named_to_another_account(
    calendly: Runner, sandbox: Sandbox, name: str
) -> None:
    [me] = sandbox.truth("calendly", "api_user")
    colleague = next(
        row["user"]["uri"]
        for row in sandbox.truth("calendly", "organization_memberships")
        if row["user"]["uri"] != me["uri"]
    )
    uri = {"organization_uri": "https://api.calendly.com/organizations/OTHER", "user_uri": colleague}[name]
    config: dict[str, Any] = {"scope": "user", name: uri}

    with pytest.raises(SettingsError, match=f"Setting `{name}` leads to another account"):
        calendly.sync(accounts={"any": me["email"]}, **config)
    assert {requested.path for requested in sandbox.requests} == {"/users/me"}
    assert calendly.warehouse.rows == {}

    also = {"organization_uri": me["current_organization"], "user_uri": uri}[name]
    calendly.sync(accounts={"any": f"{me['email']}, {also}"}, **(config | {name: also}))
    assert calendly.warehouse.rows


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
