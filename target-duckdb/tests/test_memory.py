"""Memory of a load, for any input."""

from __future__ import annotations

import gzip
import subprocess
import sys
from io import StringIO
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from singer_sdk.singerlib.exceptions import InvalidInputLine

from target_duckdb.errors import LoadError
from target_duckdb.messages import MAX_DEPTH, MAX_SCHEMA_DEPTH
from target_duckdb.target import TargetDuckDB

from .singer import INTEGER, TEXT, command, load, query, record, schema, state, text_of, types

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="counts kilobytes as Linux does"),
]

MEASURED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], check=False)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10, file=sys.stderr)
sys.exit(done.returncode)
"""


def measured(tmp_path: Path, text: str, **settings: Any) -> tuple[int, str, int]:
    """Exit code, log, and megabytes of memory that a load by the command line took at most."""
    source = tmp_path / "input"
    source.write_text(text)
    argv = [sys.executable, "-c", MEASURED, *command(tmp_path / "config.json", tmp_path / "a.duckdb", **settings)]
    with source.open() as file:
        done = subprocess.run(argv, stdin=file, capture_output=True, text=True, check=False)
    log, _, most = done.stderr.rstrip("\n").rpartition("\n")
    return done.returncode, log, int(most)


def test_a_file_that_is_small_only_while_it_is_compressed_is_refused_in_little_memory(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "part.gz", "wb", compresslevel=1) as file:
        file.write(b'{"id":1,"a":"')
        for _ in range(400):
            file.write(b"x" * (1 << 20))
    batch = {
        "type": "BATCH",
        "stream": "t",
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "manifest": [(tmp_path / "part.gz").as_uri()],
    }
    code, log, most = measured(tmp_path, text_of([schema("t", {"id": INTEGER, "a": TEXT}), batch, state()]))
    assert code == 1
    assert "has more than 33,554,432 bytes" in log
    assert most < 350  # 2,500 where it was read whole


def test_a_line_without_an_end_is_refused_in_little_memory_and_names_its_stream(tmp_path: Path) -> None:
    text = text_of([schema("t", {"id": INTEGER})]) + '{"type":"RECORD","stream":"t","record":{"a":"' + "x" * 100_000_000
    code, log, most = measured(tmp_path, text)
    assert code == 1
    assert "Line 2 of the input has more than 33,554,432 bytes in stream `t`." in log
    assert most < 350


def test_a_stream_of_3_000_columns_is_loaded_in_little_memory(tmp_path: Path) -> None:
    columns = {"id": INTEGER} | {f"c{index}": TEXT for index in range(3000)}
    rows = (record("t", None, **{name: row if name == "id" else "x" for name in columns}) for row in range(20))
    code, _, most = measured(tmp_path, text_of([schema("t", columns), *rows, state()]))
    assert code == 0
    # 2,500 where each column was added by itself. DuckDB 1.5 takes 1,000 where 2 takes 300.
    assert most < (600 if int(duckdb.__version__.partition(".")[0]) >= 2 else 1_500)
    assert len(types(tmp_path / "a.duckdb", "t")) == 3001


def test_columns_that_duckdb_could_not_add_in_little_memory_are_refused_before_anything_is_changed(
    tmp_path: Path, file: Path
) -> None:
    load(file, [schema("t", {"id": INTEGER} | {f"c{index}": TEXT for index in range(1000)})])
    for count, told in ((1000, "1,000 cannot be added at once"), (10_000, "the maximum is 10,000")):
        wider = {"id": INTEGER} | {f"d{index}": TEXT for index in range(count)}
        code, log, most = measured(tmp_path, text_of([schema("t", wider), state()]))
        assert (code, told in log) == (1, True)
        assert most < 350
    assert len(types(file, "t")) == 1001


def test_a_schema_of_more_properties_than_can_be_columns_is_not_looked_at(tmp_path: Path) -> None:
    code, log, most = measured(
        tmp_path, text_of([schema("t", {f"c{index}": {} for index in range(300_000)}, []), state()])
    )
    assert code == 1
    assert "the schema has 300,000 properties, and 100,000 are the most" in log
    assert most < 350  # 700 where the table alone refuses them


def test_properties_that_the_schema_lacks_are_not_remembered_for_ever(file: Path) -> None:
    target = TargetDuckDB(config={"filepath": str(file)})
    rows = (record("t", None, id=row, **{f"k{row}_{key}": 0 for key in range(60)}) for row in range(20))
    target.listen(StringIO(text_of([schema("t", {"id": INTEGER}), *rows])))
    sink = target._open_sinks["t"]
    target.drain_all()
    target.warehouse.close()
    assert len(sink._unknown) == 60
    assert query(file, "SELECT count(*) FROM t") == [(20,)]


def test_the_longest_line_can_be_set(tmp_path: Path, file: Path) -> None:
    text = text_of([schema("t", {"id": INTEGER, "a": TEXT}), record("t", id=1, a="x" * 3000)])
    code, log, _ = measured(tmp_path, text, max_line_bytes=2000)
    assert (code, "max_line_bytes" in log) == (1, True)
    assert query(file, "FROM t") == []
    assert measured(tmp_path, text, max_line_bytes=4000)[0] == 0


def refusal(file: Path, lines: list[Any], options: dict[str, Any]) -> str:
    """The sentence that ends a load; empty where all was loaded."""
    try:
        load(file, lines, **options)
    except (LoadError, InvalidInputLine) as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kind", [{}, TEXT])
@pytest.mark.parametrize("options", [{}, {"stream_maps": {"other": None}}])
@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a":', "1}")])
def test_a_message_may_nest_500_levels_and_no_more(
    file: Path, kind: Any, options: dict[str, Any], opened: str, closed: str
) -> None:
    for levels in (MAX_DEPTH, MAX_DEPTH + 1):
        within = levels - 2  # the message and its record are levels, too
        value = opened * within + closed + closed[-1] * (within - 1)
        row = f'{{"type":"RECORD","stream":"t","record":{{"v":{value}}}}}'
        told = refusal(file, [schema("t", {"v": kind}, ()), row, state()], options)
        assert ("nests more than 500 levels in stream `t`, column `v`" in told) == bool(told) == (levels > MAX_DEPTH)


@pytest.mark.parametrize("options", [{}, {"validate_records": True}, {"data_flattening_max_level": 1000}])
def test_a_schema_and_a_state_may_nest_100_levels_and_no_more(file: Path, options: dict[str, Any]) -> None:
    for levels in (MAX_SCHEMA_DEPTH, MAX_SCHEMA_DEPTH + 1):
        within = levels - 3  # the schema, its properties, and what is innermost
        deep = '{"items":' * within + "{}" + "}" * within
        told = f'{{"type":"SCHEMA","stream":"t","schema":{{"properties":{{"v":{deep}}}}}}}'
        value = f'{{"type":"STATE","value":{"[" * levels}{"]" * levels}}}'
        for line in (told, value):
            sentence = refusal(file, [line], options)
            assert ("nests more than 100 levels" in sentence) == bool(sentence) == (levels > MAX_SCHEMA_DEPTH)
