from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest
from singer_sdk.configuration import _dict_config

from target_duckdb.errors import LoadError
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
    [("batch_size_rows", "a whole number"), ("hard_delete", "true or false"), ("stream_maps", "a JSON object")],
)
def test_a_text_that_is_none_gets_a_sentence_that_names_the_variable_and_not_the_text(
    environment: dict[str, str], setting: str, what: str
) -> None:
    environment |= {f"TARGET_DUCKDB_{setting.upper()}": "4711.5"}

    with pytest.raises(LoadError) as refused:
        TargetDuckDB(config={"filepath": "x"}, parse_env_config=True)
    assert str(refused.value) == f"The environment variable TARGET_DUCKDB_{setting.upper()} does not hold {what}."


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
