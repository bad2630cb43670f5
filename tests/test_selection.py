"""Meltano's commands change only what they say, and select what they seem to."""

from __future__ import annotations

import difflib
import json
import re
import shlex
from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from meltano.core.plugin.singer.catalog import (
    MetadataExecutor,
    select_filter_metadata_rules,
    select_metadata_rules,
)

import meltano_settings
from calendly_api import CALENDLY
from loaded import ROOT, Project
from sandbox import Sandbox
from tap_common.cli.selection import current_selection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

pytestmark = pytest.mark.long

PROD = {"MELTANO_ENVIRONMENT": "prod"}
ON = {kind.name for kind in CALENDLY.tap.stream_types if kind.selected_by_default}
ALL = set(CALENDLY.all_streams())
GUIDES = ROOT / "docs" / "guides"
PAGE = (GUIDES / "streams.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A copy of the project, with every file of its own that Meltano reads beside meltano.yml."""
    with Sandbox(scale="tiny") as sandbox:
        project = Project(CALENDLY, sandbox, tmp_path_factory.mktemp("project"))
        for path in (ROOT / "stream-maps").glob("*.meltano.yml"):
            (project.folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
        for page in ("several-accounts", "loaders"):
            text = (GUIDES / f"{page}.md").read_text(encoding="utf-8")
            for place, block in enumerate(re.findall(r"```yaml\n(plugins:.*?)```", text, re.DOTALL)):
                (project.folder / f"{page}-{place}.meltano.yml").write_text(block, encoding="utf-8")
        yield project


@pytest.fixture
def project(copy: Project) -> Project:
    """The copy, as it came."""
    # Where plugins come from is part of what Meltano knows an installed one by.
    text = meltano_settings.MELTANO.read_text(encoding="utf-8")
    (copy.folder / "meltano.yml").write_text(text.replace("${MELTANO_PROJECT_ROOT}", str(ROOT)), encoding="utf-8")
    return copy


def files(project: Project) -> dict[Path, list[str]]:
    """The lines of each of the project's files."""
    return {path: path.read_text(encoding="utf-8").splitlines() for path in project.folder.glob("*meltano.yml")}


@pytest.mark.parametrize(
    ("command", "changed"),
    [
        ("--environment=prod select tap-calendly contact_notes '*'", ["+        - contact_notes.*"]),
        ("select tap-calendly --exclude contacts '*'", ["+    - '!contacts.*'"]),
        ("config set target-duckdb hard_delete true", ["+      hard_delete: true"]),
        (
            "--environment=prod config set tap-luma start_date 2026-01-01",
            ["+        config:", "+          start_date: '2026-01-01'"],
        ),
        (
            "add --no-install --plugin-type=extractor tap-luma--other --inherit-from=tap-luma",
            ["+  - name: tap-luma--other", "+    inherit_from: tap-luma"],
        ),
        (
            "schedule add hourly --job=all-to-duckdb --interval=@hourly",
            ["+- name: hourly", "+  interval: '@hourly'", "+  job: all-to-duckdb"],
        ),
    ],
)
def test_a_command_changes_no_line_but_those_that_it_is_about(
    project: Project, command: str, changed: list[str]
) -> None:
    before = files(project)
    done = project.meltano(*shlex.split(command))
    after = files(project)

    assert done.returncode == 0, done.stderr
    assert len(before) >= 5
    differing = [path.name for path in before if before[path] != after[path]]
    assert differing == ["meltano.yml"], differing
    file = project.folder / "meltano.yml"
    lines = list(difflib.unified_diff(before[file], after[file], n=0, lineterm=""))[2:]
    assert [line for line in lines if not line.startswith("@@")] == changed


DOCUMENTED = [
    "select tap-calendly contact_notes '*'",
    "select tap-calendly --exclude contacts '*'",
    "select tap-calendly --rm teams '*'",
    "select tap-calendly --exclude groups member_count",
    "select tap-calendly --list",
]
"""The commands of the page."""


def selected(project: Project, environment: Mapping[str, str]) -> tuple[set[str], set[str]]:
    """Return the streams that Meltano selects, and their columns that are off."""
    done = project.meltano("select", "tap-calendly", "--list", "--json", "--all", environment=environment)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["streams"]
    on = {row["stream"] for row in rows if row["selection"] == "selected"}
    off = {
        f"{row['stream']}.{row['property']}" for row in rows if row["selection"] == "excluded" and row["stream"] in on
    }
    return on, off


def test_the_documented_commands_select_what_the_page_says(project: Project) -> None:
    assert re.findall(r"^\.venv/bin/meltano (select .*?) *#", PAGE, re.MULTILINE) == DOCUMENTED

    for command in DOCUMENTED[:-1]:
        done = project.meltano(*shlex.split(command), environment=PROD)
        assert done.returncode == 0, done.stderr

    assert selected(project, PROD) == ((ON | {"contact_notes"}) - {"contacts", "teams"}, {"groups.member_count"})


def test_without_an_environment_a_command_selects_for_the_sandbox_and_a_variable_for_one_run_alone(
    project: Project,
) -> None:
    done = project.meltano("select", "tap-calendly", "contact_notes", "*")
    sandbox = {"MELTANO_ENVIRONMENT": "sandbox"}

    assert done.returncode == 0, done.stderr
    assert selected(project, sandbox) == (ON | {"contact_notes"}, set())
    assert selected(project, sandbox | {"TAP_CALENDLY__SELECT": '["contact_notes.*"]'}) == ({"contact_notes"}, set())


def test_a_test_goes_by_what_is_selected_now_and_says_that_meltano_s_catalog_is_older(project: Project) -> None:
    ours = PROD | {
        "TAP_CALENDLY_API_KEY": CALENDLY.key,
        "TAP_CALENDLY_API_URL": project.sandbox.calendly.api_url,
    }
    selected(project, ours)  # which leaves a catalog
    unchanged = project.meltano("invoke", "tap-calendly", "--test", environment=ours)
    ours["TAP_CALENDLY__SELECT"] = json.dumps([f"{name}.*" for name in (ON | {"contact_notes"}) - {"contacts"}])
    changed = project.meltano("invoke", "tap-calendly", "--test", environment=ours)

    assert (unchanged.returncode, changed.returncode) == (0, 0), changed.stderr
    assert "older selection" not in unchanged.stderr
    assert "has the selection of the last run" in changed.stderr
    assert "with `contact_notes` now on and `contacts` now off." in changed.stderr
    assert "what people wrote or said: `contact_notes`." in changed.stderr
    off = set(re.findall(r"^  (\w+) +off ", changed.stdout, re.MULTILINE))
    assert off == (ALL - ON - {"contact_notes"}) | {"contacts"}


POOL = ["*.*", "users.*", "us*.id", "teams", "!teams.*", "!users.name", "!*s.*", "!t*"]


def of_meltano(chosen: list[str], filters: list[str]) -> set[str]:
    """The streams that Meltano's own rules select."""
    names = ("users", "teams", "log")
    catalog = {
        "streams": [
            {
                "tap_stream_id": name,
                "schema": {"properties": {"id": {}, "name": {}}},
                "metadata": [{"breadcrumb": [], "metadata": {}}],
            }
            for name in names
        ]
    }
    rules = select_metadata_rules(["!*.*"]) + select_metadata_rules(chosen) + select_filter_metadata_rules(filters)
    visit: Callable[[object], None] = MetadataExecutor(rules).visit  # type: ignore[attr-defined]  # a decorator's
    visit(catalog)
    found = set()
    for stream in catalog["streams"]:
        [root] = [one["metadata"] for one in stream["metadata"] if one["breadcrumb"] == []]  # type: ignore[index]
        if root.get("selected"):
            found.add(stream["tap_stream_id"])
    return found  # type: ignore[return-value]


def test_the_tap_reads_patterns_as_meltano_does() -> None:
    for chosen in [list(some) for count in (1, 2, 3) for some in permutations(POOL, count)]:
        for filters in ([], ["users"], ["!t*"]):
            environment = {
                "MELTANO_EXTRACT__SELECT": json.dumps(chosen),
                "MELTANO_EXTRACT__SELECT_FILTER": json.dumps(filters),
            }
            found = current_selection(["users", "teams", "log"], environment)
            assert found == of_meltano(chosen, filters), (chosen, filters)
