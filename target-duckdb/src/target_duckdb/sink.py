"""One stream on its way into its table."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass, field
from decimal import InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk import metrics
from singer_sdk.exceptions import MissingKeyPropertiesError
from typing_extensions import override

from target_duckdb.columns import BIGINT_BITS, encode_into
from target_duckdb.errors import LoadError
from target_duckdb.flattening import Flattening
from target_duckdb.printable import named
from target_duckdb.rows import decoders
from target_duckdb.sdk import METADATA, MetadataSink
from target_duckdb.stamps import Stamps
from target_duckdb.table import DELETED_AT, Batch, Table
from target_duckdb.unknown import UnknownProperties
from target_duckdb.validator import Validator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    import duckdb
    from singer_sdk.sinks.core import BaseJSONSchemaValidator

    from target_duckdb.columns import Column, Json
    from target_duckdb.rows import Decoder
    from target_duckdb.target import TargetDuckDB

_MOMENT = {"type": ["null", "string"], "format": "date-time"}
_MOST_IGNORED = 100
"""Unknown properties up to which a record that has them is decoded as fast as another."""


@dataclass
class Progress:
    """What one run has seen of a stream, across all its schemas.

    Attributes:
        table: Name of its table, empty before its first schema.
        rows: Records written.
        versions: Table versions that records carried; None stands for records without one.
        announced: Version whose announcement waits for the end of the input.
        blank: Properties that were told of as blank.
        told: Columns of the loader that were told of.
        unknown: Properties of records that the schema lacks.
    """

    table: str = ""
    rows: int = 0
    versions: set[int | None] = field(default_factory=set)
    announced: int | None = None
    blank: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    unknown: UnknownProperties = field(default_factory=UnknownProperties)


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


class DuckDBSink(MetadataSink):
    """Collects a stream's records as staged rows and merges them into its table, one transaction a batch."""

    def __init__(
        self,
        target: TargetDuckDB,
        stream_name: str,
        schema: dict[str, Json],
        key_properties: Sequence[str] | None,
    ) -> None:
        self.target = target
        properties: Mapping[str, Json] = schema["properties"]
        self._refused = [name for name in properties if name.lower() in METADATA - {DELETED_AT}]
        tidy = {
            DELETED_AT if name.lower() == DELETED_AT else name: _MOMENT if name.lower() == DELETED_AT else inner
            for name, inner in properties.items()
            if name not in self._refused
        }
        super().__init__(target, stream_name, {**schema, "properties": tidy}, key_properties)
        self.progress = target.progress.setdefault(stream_name, Progress())
        self.staged = bytearray()
        self._rows = 0
        self._longest = 0
        self._version: int | None = None
        self.is_open = False
        self._is_rehearsed = False
        self._flattening: Flattening | None = None
        self._properties: dict[str, Json] = {}
        self._columns: list[Column] = []
        self._fits: list[tuple[str, str, Callable[[Json], Json]]] = []
        self._decoders: list[Decoder] = []
        self._stamp: Stamps | None = None
        self._known: set[str] = set()
        self._unknown: set[str] = set()
        self._blank, self._told = self.progress.blank, self.progress.told
        self._most_rows = self.max_size

    @property
    @override
    def current_size(self) -> int:
        """Rows that wait to be written."""
        return self._rows

    @override
    def get_validator(self) -> BaseJSONSchemaValidator | None:
        return Validator(self.stream_name, self.schema) if self.validate_schema else None

    @override
    def get_sink_record_counter(self) -> metrics.Counter:
        return metrics.record_counter(self.stream_name, log_interval=math.inf)

    @override
    def get_batch_processing_timer(self) -> metrics.Timer:
        return _QuietTimer(metrics.Metric.BATCH_PROCESSING_TIME, tags={metrics.Tag.STREAM: self.stream_name})

    @override
    def setup(self) -> None:
        """Nothing: `open` does it, since the SDK tells of an error in here in a line of its own."""

    def open(self) -> None:
        """Write what an earlier schema of the stream left, then make the table fit this one."""
        self.target.succeed(self)
        declared: Mapping[str, Json] = self.schema["properties"]
        if self.target.flattening:
            self._flattening = Flattening(declared, *self.target.flattening)
        properties = self._flattening.properties if self._flattening else declared
        if missing := [key for key in self.key_properties if key not in properties]:
            raise LoadError(f"stream {named(self.stream_name)}: its schema lacks the key property {named(missing[0])}.")
        self._known = {*declared, *self._refused}
        for name in self._refused:
            self._warn_of_metadata(name)
        with self.target.warehouse.transaction() as connection:
            self._find(connection)
            if not self._table.types:
                self.target.continued.find(self.stream_name, self.target.sources(self.stream_name))
        self._add_columns(properties)
        # DuckDB parses the dates: the SDK, which goes by this schema, would lose digits and quote what it cannot parse.
        self.schema = {"properties": {name: {} for name in declared}, "additionalProperties": True}
        self.is_open = True

    def _find(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Look for the stream's table as it stands in the file."""
        others = {one.table for name, one in self.target.progress.items() if name != self.stream_name}
        self._table = Table.find(connection, self.target.warehouse, self.stream_name, others)
        self.progress.table = self._table.short_name

    def settle(self, version: int | None) -> None:
        """Take the version of the first rows: by it a stream without a table has lost its earlier ones, or not."""
        if self.stream_name in self.target.continued.open:
            self.target.continued.settle(self.stream_name, version)
        if self._is_rehearsed:
            self._add_columns({})

    def _add_columns(self, properties: Mapping[str, Json]) -> None:
        """Make columns for more properties; rows that wait go by the columns that there were."""
        if self._rows:
            self.target.drain_one(self)
        self._properties |= properties
        keep = not self.target.continued.is_rehearsed(self.stream_name)
        with self.target.warehouse.transaction(keep=keep) as connection:
            if self._is_rehearsed:
                self._find(connection)
            self._columns = self._table.evolve(connection, self._properties, self.key_properties)
        self._is_rehearsed = not keep
        self._fits = [(column.staged, column.source, column.fit) for column in self._columns]
        if self.include_sdc_metadata_properties:
            self._stamp = Stamps(self._columns, self.sync_started_at)
        self._make_decoders()

    def _make_decoders(self) -> None:
        ignored = (self._known | self._unknown) - {column.source for column in self._columns}
        self._decoders = decoders(self._columns, self.key_properties, ignored)

    @override
    def start_batch(self, context: dict[str, Any]) -> None:
        if self._stamp:
            self._stamp.batched = context["batch_start_time"].isoformat()

    def take(self, record: msgspec.Raw | bytes | str, version: int | None, extracted: str | None) -> bool:
        """Stage a record from its JSON text; False, and nothing done, if it is not as the schema says.

        Args:
            record: The record.
            version: Table version of its message.
            extracted: Time of extraction of its message.
        """
        for decode, fits, ignored in self._decoders:
            try:
                row = decode(record)
                for key in ignored:
                    setattr(row, key, None)
                if self._stamp:
                    if self._stamp.finds_values(row):
                        return False
                    if self._pending_batch is None:
                        self._get_context({})
                    self._stamp(row, version, extracted)
                for key, fit in fits:
                    value = getattr(row, key)
                    if value is not None:
                        value = fit(value)
                        if value is None:
                            self._warn_of_blank(key)
                        setattr(row, key, value)
            except (msgspec.DecodeError, ValueError, RecursionError, InvalidOperation):
                continue
            self._stage(row, version)
            return True
        return False

    def add(self, record: Mapping[str, Json], version: int | None) -> None:
        """Stage a record; LoadError names the column whose value does not fit."""
        if not self._columns:
            raise LoadError(
                f"stream {named(self.stream_name)}: its schema names no property, so no record can be stored."
            )
        row: dict[str, Json] = {}
        for column, (name, source, fit) in zip(self._columns, self._fits, strict=True):
            value = record.get(source)
            if value is not None:
                try:
                    row[name] = fit(value)
                except ValueError as reason:
                    raise LoadError(
                        f"stream {named(self.stream_name)}, column {named(source)}: a value {reason}."
                    ) from None
                if row[name] is None:
                    self._warn_of_blank(column.key)
        self._stage(row, version)

    def _stage(self, row: object, version: int | None) -> None:
        """Write a row, an object or a dict, to what waits, and that to the file when it is enough."""
        if version != self._version or not self._rows:
            self._begin(version)
        staged = self.staged
        before = len(staged)
        encode_into(row, staged, -1)
        staged += b"\n"
        size = len(staged) - before
        if size > self._longest:  # noqa: PLR1730  # a call of max() would be a tenth of the row's time
            self._longest = size
        self._rows += 1
        target = self.target
        target.staged += size
        if target.staged >= target.most_bytes or self._rows >= self._most_rows:
            target.write_enough(self)

    def _begin(self, version: int | None) -> None:
        """Begin a batch of rows of this version."""
        self.target.drain_one(self)
        if version is not None and not (type(version) is int and version.bit_length() <= BIGINT_BITS):
            raise LoadError(f"stream {named(self.stream_name)}: a table version is not an integer of 64 bits.")
        self.settle(version)
        self._version = version
        self.progress.versions.add(version)

    @property
    @override
    def is_full(self) -> bool:
        """Whether it has as many rows as a batch may have."""
        return self._rows >= self._most_rows

    def _warn_of_unknown(self, record: Mapping[str, Json]) -> None:
        new = record.keys() - self._known - self._unknown
        self.progress.unknown.tell(self.stream_name, new, self.logger)
        if new and len(self._unknown) + len(new) <= _MOST_IGNORED:
            self._unknown |= new
            self._make_decoders()

    def _warn_of_blank(self, key: str) -> None:
        """Tell once that blanks stand where a date or a time is meant."""
        column = next(column for column in self._columns if column.key == key)
        if column.source not in self._blank:
            self.logger.warning(
                "stream %s, column %s: text without a date or time in it is loaded as NULL.",
                named(self.stream_name),
                named(column.source),
            )
            self._blank.add(column.source)

    def _warn_of_metadata(self, name: str) -> None:
        """Tell once that what records hold in a column of the loader's is not loaded."""
        if name not in self._told:
            self.logger.warning(
                "stream %s: what its records hold in %s is not loaded: that column is the loader's own, written with "
                "add_record_metadata.",
                named(self.stream_name),
                named(name),
            )
            self._told.add(name)

    @override
    def take_metadata(self, record: dict[str, Json]) -> None:
        """Keep when a record was deleted, however that is spelled; tell of the rest, and take it out."""
        for name in [name for name in record if name.lower() in METADATA]:
            value = record.pop(name)
            column = name.lower()
            if column == DELETED_AT:
                record[column] = record.get(column) if value is None else value
                if value is not None and column not in self._properties:
                    self._known.add(column)
                    self._add_columns({column: _MOMENT})
            elif value is not None and name not in self._unknown:
                self._warn_of_metadata(name)
                self._unknown.add(name)
                self._make_decoders()
                if self._stamp:
                    self._stamp.forget(column)

    @override
    def preprocess_record(self, record: dict[str, Json], context: dict[str, Any]) -> dict[str, Json]:
        """Flatten a record if it is to be; refuse one without its key, absent or null, in a sentence of ours."""
        if not record.keys() <= self._known:
            self._warn_of_unknown(record)
        if self._flattening:
            record = self._flattening.row(record)
            if rests := (record.keys() & self._flattening.rests) - self._properties.keys():
                self._add_columns({name: {} for name in sorted(rests)})
        for key in self.key_properties:
            if record.get(key) is None:
                raise MissingKeyPropertiesError(
                    f"stream {named(self.stream_name)}, column {named(key)}: a record has no value in this "
                    "key property."
                )
        return record

    @override
    def process_record(self, record: dict[str, Json], context: dict[str, Any]) -> None:
        self.add(record, self.target.version)

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        """Merge the staged rows into the table, all or nothing."""
        directory = self.config.get("temp_dir")
        with (
            self.target.warehouse.transaction() as connection,
            tempfile.NamedTemporaryFile(prefix="target-duckdb-", suffix=".ndjson", dir=directory) as file,
        ):
            file.write(self.staged)
            file.flush()
            batch = Batch(Path(file.name), self._longest, self._version if self._stamp is None else None)
            self._table.merge(connection, batch, self._columns, self.key_properties)
            if self.config.get("hard_delete") and DELETED_AT in self._properties:
                self._table.remove_deleted(connection)
        self.progress.rows += self._rows
        self.target.staged -= len(self.staged)
        self.staged, self._rows, self._longest = bytearray(), 0, 0

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
                "stream %s: a version was announced, but records came without one; no row is marked as deleted.",
                named(self.stream_name),
            )
            return
        if self._columns:
            with self.target.warehouse.transaction() as connection:
                self._table.retire(connection, version, remove=remove)
