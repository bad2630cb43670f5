"""Every way to install that the page names, in an empty home, as it is printed there; and what is in the packages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from ruamel.yaml import YAML

import hub
from api import settings
from apis import APIS
from calendly_api import CALENDLY
from commands import BIN
from newcomer import ROOT, newcomer, published
from sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from api import Api
    from newcomer import Newcomer

pytestmark = pytest.mark.long

PACKAGES = ["tap-common", *(api.tap.name for api in APIS), "target-duckdb"]
COMMANDS = PACKAGES[1:]
PAGE = (ROOT / "docs" / "start" / "install.md").read_text(encoding="utf-8")
BLOCKS: list[str] = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
ROWS = {
    "uv": "uv sync",
    "tool": "uv tool install",
    "once": "uvx",
    "meltano": "meltano add",
    "folders": "pip install ./",
    "address": 'pip install "git+',
    "wheels": "uv pip install",
    "offline": "pip download",
}
"""Beginnings by which the blocks of the page are told apart."""
PYTHONS = dict(zip(("3.11", "3.12", "3.13", "3.14", "3.15"), cycle(APIS), strict=False))
"""Each Python from the oldest that is supported on, and the API that is read with it."""
DISCOVER = """
import contextlib, io, json, sys
from importlib.metadata import entry_points
for command in sys.argv[1:]:
    (found,) = entry_points(group="console_scripts", name=command)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        found.load().main(["--discover"], standalone_mode=False)
    print(command, len(json.loads(out.getvalue())["streams"]))
