from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest
from singer_sdk.configuration import _dict_config

from target_duckdb.environment import unknown_variables
from target_duckdb.errors import LoadError
from target_duckdb.settings import ALIASES, SETTINGS
from target_duckdb.target import TargetDuckDB


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment, which is empty."""
    empty: dict[str, str] = {}
    monkeypatch.setattr(os, "environ", empty)
    return empty


def test_the_real_environment_counts_and_no_file_named_env(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("TARGET_DUCKDB_FILEPATH=of-the-file\nTARGET_DUCKDB_LOCK_TIMEOUT=7\n")
    monkeypatch.setattr(_dict_config, "find_dotenv", lambda: str(tmp_path / ".env"))
    environment |= {"TARGET_DUCKDB_FILEPATH": "real.duckdb", "TARGET_DUCKDB_BATCH_SIZE_ROWS": ""}
    config = TargetDuckDB(config={"filepath": "x", "batch_size_rows": 5}, parse_env_config=True).config

    assert (config["filepath"], config["batch_size_rows"], config["lock_timeout"]) == ("real.duckdb", 5, 60)
    assert "TARGET_DUCKDB_LOCK_TIMEOUT" not in environment


@pytest.mark.parametrize(
    ("setting", "text", "value"),
    [
        ("batch_size_rows", "5", 5),
        ("hard_delete", "yes", True),
        ("lock_timeout", "1.5", "1.5"),
        ("hard_delete", "Off", False),
        ("hard_delete", " true", True),
        ("batch_size_rows", " 5 ", 5),
        ("delimiter", ",", ","),
        ("stream_maps", '{"a": {}}', {"a": {}}),
    ],
)
def test_a_text_becomes_a_value_of_its_setting_s_type(
    environment: dict[str, str], setting: str, text: str, value: Any
) -> None:
    environment |= {f"TARGET_DUCKDB_{setting.upper()}": text}

    assert TargetDuckDB(config={"filepath": "x"}, parse_env_config=True).config[setting] == value


@pytest.mark.parametrize(
    ("setting", "what"),
    [
        ("batch_size_rows", "a whole number"),
        ("hard_delete", "true or false"),
        ("stream_maps", 'a JSON object, such as {"a": "b"}'),
    ],
)
def test_a_text_that_is_none_gets_a_sentence_that_names_the_variable_and_not_the_text(
    environment: dict[str, str], setting: str, what: str
) -> None:
    environment |= {f"TARGET_DUCKDB_{setting.upper()}": "4711.5"}

    with pytest.raises(LoadError) as refused:
        TargetDuckDB(config={"filepath": "x"}, parse_env_config=True)
    assert str(refused.value) == f"The environment variable `TARGET_DUCKDB_{setting.upper()}` is not {what}."


def test_the_sdk_does_not_tell_that_it_leaves_the_environment_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="target-duckdb"):
        target = TargetDuckDB(config={"filepath": str(tmp_path / "x")}, parse_env_config=True)
        assert target.logger.level == logging.INFO

    assert caplog.messages == []


def test_the_home_folder_may_be_called_by_its_sign(tmp_path: Path, environment: dict[str, str]) -> None:
    environment |= {"HOME": str(tmp_path), "TARGET_DUCKDB_FILEPATH": "~/x.duckdb", "TARGET_DUCKDB_TEMP_DIR": "~"}
    target = TargetDuckDB(config={}, parse_env_config=True)

    assert target.warehouse.path == tmp_path / "x.duckdb"
    assert target.config["temp_dir"] == str(tmp_path)
    assert TargetDuckDB(config={"filepath": "~nobody.of/x"}).warehouse.path == Path("~nobody.of/x")


@pytest.mark.parametrize(
    ("alias", "text", "setting", "value"),
    [
        ("path", "of-the-environment", "filepath", "of-the-environment"),
        ("add_metadata_columns", "false", "add_record_metadata", False),
        ("add_metadata_columns", "true", "add_record_metadata", True),
        ("data_flattening_max_level", "2", "flattening_max_depth", 2),
    ],
)
def test_another_name_of_a_setting_counts_as_its_own_does(
    environment: dict[str, str], alias: str, text: str, setting: str, value: Any
) -> None:
    environment |= {f"TARGET_DUCKDB_{alias.upper()}": text}
    given = {"filepath": "x", "add_record_metadata": value is False}

    assert TargetDuckDB(config=given, parse_env_config=True).config[setting] == value
    alone = {alias: value} if alias == "path" else {"filepath": "x", alias: value}
    assert TargetDuckDB(config=alone).config[setting] == value


@pytest.mark.parametrize(
    "contradicting",
    [
        {"filepath": "x", "path": "y"},
        {"filepath": "x", "add_record_metadata": False, "add_metadata_columns": True},
        {"filepath": "x", "data_flattening_max_level": 1, "flattening_max_depth": 2},
        {"filepath": "x", "data_flattening_max_level": 1, "flattening_enabled": False},
    ],
)
def test_two_names_with_different_values_are_refused(contradicting: dict[str, Any]) -> None:
    with pytest.raises(LoadError, match=r"remove (one|it or them)"):
        TargetDuckDB(config=contradicting)


def test_what_an_older_definition_for_meltano_hands_over_is_taken() -> None:
    defaults = {"add_metadata_columns": False, "data_flattening_max_level": 0}

    config = TargetDuckDB(config={"filepath": "x", "add_record_metadata": True} | defaults).config

    assert config["add_record_metadata"] is True


def test_two_variables_of_one_setting_that_differ_are_refused(environment: dict[str, str]) -> None:
    environment |= {"TARGET_DUCKDB_FILEPATH": "x", "TARGET_DUCKDB_PATH": "y", "TARGET_DUCKDB_HARD_DELETE": "maybe"}

    with pytest.raises(LoadError, match=r"`TARGET_DUCKDB_FILEPATH` and `TARGET_DUCKDB_PATH` set the same") as refused:
        TargetDuckDB(config={}, parse_env_config=True)
    assert "`TARGET_DUCKDB_HARD_DELETE` is not true or false." in str(refused.value)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("TARGET_DUCKDB_FILE", "; did you mean `TARGET_DUCKDB_FILEPATH`?"),
        ("TARGET_DUCKDB_FILE_PATH", "; did you mean `TARGET_DUCKDB_FILEPATH`?"),
        ("TARGET_DUCKDB__FILEPATH", "; did you mean `TARGET_DUCKDB_FILEPATH`?"),
        ("TARGET_DUCKDB_HARD_DELETES", "; did you mean `TARGET_DUCKDB_HARD_DELETE`?"),
        ("TARGET_DUCKDB_ADD_METADATA_COLUMN", "; did you mean `TARGET_DUCKDB_ADD_METADATA_COLUMNS`?"),
        ("TARGET_DUCKDB_SCHEMA", "."),
        ("TARGET_DUCKDB_PATH", None),
        ("TARGET_DUCKDB_LOGLEVEL", None),
        ("TARGET_DUCKDB__DIALECT", None),
        ("TARGET_DUCKDB__HARD_FILEPATH", None),
        ("TARGET_DUCKDB_HARD_FILEPATH", None),
        ("TARGET_OTHER_FILE", None),
        ("TAP_X_FILEPATH", None),
    ],
)
def test_a_variable_that_sets_nothing_is_told(name: str, told: str | None) -> None:
    settings = [*SETTINGS["properties"], *ALIASES]

    found = list(unknown_variables({name: "y"}, "TARGET_DUCKDB_", settings, {"filepath": "x"}))

    assert found == ([] if told is None else [f"The environment variable `{name}` is not a known setting{told}"])


def test_a_variable_without_text_or_by_way_of_which_a_setting_was_made_is_not_told() -> None:
    environment = {"TARGET_DUCKDB_FILE": "x", "TARGET_DUCKDB_SCHEMA": ""}

    assert list(unknown_variables(environment, "TARGET_DUCKDB_", SETTINGS["properties"], {"filepath": "x"})) == []
