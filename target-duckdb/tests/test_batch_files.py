from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from target_duckdb.errors import LoadError

from .singer import INTEGER, TEXT, Message, activate, load, query, record, schema, state, types

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = {"format": "jsonl", "compression": "none"}
GZIP = {"format": "jsonl", "compression": "gzip"}
PARQUET = {"format": "parquet"}


def batch(*files: Path | str, encoding: Message = PLAIN, **more: Any) -> Message:
    """A BATCH message of stream `t`."""
    urls = [file if isinstance(file, str) else file.as_uri() for file in files]
    return {"type": "BATCH", "stream": "t", "encoding": encoding, "manifest": urls, **more}


def written(file: Path, *records: Any) -> Path:
    """A file of JSON lines; text stands for itself."""
    file.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in records))
    return file


@pytest.mark.parametrize("encoding", [PLAIN, GZIP, PARQUET, {"format": "jsonl"}])
def test_batch_files_are_loaded_in_their_place_and_stay(tmp_path: Path, file: Path, encoding: Message) -> None:
    part = tmp_path / "part 1"
    if encoding["format"] == "parquet":
        with duckdb.connect() as connection:
            connection.sql("SELECT i AS id, {'a': i} AS o FROM range(10) r(i)").write_parquet(str(part))
    else:
        written(part, *({"id": i, "o": {"a": i}} for i in range(10)))
        if encoding.get("compression") == "gzip":
            part.write_bytes(gzip.compress(part.read_bytes()))
    messages = [record("t", 3, id=1, o="old"), batch(part, encoding=encoding, version=3), record("t", 3, id=9, o=None)]
    load(file, [schema("t", {"id": INTEGER, "o": {}}), *messages], batch_size_rows=4)
    expected = [(i, f'{{"a":{i}}}', 3) for i in range(9)] + [(9, None, 3)]
    assert query(file, "SELECT * FROM t ORDER BY id") == expected
    assert part.exists()


def test_a_version_that_comes_in_files_retires_the_rows_of_others(tmp_path: Path, file: Path) -> None:
    people = schema("t", {"id": INTEGER})
    old, new = written(tmp_path / "old", {"id": 1}, {"id": 2}), written(tmp_path / "new", {"id": 2}, {"id": 3})
    load(file, [people, batch(old, version=1), activate("t", 1), state()])
    load(file, [people, batch(new, version=2), activate("t", 2), state()])
    assert query(file, "SELECT id FROM t WHERE _sdc_deleted_at IS NULL ORDER BY id") == [(2,), (3,)]
    assert query(file, "SELECT count(*) FROM t") == [(3,)]


def test_several_files_empty_ones_blank_lines_and_half_surrogates(tmp_path: Path, file: Path) -> None:
    full = written(tmp_path / "full", {"id": 1}, "", r'{"id":2,"name":"\ud800"}')
    messages = [batch(written(tmp_path / "empty"), full, str(written(tmp_path / "path", {"id": 3})))]
    load(file, [schema("t", {"id": INTEGER, "name": TEXT}), *messages])
    assert query(file, "FROM t ORDER BY id") == [(1, None), (2, "\ufffd"), (3, None)]


@pytest.mark.parametrize("steps", [{"data_flattening_max_level": 1}, {"stream_maps": {"t": {"o__z": "o['z']"}}}])
def test_files_pass_the_sdks_steps_as_records_do(tmp_path: Path, file: Path, steps: dict[str, Any]) -> None:
    kinds = schema("t", {"id": INTEGER, "o": {"type": "object", "properties": {"z": INTEGER}}})
    load(file, [kinds, batch(written(tmp_path / "part", {"id": 1, "o": {"z": 5}}))], **steps)
    load(tmp_path / "b.duckdb", [kinds, record("t", id=1, o={"z": 5})], **steps)
    assert query(file, "FROM t") == query(tmp_path / "b.duckdb", "FROM t")
    assert query(file, "SELECT o__z::VARCHAR FROM t") == [("5",)]


def test_the_columns_of_the_sdk_are_filled_for_files_too(tmp_path: Path, file: Path) -> None:
    rows = {"id": 1, "_sdc_sequence": "ours", "_sdc_deleted_at": "2024-01-01T00:00:00Z"}, {"id": 2}
    message = batch(written(tmp_path / "part", *rows), version=5, time_extracted="2024-01-02T00:00:00Z")
    load(file, [schema("t", {"id": INTEGER}), message], add_record_metadata=True)
    assert types(file, "t")["_sdc_sequence"] == "BIGINT"
    filled = "id, _sdc_table_version, _sdc_extracted_at::VARCHAR, _sdc_deleted_at IS NULL, _sdc_sequence > 0"
    assert query(file, f"SELECT {filled} FROM t ORDER BY id") == [  # noqa: S608  # the test's own
        (1, 5, "2024-01-02 00:00:00+00", False, True),
        (2, 5, "2024-01-02 00:00:00+00", True, True),
    ]


@pytest.mark.parametrize(
    ("content", "message", "told"),
    [
        (b'{"id":4711}\n{"id":4711', {}, "record 2 of the batch file file://{} is not JSON in UTF-8."),
        (b"4711\n", {}, "record 1 of the batch file file://{} is not a JSON object."),
        (b'{"id":"4711"}\n', {}, "column `id`: a value is not an integer."),
        (b'{"name":4711}\n', {}, "a key property has no value."),
        (b'{"id":4711}\n', {"version": 1.5}, "a table version is not a 64-bit integer."),
        (
            b'{"id":4711}\n',
            {"encoding": GZIP},
            "the batch file {} cannot be read: it is damaged, or not in the format of its message.",
        ),
        (
            gzip.compress(b'{"id":4711}\n', mtime=0)[:-9],
            {"encoding": GZIP},
            "the batch file {} cannot be read: it is damaged",
        ),
        (
            b'{"id":4711}\n',
            {"encoding": PARQUET},
            "the batch file {} cannot be read: it is damaged, or not in the format of its message.",
        ),
        (None, {}, "the batch file {} cannot be read: No such file or directory."),
        (None, {"encoding": PARQUET}, "the batch file {} cannot be read: "),
        (b"", {"encoding": {"format": "csv"}}, "batch files of format `csv` cannot be read."),
        (b"", {"manifest": ["s3://bucket/part"]}, "batch files of scheme `s3` cannot be read."),
    ],
)
def test_what_is_wrong_with_a_file_is_said_without_its_content(
    tmp_path: Path, file: Path, content: bytes | None, message: Message, told: str
) -> None:
    part = tmp_path / "part"
    if content is not None:
        part.write_bytes(content)
    with pytest.raises(Exception, match=r"^stream `t`[:,] ") as error:
        load(file, [schema("t", {"id": INTEGER}), batch(part) | message])
    assert told.format(part) in str(error.value)
    assert isinstance(error.value, LoadError) or "key" in told
    assert "4711" not in str(error.value)
    assert query(file, "FROM t") == []


def test_files_of_a_stream_without_a_schema_are_refused(tmp_path: Path, file: Path) -> None:
    with pytest.raises(Exception, match="came before its SCHEMA message"):
        load(file, [batch(written(tmp_path / "part", {"id": 1}))])