"""
OFFLINE = "http://127.0.0.1:9"  # nobody listens there


def row(name: str) -> str:
    """The block of the page that installs in one of the ways."""
    [found] = [block for block in BLOCKS if ROWS[name] in block]
    return found


def project(folder: Path) -> dict[str, Any]:
    """Return the metadata of a package."""
    return dict(tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"])


def version(command: str) -> str:
    """Return the output of `--version`."""
    return f"{command} v{project(ROOT / command)['version']}, "


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The work tree, as a repository."""
    return published(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def arrive(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Newcomer]:
    """Somebody new for each call."""
    return lambda: newcomer(tmp_path_factory.mktemp("a newcomer"), repository)


@pytest.fixture(scope="module")
def built(arrive: Callable[[], Newcomer]) -> tuple[Newcomer, Path]:
    """Newcomer who has typed the block about wheels, and the clone that holds the wheels."""
    somebody = arrive()
    clone = somebody.clone()
    assert version("tap-calendly") in somebody.types(row("wheels")).out
    return somebody, clone


@pytest.fixture(scope="module")
def artifacts(built: tuple[Newcomer, Path]) -> dict[str, dict[str, bytes]]:
    """The files in each wheel and sdist, without the folder that all of an sdist is in."""
    found: dict[str, dict[str, bytes]] = {}
    for path in sorted((built[1] / "dist").iterdir()):
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel:
                found[path.name] = {name: wheel.read(name) for name in wheel.namelist()}
        else:
            with tarfile.open(path) as sdist:
                files = {member.name: sdist.extractfile(member) for member in sdist.getmembers() if member.isfile()}
                found[path.name] = {name.partition("/")[2]: file.read() for name, file in files.items() if file}
    return found


@pytest.fixture
def plenty() -> Iterator[Sandbox]:
    """A sandbox without limits, in the machine's own time."""
    with Sandbox(scale="tiny") as served:
        for api in APIS:
            getattr(served, api.name).requests_per_minute = 1_000_000
        yield served


def truth(api: Api, sandbox: Sandbox, stream: str) -> set[tuple[Any, ...]]:
    """The keys of what the source has of a stream."""
    return {
        tuple(thing[key] for key in api.keys(stream)) for thing in api.table(stream, sandbox.truth(api.name, stream))
    }


def test_every_block_of_the_page_is_tried_and_no_other_place_is_named() -> None:
    assert sorted(row(name) for name in ROWS) == sorted(BLOCKS)
    assert PAGE.count("git.example.com") == PAGE.count(hub.address()) > 0


def test_the_address_of_the_repository_is_the_same_wherever_it_stands() -> None:
    for folder in PACKAGES:
        urls = project(ROOT / folder)["urls"]
        assert (urls["Repository"], urls["Issues"]) == (hub.address(), f"{hub.address()}/issues")


def test_the_licence_of_each_package_is_the_repository_s() -> None:
    for folder in PACKAGES:
        assert (ROOT / folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes(), folder


def test_uv_alone_installs_the_repository(arrive: Callable[[], Newcomer]) -> None:
    somebody = arrive()

    assert version("tap-calendly") in somebody.types(row("uv")).out
    for command in (*COMMANDS, "meltano", "sandbox"):
        assert (somebody.folder / "scheduling-taps" / ".venv" / "bin" / command).exists()


def test_a_tap_that_uv_installs_from_the_address_reads_its_api(arrive: Callable[[], Newcomer], plenty: Sandbox) -> None:
    somebody = arrive()
    typed = somebody.types(row("tool"))
    (somebody.folder / "config.json").write_text(json.dumps(settings(CALENDLY, plenty)))
    read = somebody.types("tap-calendly --config config.json")
    messages = [json.loads(line) for line in read.out.splitlines()]

    assert version("tap-calendly") in typed.out
    # Not PyPI's, whoever's that may be.
    assert f"scheduling-tap-common=={project(ROOT / 'tap-common')['version']} (from git+{hub.address()}@" in typed.err
    for stream in CALENDLY.default_streams():
        rows = [one["record"] for one in messages if one["type"] == "RECORD" and one["stream"] == stream]
        assert truth(CALENDLY, plenty, stream) <= {tuple(row[key] for key in CALENDLY.keys(stream)) for row in rows}


def test_a_tap_runs_from_the_address_without_being_installed(arrive: Callable[[], Newcomer]) -> None:
    somebody = arrive()

    assert version("tap-luma") in somebody.types(row("once")).out
    assert not (Path(somebody.environment["HOME"]) / ".local" / "bin").exists()


def test_meltano_installs_from_the_definitions_and_loads(arrive: Callable[[], Newcomer], plenty: Sandbox) -> None:
    somebody = arrive()
    somebody.clone()
    assert version("tap-calendly") in somebody.types(row("meltano")).out
    somebody.types(
        f"cd my-project; export TAP_CALENDLY_API_KEY={CALENDLY.key} TAP_CALENDLY_API_URL={plenty.url}/calendly; "
        "export TAP_CALENDLY_REQUESTS_PER_MINUTE=1000000 TAP_CALENDLY__SELECT='[\"groups.*\"]'; "
        "meltano run tap-calendly target-duckdb"
    )

    with duckdb.connect(somebody.folder / "my-project" / "output" / "warehouse.duckdb", read_only=True) as warehouse:
        rows = warehouse.execute("select uri from tap_calendly.groups").fetchall()
    assert set(rows) == truth(CALENDLY, plenty, "groups")


@pytest.mark.parametrize("way", ["folders", pytest.param("address", marks=pytest.mark.soak)])  # 15 s each
def test_pip_installs_a_tap_that_is_named_with_tap_common(way: str, arrive: Callable[[], Newcomer]) -> None:
    somebody = arrive()
    somebody.clone()

    assert version("tap-calendly") in somebody.types(row(way)).out


@pytest.mark.soak  # more than a minute
def test_pip_installs_from_a_folder_without_a_network(arrive: Callable[[], Newcomer]) -> None:
    somebody = arrive()
    somebody.clone()
    online, begin, offline = row("offline").partition("python3 -m venv")
    somebody.types(online)

    assert (
        version("tap-calendly")
        in somebody.types(
            f"export http_proxy={OFFLINE} https_proxy={OFFLINE}; cd scheduling-taps; {begin}{offline}"
        ).out
    )


def test_every_definition_s_pip_url_installs_its_command(arrive: Callable[[], Newcomer]) -> None:
    somebody = arrive()
    definitions = [YAML(typ="safe").load(text) for text in hub.pages().values()]
    somebody.types(f"uv venv taps; uv pip install --python taps {' '.join(one['pip_url'] for one in definitions)}")

    assert sorted(one["executable"] for one in definitions) == sorted(COMMANDS)
    for command in COMMANDS:
        assert (somebody.folder / "taps" / "bin" / command).exists()


def test_there_is_a_wheel_and_an_sdist_of_each_package(artifacts: dict[str, dict[str, bytes]]) -> None:
    names = {
        f"{project(ROOT / folder)['name'].replace('-', '_')}-{project(ROOT / folder)['version']}" for folder in PACKAGES
    }

    assert artifacts.keys() == {name + kind for name in names for kind in ("-py3-none-any.whl", ".tar.gz")}


def test_packages_hold_their_licence_types_and_schemas_and_no_tests(artifacts: dict[str, dict[str, bytes]]) -> None:
    tree = {path.name: sorted(one.name for one in path.glob("schemas/*.json")) for path in ROOT.glob("*/src/*")}
    for name, files in artifacts.items():
        modules = {path.rpartition("/")[0].rpartition("/")[2] for path in files if path.endswith("py.typed")}
        [module] = modules
        assert sorted(Path(path).name for path in files if path.endswith(".json")) == tree[module], name
        assert [text for path, text in files.items() if path.endswith("LICENSE")] == [(ROOT / "LICENSE").read_bytes()]
        assert not [path for path in files if "test" in path], name


def test_nothing_of_the_building_machine_is_in_a_package(
    artifacts: dict[str, dict[str, bytes]], built: tuple[Newcomer, Path]
) -> None:
    somebody, clone = built
    places = [str(place).encode() for place in (clone.resolve(), somebody.environment["HOME"], ROOT, Path.home())]
    for name, files in artifacts.items():
        for path, content in files.items():
            assert not [place for place in places if place in content], f"{name}: {path}"


def test_the_tree_and_the_sdist_give_the_same_wheel(built: tuple[Newcomer, Path]) -> None:
    somebody, clone = built  # `uv build` makes the wheel of the sdist
    somebody.types(
        "cd scheduling-taps; uv venv -q builder; uv pip install -q --python builder hatchling; "
        f"for package in {' '.join(PACKAGES)}; do "
        "uv build -q --wheel --no-build-isolation --python builder --out-dir tree $package; done"
    )
    wheels = sorted((clone / "dist").glob("*.whl"))

    assert len(wheels) == len(PACKAGES)
    assert [(clone / "tree" / wheel.name).read_bytes() == wheel.read_bytes() for wheel in wheels] == [True] * len(
        wheels
    )


def python(minor: str) -> str:
    """The newest interpreter of this machine of a version, or a skip."""
    command = [str(BIN / "uv"), "python", "list", "--only-installed", "--no-python-downloads", "--output-format=json"]
    # Beside the one that runs: where pyenv and the like keep them.
    shelves = ":".join(map(str, sorted(Path(sys.base_prefix).parent.glob("*/bin"))))
    listed = subprocess.run(
        command, env={"PATH": f"{shelves}:/usr/local/bin:/usr/bin:/bin"}, capture_output=True, text=True, check=True
    )
    fitting = [one for one in json.loads(listed.stdout) if one["version"].startswith(f"{minor}.")]
    if not fitting:
        pytest.skip(f"this machine has no Python {minor}")
    newest = max(fitting, key=lambda one: [int(part) for part in one["version"].split(".") if part.isdecimal()])
    return str(newest["path"])


# The oldest and the newest each time; what lies between, where it takes minutes.
@pytest.mark.parametrize(
    "minor", [pytest.param(minor, marks=[pytest.mark.soak] if minor == "3.12" else []) for minor in PYTHONS]
)
def test_every_python_discovers_with_all_taps_and_loads(
    minor: str, built: tuple[Newcomer, Path], arrive: Callable[[], Newcomer], plenty: Sandbox
) -> None:
    interpreter, api, somebody = python(minor), PYTHONS[minor], arrive()
    tap, target = {"tap.json": settings(api, plenty)}, {"target.json": {"filepath": "rows.duckdb"}}
    for name, config in (tap | target).items():
        (somebody.folder / name).write_text(json.dumps(config))
    (somebody.folder / "discover.py").write_text(DISCOVER)
    done = somebody.types(
        f"uv venv -q --python {interpreter} taps; uv pip install -q --python taps '{built[1]}'/dist/*.whl; "
        f"taps/bin/python discover.py {' '.join(one.tap.name for one in APIS)}; "
        f"taps/bin/{api.tap.name} --config tap.json | taps/bin/target-duckdb --config target.json > states"
    )

    assert done.out.splitlines() == [f"{one.tap.name} {len(one.all_streams())}" for one in APIS]
    with duckdb.connect(somebody.folder / "rows.duckdb", read_only=True) as warehouse:
        for stream in api.default_streams():
            keys = ", ".join(f'"{key}"' for key in api.keys(stream))
            rows = warehouse.execute(f"select {keys} from main.{stream}").fetchall()  # noqa: S608 - the tap's names
            assert truth(api, plenty, stream) <= set(rows), stream


def test_only_pythons_that_are_tried_are_named() -> None:
    for folder in PACKAGES:
        named = [one.rpartition(" ")[2] for one in project(ROOT / folder)["classifiers"] if "Python :: 3." in one]
        assert set(named) <= PYTHONS.keys()
        assert f"Python {', '.join(named[:-1])} and {named[-1]} are tried" in PAGE
        assert named[0] == project(ROOT / folder)["requires-python"].removeprefix(">=")
    assert f"3.{sys.version_info.minor}" in PYTHONS
