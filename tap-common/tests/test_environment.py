"""Settings from the environment: of the real one alone, each by its type, and in a sentence where it cannot be used."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.configuration import _dict_config

from tap_common.cli.environment import from_environment
from tap_common.errors import SettingsError
from tap_common.settings import misspelled_variables

if TYPE_CHECKING:
    from pathlib import Path

    from api import Api

SCHEMA = {
    "properties": {
        "text": {"type": ["string", "null"]},
        "whole": {"type": ["integer", "null"]},
        "part": {"type": ["number", "null"]},
        "flag": {"type": ["boolean", "null"]},
        "list": {"type": ["array", "null"]},
        "map": {"type": "object"},
    }
}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("text", "5", "5"),
        ("text", "a,b", "a,b"),
        ("whole", "5", 5),
        ("part", "2.5", 2.5),
        ("part", "2", 2.0),
        *(("flag", text, True) for text in ("true", "1", "yes", "on", "True", "YES")),
        *(("flag", text, False) for text in ("false", "0", "no", "off", "False")),
        ("list", '["a", "b"]', ["a", "b"]),
        ("map", '{"a": {"b": 1}}', {"a": {"b": 1}}),
    ],
)
def test_a_text_becomes_a_value_of_its_setting_s_type(name: str, text: str, value: Any) -> None:
    found = from_environment(SCHEMA, "TAP_X_", {f"TAP_X_{name.upper()}": text, "TAP_Y_TEXT": "x", "TAP_X_TXT": "y"})

    assert found == {name: value}
    assert type(found[name]) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("whole", "wrong-3f9a", "a whole number"),
        ("whole", "5.5", "a whole number"),
        ("whole", "\udcff", "a whole number"),
        ("part", "nan", "a number"),
        ("flag", "maybe", "true or false"),
        ("list", "wrong-3f9a,b", 'a JSON array, such as ["a", "b"]'),
        ("list", '{"a": 1}', 'a JSON array, such as ["a", "b"]'),
        ("map", '"wrong-3f9a"', 'a JSON object, such as {"a": "b"}'),
        ("list", "[" * 20_000, 'a JSON array, such as ["a", "b"]'),
        ("list", "[" * 200 + "]" * 200, 'a JSON array, such as ["a", "b"], of at most 100 levels'),
    ],
)
def test_a_text_that_is_none_gets_a_sentence_that_names_the_variable_and_not_the_text(
    name: str, text: str, what: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        from_environment(SCHEMA, "TAP_X_", {f"TAP_X_{name.upper()}": text})

    assert str(refused.value) == f"The environment variable `TAP_X_{name.upper()}` is not {what}."


def test_all_that_are_wrong_are_named_at_once() -> None:
    with pytest.raises(SettingsError, match=r"TAP_X_WHOLE.*TAP_X_FLAG"):
        from_environment(SCHEMA, "TAP_X_", {"TAP_X_WHOLE": "x", "TAP_X_FLAG": "x"})


def test_the_real_environment_counts_and_no_file_named_env(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = api.tap.env_prefix()
    file = tmp_path / ".env"
    file.write_text(f"{prefix}API_KEY=of-the-file\n{prefix}USER_AGENT=of-the-file\n{prefix}START_DATE=\n")
    monkeypatch.setattr(_dict_config, "find_dotenv", lambda: str(file))
    monkeypatch.setattr(os, "environ", {f"{prefix}API_KEY": "real", f"{prefix}PAGE_SIZE": ""})

    config = api.tap(config={"api_key": "x", "page_size": 7, "max_retries": 3}, parse_env_config=True).config

    assert (config["api_key"], config["page_size"], config["max_retries"]) == ("real", 7, 3)
    assert "user_agent" not in config
    assert f"{prefix}USER_AGENT" not in os.environ


def test_the_environment_is_left_alone_where_it_is_not_requested(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{api.tap.env_prefix()}API_KEY", "real")

    assert api.tap(config={"api_key": "x"}).config["api_key"] == "x"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TAP_X_START_DAET", "TAP_X_START_DATE"),
        ("TAP_X_SELECT", "TAP_X__SELECT"),
        ("TAP_X_METADATA", "TAP_X__METADATA"),
        ("TAP_X_LOAD_SCHEMA", "TAP_X__LOAD_SCHEMA"),
        ("TAP_X_SELECT_FILTER", "TAP_X__SELECT_FILTER"),
        ("TAP_X_START_DATE", None),
        ("TAP_X__SELECT", None),
        ("TAP_X__IN_FULL__SELECT", None),
        ("TAP_X_LOGLEVEL", None),
        ("TAP_Y_START_DAET", None),
        ("TAP_ONCEHUB_START_DATE", "TAP_X_START_DATE"),
        ("TAP_ONCE_HUB_API_KEY", "TAP_X_API_KEY"),
        ("TAP_ONCEHUB__SELECT", "TAP_X__SELECT"),
        ("tap_x_api_key", "TAP_X_API_KEY"),
        ("TAP_ONCEHUB_WEBHOOK", None),
    ],
)
def test_a_name_that_is_nearly_a_setting_s_or_a_meltano_extra_s_is_named(name: str, meant: str | None) -> None:
    said = [f"The environment variable `{name}` is not a known setting; did you mean `{meant}`?"] if meant else []

    assert list(misspelled_variables([name], "TAP_X_", ["start_date", "api_key"], ["OnceHub", "x"])) == said
