"""Releases and what happens before: version, changelog, workflows, hooks before a commit."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
UV = ROOT / ".tools" / "bin" / "uv"
BUILT_IN = ("pygrep",)
"""Languages of hooks that are in pre-commit itself."""


def load(path: Path) -> Any:
    return YAML(typ="safe").load(path)


def jobs() -> Iterator[Any]:
    for path in WORKFLOWS:
        yield from load(path)["jobs"].values()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return the part of a text that states the version."""
    for path in [*ROOT.glob("pyproject.toml"), *ROOT.glob("*/pyproject.toml"), ROOT / "tools" / "version.py"]:
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(exist_ok=True)
        shutil.copy2(path, target)
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n\n- More.\n\n## 0.0.1 (2020-01-01)\n")
    return tmp_path


def said(*command: str | Path) -> tuple[int, str]:
    """The exit code of a command and what it says."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


def version(project: Path, *arguments: str) -> tuple[int, str]:
    """The same of the version's program."""
    return said(sys.executable, project / "tools" / "version.py", *arguments)


def test_a_new_version_stands_everywhere(project: Path) -> None:
    before = version(project)[1]
    texts = {path: path.read_text() for path in project.glob("**/pyproject.toml")}

    assert version(project, "9.8.7") == (0, "9.8.7")
    assert version(project) == (0, "9.8.7")
    for path, text in texts.items():
        stated = re.findall(r'^version = "(.+)"$|^  "scheduling-.+==(.+)",$', path.read_text(), re.MULTILINE)
        assert {one or other for one, other in stated} == {"9.8.7"}, path
        assert path.read_text().replace("9.8.7", before) == text, "nothing else has changed"
    assert f"\n## 9.8.7 ({datetime.now(UTC).date()})\n\n- More.\n" in (project / "CHANGELOG.md").read_text()


def test_a_tag_is_that_of_the_version_and_the_changelog_has_an_entry_for_it(project: Path) -> None:
    now = version(project)[1]

    assert "has no entry" in version(project, "--tag", f"v{now}")[1]
    version(project, "1.2.3")
    assert version(project, "--tag", "v1.2.3") == (0, "1.2.3")
    for wrong in ("v1.2.4", "1.2.3", "v1.2.3$(true)"):
        code, text = version(project, "--tag", wrong)
        assert (code, text.startswith(f"The tag is {wrong}")) == (1, True)


@pytest.mark.parametrize("wrong", ["1.2", "v1.2.3", "1.2.3.4", "next"])
def test_what_is_no_version_is_refused_and_nothing_changes(project: Path, wrong: str) -> None:
    before = version(project)

    code, text = version(project, wrong)

    assert (code, "is no version" in text) == (1, True)
    assert version(project) == before


def test_the_newest_entry_of_the_changelog_is_of_this_version_or_of_the_next() -> None:
    newest, *older = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert newest == "Unreleased" or newest.startswith(f"{version(ROOT)[1]} (")
    assert all(re.fullmatch(r"\d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\)", entry) for entry in older)


def test_every_step_of_a_workflow_is_a_target_of_make_or_an_action_pinned_by_its_hash() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    steps = [step for job in jobs() for step in job["steps"]]

    assert {step["run"].removeprefix("make ") for step in steps if "run" in step} <= targets
    for path in WORKFLOWS:
        used = re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))
        assert used
        assert [one for one in used if not re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)] == []


def test_workflows_may_do_as_little_as_possible_and_end() -> None:
    assert [load(path)["permissions"] for path in WORKFLOWS] == [{} for _ in WORKFLOWS]
    for job in jobs():
        assert job["timeout-minutes"] <= 60
        assert job["permissions"].keys() <= {"contents", "id-token"}
        assert job["permissions"]["contents"] == "read"
        assert "id-token" not in job["permissions"] or job["environment"] == "pypi"
        checkouts = [step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
        assert [step["with"]["persist-credentials"] for step in checkouts] == [False]


def test_the_tests_run_on_every_python_that_the_packages_name() -> None:
    [job] = load(ROOT / ".github" / "workflows" / "test.yml")["jobs"].values()
    named = re.findall(r'Python :: (3\.\d+)"', (ROOT / "tap-common" / "pyproject.toml").read_text(encoding="utf-8"))

    assert job["strategy"]["matrix"]["python"] == named
    assert [step["run"] for step in job["steps"] if "run" in step] == ["make demo", "make test", "make check"]


def test_zizmor_finds_nothing_in_the_workflows() -> None:
    alone = ("run", "-q", "--frozen", "--isolated", "--only-group", "check")
    code, text = said(UV, *alone, "zizmor", "--offline", "--pedantic", ".github")

    assert code == 0, text


def locked() -> dict[str, Any]:
    """Every package of uv.lock."""
    return {one["name"]: one for one in tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]}


