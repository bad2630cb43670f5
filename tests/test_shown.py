"""Output for people: help, colours, and a tap's test through Meltano."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pty
import re
import subprocess
from asyncio import create_subprocess_exec
from contextlib import nullcontext, suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from meltano.core.plugin_test_service import ExtractorTestService

import demo
from api import settings
from commands import BIN, run
from savvycal_api import SAVVYCAL

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from pathlib import Path

    from api import Api
    from sandbox import Sandbox


pytestmark = pytest.mark.long


def test_help_explains_the_commands_in_their_order_the_settings_that_one_needs_and_the_exit_codes(api: Api) -> None:
    outcome = run(api.tap.name, "--help")

    assert (outcome.code, outcome.err) == (0, "")
    assert max(map(len, outcome.out.splitlines())) <= 80
    told = " ".join(outcome.out.split())
    commands = ("--about", "--config FILE --test", "--discover > catalog.json", "--config FILE Sync;")
    places = [told.index(f"{api.tap.name} {command}") for command in commands]
    assert places == sorted(places)
    for name in api.tap.key_settings:
        assert f" {name} {api.tap.config_jsonschema['properties'][name]['description']} " in told
    assert f"--config=ENV reads the environment ({api.tap.env_prefix()}API_KEY and so on)" in told
    for part in ("Exit codes:", "Documentation:", f"{api.tap.name}/README.md"):
        assert part in told
    for option in ("--config", "--state", "--catalog", "--discover", "--about", "--test", "--version", "--format"):
        assert re.search(rf"^  {option} ", outcome.out, re.MULTILINE)


def test_the_example_of_the_help_runs_as_it_is_printed(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.savvycal.requests_per_minute = 60_000
    lines = run("tap-scheduler", "--help").out.partition("bash or zsh:\n")[2].partition("\n\n")[0].splitlines()
    environment = {
        "PATH": f"{BIN}:/usr/bin:/bin",
        "TAP_SCHEDULER_API_URL": f"{sandbox.url}/savvycal",
        "TAP_SCHEDULER_REQUESTS_PER_MINUTE": "60000",
    }

    shell = ["bash", "-e", "-c", "\n".join(lines)]
    done = subprocess.run(
        shell, input="sandbox-admin\n", env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert "The key works: " in done.stdout
    *_, last = (tmp_path / "messages.jsonl").read_text().splitlines()
    assert json.loads(last)["type"] == "STATE"


def test_nothing_is_coloured_on_a_terminal_not_even_where_that_is_requested(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(settings(SAVVYCAL, sandbox)))
    for command, *arguments in (
        ("tap-scheduler", f"--config={tmp_path / 'config.json'}", "--test"),
        ("target-duckdb", "--config=missing.json"),
        ("sandbox", "serve", "--help"),
    ):
        shown = on_a_terminal(command, *arguments)
        assert command in shown or "The key works" in shown
        assert "\x1b" not in shown
        assert "as child stream" not in shown


def test_the_sdk_s_talk_while_a_tap_is_made_comes_only_where_everything_is_wanted(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    told = []
    for level in (logging.INFO, logging.DEBUG):
        caplog.clear()
        with caplog.at_level(level, logger=api.tap.name):
            tap = api.tap(config={}, validate_config=False)
            assert tap.streams
            assert tap.logger.level == level
        told.append([record.getMessage() for record in caplog.records if record.levelno == logging.INFO])

    assert told[0] == []
    assert any("as child stream" in message for message in told[1])


def test_about_tells_of_each_setting_its_default_its_variable_what_it_is_and_whether_it_is_secret(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    api.tap.print_about()
    shown = capsys.readouterr().out

    assert max(len(line) for line in shown.splitlines()) <= 80
    parts = {part.partition(" (")[0]: " ".join(part.split()) for part in shown.split("\n\n")}
    for name, setting in api.tap.config_jsonschema["properties"].items():
        title, _, description = parts[name].partition(f") {api.tap.env_prefix()}{name.upper()} ")
        assert description == " ".join(setting["description"].split())
        assert ("; secret" in title) is bool(setting.get("secret"))
        default = setting.get("default")
        written = default if isinstance(default, str) else json.dumps(default)
        assert title.partition("; default ")[2] == ("" if default is None else written)


def on_a_terminal(command: str, *arguments: str) -> str:
    """Return the output of a command on a terminal that wants colours."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
    with subprocess.Popen([BIN / command, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=environment):
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # its end
            while part := os.read(ours, 1 << 16):
                shown += part
    os.close(ours)
    return shown.decode()


@pytest.mark.parametrize("name", ["NO_COLOR", "FORCE_COLOR"])
def test_the_demo_shows_colours_but_not_where_no_color_says_so(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], sandbox: Sandbox
) -> None:
    for variable in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv(name, "1")
    monkeypatch.setattr(demo, "sandbox", lambda _now: nullcontext(sandbox.url))
    monkeypatch.setattr(demo, "load", lambda _url, **_: 7)

    assert demo.main() == 7
    shown = capsys.readouterr().out
    assert "exit code" in shown
    assert bool(re.search(r"\x1b\[[\d;]*(3|9)\dm", shown)) is (name == "FORCE_COLOR")


STRUCTURED = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"singer": {"()": "singer_sdk.logging.StructuredFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "singer", "stream": "ext://sys.stderr"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
"""Configuration with which Meltano has the SDK log."""


@pytest.mark.parametrize(
    ("key", "valid", "shown"),
    [
        ("sandbox-admin", True, None),
        (
            "wrong",
            False,
            (
                "SavvyCal does not accept the key: it is wrong, expired or revoked, or `api_url` is not SavvyCal's. "
                f"For a new one, {SAVVYCAL.tap.key_hint}"
            ),
        ),
    ],
)
def test_meltano_config_test_takes_a_good_key_and_shows_the_sentence_about_a_bad_one(
    key: str, valid: object, shown: str | None, sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(settings(SAVVYCAL, sandbox) | {"api_key": key}))
    (tmp_path / "log.json").write_text(json.dumps(STRUCTURED))
    environment = os.environ | {"SINGER_SDK_LOG_CONFIG": str(tmp_path / "log.json")}

    async def invoke(**how: Any) -> Process:
        command = [str(BIN / "tap-scheduler"), f"--config={tmp_path / 'config.json'}"]
        return await create_subprocess_exec(*command, env=environment, **how)

    # Meltano's own code, without its project and its preparations.
    invoker: Any = SimpleNamespace(plugin=SimpleNamespace(name="tap-scheduler"), invoke_async=invoke)
    found, detail = asyncio.run(ExtractorTestService(invoker).validate(limit=1 << 20))

    assert found is valid
    if shown:
        assert detail == shown


def test_a_module_runs_as_the_command_does(api: Api) -> None:
    helped = run("python", "-m", api.tap.__module__.partition(".")[0], "--help").out

    assert "Typical workflow:" in helped
