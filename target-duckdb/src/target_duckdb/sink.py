"""One stream on its way into its table."""

from __future__ import annotations

import gzip
import math
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

from singer_sdk import metrics
from singer_sdk.exceptions import InvalidRecord, MissingKeyPropertiesError
from singer_sdk.sinks import BatchSink
from singer_sdk.sinks.core import JSONSchemaValidator
from typing_extensions import override

from target_duckdb.columns import encode, literal
from target_duckdb.errors import LoadError
from target_duckdb.reader import decode
from target_duckdb.table import DELETED_AT, Batch, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import TracebackType

    from singer_sdk.helpers._batch import BaseBatchFileEncoding
    from singer_sdk.sinks.core import BaseJSONSchemaValidator

    from target_duckdb.columns import Column, Json
    from target_duckdb.target import TargetDuckDB

MOST_BYTES = 4 << 20
"""Bytes of staged rows at which a batch is written even if it has room for more rows."""


@dataclass
class Progress:
    """What one run has seen of a stream, across all its schemas.

    Attributes:
        rows: Records written.
        versions: Table versions that records carried; None stands for records without one.
        announced: Version whose announcement waits for the end of the input.
    """

    rows: int = 0
    versions: set[int | None] = field(default_factory=set)
    announced: int | None = None


class _Validator(JSONSchemaValidator):
    """The SDK's check of a record, whose error names the column and the rule instead of the value."""

    @override
    def validate(self, record: dict[str, Json]) -> None:
        error = next(self.validator.iter_errors(record), None)
        if error is None:
            return
        column = repr(error.absolute_path[0]) if error.absolute_path else "the record"
        rule = (
            f"{error.validator}: {error.validator_value}"
            if error.validator in {"type", "required"}
            else error.validator
        )
        raise InvalidRecord(f"{column} breaks the rule {rule!r} of its schema.", record)


class _QuietTimer(metrics.Timer):
    """A timer that does not log a line per batch."""

    @override
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        pass