def recipes() -> list[str]:
    """The commands of the Makefile, each in one line."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    return re.findall(r"^\t(.+)$", text, re.MULTILINE)


def test_everything_in_the_lock_is_pinned_by_hash() -> None:
    others = [one for one in locked().values() if "registry" in one["source"]]
    files = [file for one in others for file in [*one.get("wheels", ()), *filter(None, [one.get("sdist")])]]

    assert {"uv", "hatchling", "editables", "twine", "zizmor", "pip-audit"} <= {one["name"] for one in others}
    assert {file["hash"].partition(":")[0] for file in files} == {"sha256"}
    assert [
        one["name"] for one in locked().values() if not {"registry", "editable", "virtual"} & one["source"].keys()
    ] == []


def test_uv_is_that_of_the_lock_by_its_hashes() -> None:
    uv, text = locked()["uv"], (ROOT / "tools" / "uv.txt").read_text(encoding="utf-8")

    assert re.findall(r"^(\S+)==(\S+)", text, re.MULTILINE) == [("uv", uv["version"])]
    assert set(re.findall(r"--hash=(\S+)", text)) == {file["hash"] for file in [*uv["wheels"], uv["sdist"]]}


def test_no_target_fetches_or_builds_with_what_is_not_pinned_by_hash() -> None:
    commands = recipes()
    installs = [one for one in commands if "pip install" in one]
    builds = [one for one in commands if "$(UV) build" in one]

    assert installs
    assert all("--require-hashes -r tools/uv.txt" in one for one in installs)
    assert builds
    assert all("--build-constraints $(BUILD) --require-hashes" in one for one in builds)
    assert all(
        re.search("--frozen .*(--only-group build|--no-build-isolation)", one)
        for one in commands
        if "$(UV) sync" in one
    )
    assert all("UV_BUILD_CONSTRAINT=" in one for one in commands if re.search(r"meltano\b.* install", one))
    assert not [one for one in commands if "tool run" in one or "uvx" in one]
    # What `make check` runs the loader's tests with beside what is locked; nothing of it is published.
    assert [one for one in commands if "--with" in one] == [
        one for one in commands if "duckdb==$(OLDEST_DUCKDB)" in one
    ]


def test_a_package_is_not_built_with_another_hatchling_than_that_of_the_lock(tmp_path: Path) -> None:
    code, exported = said(UV, "export", "-q", "--frozen", "--only-group", "build", "--no-annotate", "--no-header")
    assert (code, "hatchling==" in exported) == (0, True)
    tampered = re.sub(r"sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", exported)
    (tmp_path / "build.txt").write_text(tampered)

    code, text = said(
        *(UV, "build", "--build-constraints", tmp_path / "build.txt", "--require-hashes"),
        *("--out-dir", tmp_path / "dist", ROOT / "tap-luma"),
    )

    assert code != 0
    assert "Hash mismatch" in text


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".env.prod",
        "tap-luma/.env.local",
        "warehouse.duckdb",
        "somewhere/warehouse.duckdb.wal",
        "tokens.json",
        "calendly-token.json.lock",
        "secrets/tokens.json.new",
        "output/rows.parquet",
        ".meltano/run/tap-luma/tap.config.json",
    ],
)
def test_git_takes_no_keys_tokens_or_rows(path: str) -> None:
    assert said("git", "check-ignore", "--no-index", "-q", path)[0] == 0


def test_git_takes_the_example_of_the_environment_and_the_lock() -> None:
    for path in (".env.example", "uv.lock", "constraints.txt"):
        assert said("git", "check-ignore", "--no-index", "-q", path)[0] == 1


def test_setup_says_that_others_can_read_the_keys(tmp_path: Path) -> None:
    [check] = [one for one in recipes() if "chmod 600 .env" in one]
    script = check.removeprefix("@").replace("$$", "$")

    def warning(mode: int | None) -> str:
        file = tmp_path / ".env"
        if mode is not None:
            file.touch()
            file.chmod(mode)
        done = subprocess.run(["sh", "-ec", script], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stderr

    assert [warning(mode) for mode in (None, 0o600, 0o400)] == [""] * 3
    assert ["chmod 600 .env" in warning(mode) for mode in (0o644, 0o640, 0o604)] == [True] * 3


def test_every_hook_before_a_commit_runs_what_is_installed_here() -> None:
    [local] = load(ROOT / ".pre-commit-config.yaml")["repos"]

    assert local["repo"] == "local"
    for hook in local["hooks"]:
        assert hook["language"] in ("system", *BUILT_IN)
        command, *_ = shlex.split(hook["entry"])
        assert hook["language"] in BUILT_IN or (ROOT / command).is_file(), hook["id"]


@pytest.mark.soak
def test_the_hooks_pass_on_every_file() -> None:
    code, text = said(UV, "tool", "run", "pre-commit@4.7.0", "run", "--all-files")

    assert code == 0, text
