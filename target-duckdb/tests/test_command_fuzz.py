"""The whole command over any messages, schemas, records and settings: a sentence or a load, and no value in its log."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from target_duckdb.target import TargetDuckDB

from .singer import TEXT, schema

Json = Any

MARKER = "SECRET-7f3a"
MARKED = f"{MARKER}'\"\n\x1b[31mX"
MINUTES = float(os.environ.get("MINUTES", "10"))
SHARE = 0.5
"""Part of the time of `make soak` that the longer search may take."""

names = st.sampled_from(
    ["t", "u", "İ", "i̇", "ß", "", "a\0b", "\x1b[2J\n", "n" * 300, "T", "_sdc_deleted_at", "\ud800"]
)  # a table
columns = st.sampled_from(["id", "v", "ID", "", "a\0b", "\x1b[2J\n", "_sdc_sequence", "_sdc_deleted_at", "c" * 300])
raw = st.sampled_from(
    [
        "NaN",
        "1e400",
        "-1e-999999999999999999999",
        "9" * 5000,
        "[" * 600 + "]" * 600,
        '"\\ud800"',
        "1.50",
        '{"a":1,"a":2}',
    ]
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.just(MARKED) | st.text(max_size=5)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(columns, inner, max_size=3), max_leaves=6
)
kinds = st.sampled_from(
    ["string", "integer", "number", "boolean", "object", "array", "null", "nope", 5, ["null", "integer"]]
)
schemas = st.recursive(
    st.just({})
    | st.just(True)
    | values
    | st.fixed_dictionaries({"$ref": st.sampled_from(["#", "#/properties/v", "x"])}),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": kinds,
            "format": st.sampled_from(["date-time", "date", "nope", 5]),
            "properties": st.dictionaries(columns, inner, max_size=2),
            "anyOf": st.lists(inner, max_size=2),
            "maximum": st.sampled_from([1, 10**400, "x"]),
            "maxLength": st.sampled_from([1, 10**30]),
            "pattern": st.sampled_from(["(", "a"]),
        },
    ),
    max_leaves=5,
)
keys = st.none() | st.lists(columns, max_size=2) | values
versions = st.sampled_from([1, 2, -(2**63), 2**63 - 1, 2**63, True, "1", 1.0, None])
urls = st.sampled_from(
    ["", "nope", "/dev/zero", "s3://u:p@b", "http://127.0.0.1:9/x", "file://host/x", "file:///%00", "\0"]
)
messages = st.one_of(
    st.builds(
        lambda stream, properties, key: {"type": "SCHEMA", "stream": stream, "schema": {"properties": properties},
                                         "key_properties": key},
        names, st.dictionaries(columns, schemas, min_size=1, max_size=3) | values, keys,
    ),
    st.builds(
        lambda stream, values, version: {"type": "RECORD", "stream": stream, "record": values, "version": version},
        names, st.dictionaries(columns, values, max_size=3) | values, versions,
    ),
    st.builds(lambda stream, version: {"type": "ACTIVATE_VERSION", "stream": stream, "version": version}, names, versions),  # noqa: E501  # a table
    st.builds(
        lambda stream, url, kind, by: {"type": "BATCH", "stream": stream, "manifest": [url],
                                       "encoding": {"format": kind, "compression": by}},
        names, urls, st.sampled_from(["jsonl", "parquet", "avro", 5]), st.sampled_from([None, "gzip", "zstd", []]),
    ),
    st.builds(lambda value: {"type": "STATE", "value": value}, values),
    st.builds(lambda value: {"type": "STATE", "value": {"bookmarks": value}}, values),
    values,
)  # fmt: skip
lines = st.one_of(
    messages.map(json.dumps),
    messages.map(json.dumps),
    st.builds(lambda value: f'{{"type":"RECORD","stream":"t","record":{{"id":1,"v":{value}}}}}', raw),
    st.builds(lambda value: f'{{"type":"STATE","value":{value}}}', raw),
    st.just(f'{{"type":"RECORD","stream":"t","record":{{"id":1,"v":"{MARKER}\x01'),
    st.sampled_from(["", "\ufeff", "\0"]),
)
expressions: st.SearchStrategy[Json] = st.sampled_from(
    ["int(v)", "v / 0", "v[", "", "json.loads(v)", "record[v]", "md5(v)", "v.x", None, 5, []]
)  # a table
options = st.fixed_dictionaries(
    {},
    optional={
        "default_target_schema": names | st.sampled_from(["information_schema", "temp", MARKED]),
        "batch_size_rows": st.sampled_from([1, 0, MARKED, 10**30]),
        "max_line_bytes": st.sampled_from([1, 100, 1 << 20, MARKED]),
        "add_record_metadata": st.booleans(),
        "hard_delete": st.booleans(),
        "validate_records": st.booleans(),
        "data_flattening_max_level": st.sampled_from([0, 1, 10**20]),
        "on_missing_table": st.sampled_from(["warn", "fail", MARKED]),
        "token": values,
        "temp_dir": st.sampled_from(["/nowhere", "a\0b", None]),
        "stream_maps": st.dictionaries(
            names, st.dictionaries(columns | st.sampled_from(["__filter__", "__else__", "__alias__", "__key_properties__"]),  # noqa: E501  # a table
                                   expressions, max_size=2) | expressions, max_size=2),
    },
)  # fmt: skip


def command(text: bytes, config: dict[str, Json]) -> tuple[int, str, str]:
    """Run the command within this process; returns its exit code, its standard output and its log."""
    root, before, stdin = logging.getLogger(), list(logging.getLogger().handlers), sys.stdin
    level = root.level
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.json"
        path.write_text(json.dumps({"filepath": f"{folder}/a.duckdb", **config}))
        out, log = io.StringIO(), io.StringIO()
        root.handlers = []
        sys.stdin = io.TextIOWrapper(io.BytesIO(text))
        code = 0
        try:
            with redirect_stdout(out), redirect_stderr(log):
                TargetDuckDB.cli(["--config", str(path)])
        except SystemExit as ended:
            code = int(ended.code or 0)
        finally:
            sys.stdin, root.handlers = stdin, before
            root.setLevel(level)
    return code, out.getvalue(), log.getvalue()


def check(given_lines: list[str], config: dict[str, Json]) -> None:
    """Load lines, and hold the log and the output to their promises."""
    text = "".join(f"{line}\n" for line in given_lines).encode("utf-8", "surrogatepass")
    code, out, log = command(text, config)
    assert code in (0, 1), log
    for word in ("Traceback", "not foreseen", MARKER, "\x1b"):
        assert word not in log, log
    assert ("| ERROR " in log) == (code == 1), log
    assert all(line.isprintable() and " | " in line for line in log.split("\n") if line), log
    for line in out.splitlines():
        json.loads(line, parse_constant=pytest.fail)


T = json.dumps(schema("t", {"id": {}, "v": TEXT}))
loads = st.lists(lines, max_size=6).map(lambda found: [T, *found]) | st.lists(lines, max_size=6)
search = settings(
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@settings(search, max_examples=40)
@given(loads, st.just({}) | options)
def test_any_input_is_loaded_or_ends_in_a_sentence_without_a_value(found: list[str], config: dict[str, Json]) -> None:
    check(found, config)


@pytest.mark.soak
@pytest.mark.timeout(MINUTES * 60 + 600)
def test_any_input_is_loaded_or_ends_in_a_sentence_for_minutes() -> None:
    end = time.monotonic() + MINUTES * 60 * SHARE

    @settings(search, max_examples=100, database=None)
    @given(loads, options)
    def searched(found: list[str], config: dict[str, Json]) -> None:
        check(found, config)

    while time.monotonic() < end:
        searched()