class DuckDBSink(BatchSink):
    """Collects a stream's records as staged rows and merges them into its table, one transaction a batch."""

    def __init__(
        self,
        target: TargetDuckDB,
        stream_name: str,
        schema: dict[str, Json],
        key_properties: Sequence[str] | None,
    ) -> None:
        self.target = target
        super().__init__(target, stream_name, schema, key_properties)
        self.progress = target.progress.setdefault(stream_name, Progress())
        self._rows: list[bytes] = []
        self._bytes = 0
        self._columns: list[Column] = []
        self._fits: list[tuple[str, str, Callable[[Json], Json]]] = []
        self._known: set[str] = set()
        self._unknown: set[str] = set()
        self._versioned = False
        self._keys = set(self.key_properties)
        self._most_rows = self.max_size

    @property
    @override
    def include_sdc_metadata_properties(self) -> bool:
        """Whether the SDK adds its columns: when asked to, and for a stream that tells of deletions itself."""
        return super().include_sdc_metadata_properties or DELETED_AT in self.original_schema["properties"]

    @override
    def get_validator(self) -> BaseJSONSchemaValidator | None:
        return _Validator(self.schema) if self.validate_schema else None

    @override
    def get_sink_record_counter(self) -> metrics.Counter:
        return metrics.record_counter(self.stream_name, log_interval=math.inf)

    @override
    def get_batch_processing_timer(self) -> metrics.Timer:
        return _QuietTimer(metrics.Metric.BATCH_PROCESSING_TIME, tags={metrics.Tag.STREAM: self.stream_name})

    @override
    def setup(self) -> None:
        """Write what an earlier schema of the stream left, then make the table fit this one."""
        self.target.succeed(self)
        properties: Mapping[str, Json] = self.schema["properties"]
        if missing := [key for key in self.key_properties if key not in properties]:
            raise LoadError(f"stream {self.stream_name!r}: its schema lacks the key property {missing[0]!r}.")
        with self.target.warehouse.transaction() as connection:
            warehouse = self.target.warehouse
            self._table = Table.find(connection, warehouse.namespace, warehouse.schema, self.stream_name)
            self._columns = self._table.evolve(connection, properties)
        self._fits = [(column.key, column.source, column.fit) for column in self._columns]
        self._known = {*self.original_schema["properties"], *properties}
        # DuckDB parses the dates: the SDK, which goes by this schema, would lose digits and quote what it cannot parse.
        self.schema = {"properties": {name: {} for name in properties}, "additionalProperties": True}

    def add(self, record: Mapping[str, Json], version: int | None) -> None:
        """Stage a record; LoadError names the column whose value does not fit."""
        row: dict[str, Json] = {"n": len(self._rows)}
        for key, source, fit in self._fits:
            value = record.get(source)
            if value is not None:
                try:
                    row[key] = fit(value)
                except ValueError as reason:
                    raise LoadError(f"stream {self.stream_name!r}, column {source!r}: a value {reason}.") from None
        if version is not None:
            row["v"] = version
            self._versioned = True
        self.progress.versions.add(version)
        if not record.keys() <= self._known:
            self._warn_of_unknown(record)
        line = encode(row)
        self._rows.append(line)
        self._bytes += len(line)

    def _warn_of_unknown(self, record: Mapping[str, Json]) -> None:
        if not self._columns:
            raise LoadError(f"stream {self.stream_name!r}: its schema names no property, so no record can be stored.")
        for name in record.keys() - self._known - self._unknown:
            self.logger.warning(
                "stream %r: the schema lacks the property %r, which is not loaded.", self.stream_name, name
            )
            self._unknown.add(name)

    def take(self, record: Mapping[str, Json], version: int | None) -> None:
        """Stage a record that passed none of the SDK's steps, and write the batch when it is full."""
        if not self._keys <= record.keys():
            raise MissingKeyPropertiesError(f"stream {self.stream_name!r}: a record lacks a key property.")
        self.add(record, version)
        self.tally_record_read()
        self._write_if_full()

    @override
    def process_record(self, record: dict[str, Json], context: dict[str, Any]) -> None:
        self.add(record, self.target.version)
        self._write_if_full()

    def _write_if_full(self) -> None:
        if self._bytes >= MOST_BYTES or len(self._rows) >= self._most_rows:
            self.target.drain_one(self)

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        """Merge the staged rows into the table, all or nothing."""
        rows = self._rows
        if not rows:
            return
        directory = self.config.get("temp_dir")
        with (
            self.target.warehouse.transaction() as connection,
            tempfile.NamedTemporaryFile(prefix="target-duckdb-", suffix=".ndjson", dir=directory) as file,
        ):
            file.write(b"\n".join(rows))
            file.flush()
            batch = Batch(Path(file.name), max(map(len, rows)), self._versioned)
            self._table.merge(connection, batch, self._columns, self.key_properties)
            if self.config.get("hard_delete") and DELETED_AT in self.original_schema["properties"]:
                self._table.remove_deleted(connection)
        self.progress.rows += len(rows)
        self._rows, self._bytes, self._versioned = [], 0, False

    @override
    def clean_up(self) -> None:
        """Nothing: the target says once what it loaded of the stream, whatever the number of its schemas."""

    @override
    def activate_version(self, new_version: int) -> None:
        """Retire the rows of other versions if this one's rows have come; else wait for the end of the input."""
        self.target.drain_one(self)
        self.progress.announced = new_version
        if new_version in self.progress.versions:
            self.retire(remove=bool(self.config.get("hard_delete")))

    def retire(self, *, remove: bool) -> None:
        """Mark or remove the rows that the announced version does not have."""
        version, self.progress.announced = self.progress.announced, None
        if version is None:
            return
        if None in self.progress.versions:
            self.logger.warning(
                "stream %r: a version was announced, but records came without one; no row is marked as deleted.",
                self.stream_name,
            )
            return
        if self._columns:
            with self.target.warehouse.transaction() as connection:
                self._table.retire(connection, version, remove=remove)

    @override
    def process_batch_files(self, encoding: BaseBatchFileEncoding, files: Sequence[str]) -> None:
        """Load the records of BATCH files on this machine: JSON lines, plain or gzipped, or Parquet."""
        for file in files:
            url = urlparse(file)
            if url.scheme not in {"", "file"}:
                raise LoadError(f"stream {self.stream_name!r}: batch files of scheme {url.scheme!r} cannot be read.")
            path = Path(unquote(url.path) if url.scheme else file)
            for record in self._records_of(path, encoding):
                self.take(record, self.target.version)

    def _records_of(self, path: Path, encoding: BaseBatchFileEncoding) -> Iterator[dict[str, Json]]:
        if encoding.format == "parquet":
            query = f"SELECT to_json(batch) FROM read_parquet({literal(str(path))}) AS batch"  # noqa: S608  # quoted
            cursor = self.target.warehouse.connection.cursor().execute(query)
            while row := cursor.fetchone():
                yield decode(row[0])
        elif encoding.format == "jsonl":
            with gzip.open(path) if encoding.compression == "gzip" else path.open("rb") as lines:
                for line in lines:
                    yield decode(line)
        else:
            raise LoadError(f"stream {self.stream_name!r}: batch files of format {encoding.format!r} cannot be read.")
