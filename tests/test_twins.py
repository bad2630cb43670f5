"""Behaviour that the taps and the loader share without sharing code: settings, errors, signals, text from outside."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from api import settings
from commands import run
from savvycal_api import SAVVYCAL
from tap_common import printable as tap_printable
from tap_common.cli import environment as tap_environment
from target_duckdb import environment as target_environment
from target_duckdb import printable as target_printable
from target_duckdb.target import TargetDuckDB

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    from sandbox import Sandbox

PLUGINS = pytest.mark.parametrize("plugin", [SAVVYCAL.tap, TargetDuckDB], ids=["tap", "loader"])
ENVIRONMENTS = pytest.mark.parametrize("module", [tap_environment, target_environment], ids=["tap", "loader"])
SETTINGS: dict[str, dict[str, Any]] = {
    "tap-scheduler": {"api_key": "key", "api_url": "http://127.0.0.1:9"},
    "target-duckdb": {"filepath": "unused.duckdb"},
}
KINDS = {"text": "string", "flag": "boolean", "whole": "integer", "part": "number", "list": "array", "map": "object"}
SCHEMA = {"properties": {name: {"type": [kind, "null"]} for name, kind in KINDS.items()}}


def variables(texts: dict[str, str]) -> dict[str, str]:
    return {f"X_{name.upper()}": text for name, text in texts.items()}


@ENVIRONMENTS
@pytest.mark.parametrize("word", [" true", "TRUE ", "1", "yes", "On"])
def test_a_variable_is_read_by_the_type_of_its_setting(module: ModuleType, word: str) -> None:
    texts = {"text": " x ", "flag": word, "whole": " 5", "part": "2.5", "list": '["a"]', "map": ' {"a": 1}'}

    found = module.from_environment(SCHEMA, "X_", variables(texts) | {"X_OTHER": "1"})

    assert found == {"text": " x ", "flag": True, "whole": 5, "part": 2.5, "list": ["a"], "map": {"a": 1}}
    assert module.from_environment(SCHEMA, "X_", variables(dict.fromkeys(texts, ""))) == {}


@ENVIRONMENTS
def test_every_variable_of_another_type_is_named_without_its_text(module: ModuleType) -> None:
    texts = {"flag": "maybe", "whole": "5.5", "part": "nan", "list": "4711", "map": "[]"}

    with pytest.raises(Exception, match="X_FLAG") as refused:
        module.from_environment(SCHEMA, "X_", variables(texts))
    assert str(refused.value) == (
        "The environment variable `X_FLAG` is not true or false. "
        "The environment variable `X_WHOLE` is not a whole number. "
        "The environment variable `X_PART` is not a number. "
        'The environment variable `X_LIST` is not a JSON array, such as ["a", "b"]. '
        'The environment variable `X_MAP` is not a JSON object, such as {"a": "b"}.'
    )


@PLUGINS
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_later_config_file_overrides_an_earlier_one_in_any_encoding_of_windows(
    plugin: Any, tmp_path: Path, encoding: str
) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    first.write_text('{"a": 1, "b": "é"}', encoding=encoding)
    second.write_text('{"a": 2}', encoding=encoding)

    found = plugin.cb_config(None, None, (str(first), "ENV", str(second)))

    assert (found.config, found.parse_env) == ({"a": 2, "b": "é"}, True)


@PLUGINS
@pytest.mark.parametrize("text", ["", "{", "[]", "[0]", '[["a", 1]]', "null", "5", '"x"', "[" * 100_000, "\udcff"])
def test_a_config_file_that_is_not_a_json_object_is_an_error(plugin: Any, tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_bytes(text.encode(errors="surrogateescape"))

    with pytest.raises(Exception, match=r"^The config file is not a JSON object\.$"):
        plugin.cb_config(None, None, (str(tmp_path / "config.json"),))


@PLUGINS
def test_a_config_file_that_is_missing_is_an_error_that_does_not_quote_it(plugin: Any, tmp_path: Path) -> None:
    for path, kind in ((tmp_path / "secret", "FileNotFoundError"), (tmp_path, "IsADirectoryError")):
        with pytest.raises(Exception, match=rf"^--config takes the path of a file, or ENV: {kind}\.$"):
            plugin.cb_config(None, None, (str(path),))


@pytest.mark.parametrize("command", SETTINGS)
def test_unknown_and_invalid_settings_end_a_run_with_the_same_sentences(command: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        json.dumps(SETTINGS[command] | {"colour": "4711", "flattening_enabled": "no"})
    )

    outcome = run(command, f"--config={tmp_path / 'config.json'}")

    assert outcome.code == 1
    said = " ".join(outcome.errors)
    assert "Setting `colour` is unknown." in said
    assert "Setting `flattening_enabled` must be of type boolean." in said
    assert "4711" not in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("command", SETTINGS)
@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("v[", "is invalid: `x` of stream {} is not valid in a stream map (SyntaxError)."),
        ("int({})", ": `x` of stream {} fails on a record (ValueError)."),
    ],
)
def test_an_error_of_a_stream_map_names_the_stream_and_the_column_and_quotes_no_value(
    command: str, expression: str, sentence: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    stream, column = SAVVYCAL.person
    config = settings(SAVVYCAL, sandbox) if command == "tap-scheduler" else {"filepath": str(tmp_path / "a.duckdb")}
    (tmp_path / "config.json").write_text(
        json.dumps(config | {"stream_maps": {stream: {"x": expression.format(column)}}})
    )
    properties = {"id": {"type": "string"}, column: {"type": "string"}}
    messages = [
        {"type": "SCHEMA", "stream": stream, "schema": {"properties": properties}, "key_properties": ["id"]},
        {"type": "RECORD", "stream": stream, "record": {"id": "1", column: "secret"}},
    ]

    stdin = "".join(f"{json.dumps(message)}\n" for message in messages)
    outcome = run(command, f"--config={tmp_path / 'config.json'}", stdin=stdin)

    assert outcome.code == 1
    assert [line.partition("Setting `stream_maps`")[2].strip() for line in outcome.errors] == [
        sentence.format(f"`{stream}`")
    ]
    assert "secret" not in outcome.err


@pytest.mark.parametrize("command", SETTINGS)
def test_an_unknown_option_ends_the_command_with_2_and_acts_on_no_terminal(command: str) -> None:
    outcome = run(command, f"--\x1b[2J\r{'x' * 9_000}")

    assert outcome.code == 2
    assert all(line.isprintable() for line in outcome.err.split("\n"))
    assert len(outcome.err) < 5_000


@PLUGINS
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_at_once_and_a_second_one_or_a_second_gone_by_without_another_word(
    plugin: Any, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plugin(config=SETTINGS[plugin.name])
    handlers: dict[int, Callable[..., None]] = {}
    timers: list[float] = []
    ended: list[int] = []
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)
    monkeypatch.setattr(signal, "setitimer", lambda _which, seconds: timers.append(seconds))
    monkeypatch.setattr(os, "_exit", ended.append)

    with pytest.raises(SystemExit) as first:
        made._handle_termination(number, None)
    assert (first.value.code, timers, ended) == (128 + number, [1.0], [])
    for later in (number, signal.SIGALRM):
        with pytest.raises(SystemExit):  # as the process has not ended
            handlers.get(later, made._handle_termination)(later, None)
        assert ended.pop() == 128 + number


@pytest.mark.parametrize("longest", [100, 5])
@pytest.mark.parametrize(
    "text", ["", "plain", "\x1b[31mred", "a\nb\r\t\0", "\u202eright", "\ud800", "x" * 10_000, "'\"`\\", "é€😀", 5, None]
)
@pytest.mark.parametrize("function", ["printable", "quoted"])
def test_text_from_outside_is_printed_alike(function: str, text: object, longest: int) -> None:
    ours, theirs = getattr(target_printable, function), getattr(tap_printable, function)

    assert ours(text, longest) == theirs(text, longest)
    assert ours(text, longest).isprintable()
