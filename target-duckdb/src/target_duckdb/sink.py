"""The sink: stages the records of a stream and merges them into its table."""

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
from target_duckdb.metadata import Metadata
from target_duckdb.printable import quoted
from target_duckdb.rows import decoders
from target_duckdb.sdk import METADATA, MetadataSink
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
"""Maximum unknown properties that the decoders ignore."""


@dataclass
class StreamProgress:
    """Progress of a stream in one run, across all its schemas.

    Attributes:
        table: Name of the table, empty before the first SCHEMA.
        rows: Records written.
        versions: Table versions of the records; None stands for records without one.
        pending_version: Version of an ACTIVATE_VERSION that waits for the end of the input.
        warned_blank: Properties with a logged warning about blank strings.
        warned_metadata: Metadata columns with a logged warning.
        unknown: Properties of records that the schema lacks.
    """

    table: str = ""
    rows: int = 0
    versions: set[int | None] = field(default_factory=set)
    pending_version: int | None = None
    warned_blank: set[str] = field(default_factory=set)
    warned_metadata: set[str] = field(default_factory=set)
    unknown: UnknownProperties = field(default_factory=UnknownProperties)


class _QuietTimer(metrics.Timer):
    """A timer that logs nothing."""

    @override
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        pass


class DuckDBSink(MetadataSink):
    """Stages the records of a stream, and merges them into its table in one transaction per batch."""

    def __init__(
        self,
        target: TargetDuckDB,
        stream_name: str,
        schema: dict[str, Json],
        key_properties: Sequence[str] | None,
    ) -> None:
        self.target = target
        properties: Mapping[str, Json] = schema["properties"]
        self._reserved = [name for name in properties if name.lower() in METADATA - {DELETED_AT}]
        tidy = {
            DELETED_AT if name.lower() == DELETED_AT else name: _MOMENT if name.lower() == DELETED_AT else inner
            for name, inner in properties.items()
            if name not in self._reserved
        }
        super().__init__(target, stream_name, {**schema, "properties": tidy}, key_properties)
        self.progress = target.progress.setdefault(stream_name, StreamProgress())
        self.staged = bytearray()
        self._rows = 0
        self._longest = 0
        self._version: int | None = None
        self.is_open = False
        self._is_dry_run = False
        self._flattening: Flattening | None = None
        self._properties: dict[str, Json] = {}
        self._columns: list[Column] = []
        self._fits: list[tuple[str, str, Callable[[Json], Json]]] = []
        self._decoders: list[Decoder] = []
        self._sdc_metadata: Metadata | None = None
        self._known: set[str] = set()
        self._unknown: set[str] = set()
        self._warned_blank, self._warned_metadata = self.progress.warned_blank, self.progress.warned_metadata
        self._most_rows = self.max_size

    @property
    @override
    def current_size(self) -> int:
        """Number of staged rows."""
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
        """Do nothing: `open` does it, because the SDK logs an error of `setup` a second time."""

    def open(self) -> None:
        """Write the rows of the stream's earlier schema, then create or widen the table for this one."""
        self.target.register_sink(self)
        declared: Mapping[str, Json] = self.schema["properties"]
        if self.target.flattening:
            self._flattening = Flattening(declared, *self.target.flattening)
        properties = self._flattening.properties if self._flattening else declared
        if missing := [key for key in self.key_properties if key not in properties]:
            raise LoadError(
                f"stream {quoted(self.stream_name)}: the schema lacks the key property {quoted(missing[0])}."
            )
        self._known = {*declared, *self._reserved}
        for name in self._reserved:
            self._warn_about_metadata(name)
        with self.target.warehouse.transaction() as connection:
            self._find_table(connection)
            if not self._table.types:
                self.target.missing_tables.add(self.stream_name, self.target.sources(self.stream_name))
        self._add_columns(properties)
        # DuckDB parses dates. The SDK, given the schema, would lose digits, and quote values that it cannot parse.
        self.schema = {"properties": {name: {} for name in declared}, "additionalProperties": True}
        self.is_open = True

    def _find_table(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Find the stream's table in the file."""
        others = {one.table for name, one in self.target.progress.items() if name != self.stream_name}
        self._table = Table.find(connection, self.target.warehouse, self.stream_name, others)
        self.progress.table = self._table.short_name

    def check_first_version(self, version: int | None) -> None:
        """Decide by the version of the first record whether a stream without a table misses earlier rows."""
        if self.stream_name in self.target.missing_tables.undecided:
            self.target.missing_tables.resolve(self.stream_name, version)
        if self._is_dry_run:
            self._add_columns({})

    def _add_columns(self, properties: Mapping[str, Json]) -> None:
        """Add columns for more properties, after the staged rows are written with the columns so far."""
        if self._rows:
            self.target.drain_one(self)
        self._properties |= properties
        keep = not self.target.missing_tables.is_dry_run(self.stream_name)
        with self.target.warehouse.transaction(keep=keep) as connection:
            if self._is_dry_run:
                self._find_table(connection)
            self._columns = self._table.evolve(connection, self._properties, self.key_properties)
        self._is_dry_run = not keep
        self._fits = [(column.staged, column.source, column.fit) for column in self._columns]
        if self.include_sdc_metadata_properties:
            self._sdc_metadata = Metadata(self._columns, self.sync_started_at)
        self._make_decoders()

    def _make_decoders(self) -> None:
        ignored = (self._known | self._unknown) - {column.source for column in self._columns}
        self._decoders = decoders(self._columns, self.key_properties, ignored)

    @override
    def start_batch(self, context: dict[str, Any]) -> None:
        if self._sdc_metadata:
            self._sdc_metadata.batched = context["batch_start_time"].isoformat()

    def stage_json(self, record: msgspec.Raw | bytes | str, version: int | None, extracted: str | None) -> bool:
        """Stage a record from its JSON text; return False, and do nothing, if it does not match the schema.

        Args:
            record: The record.
            version: Table version of its message.
            extracted: `time_extracted` of its message.
        """
        for decode, fits, ignored in self._decoders:
            try:
                row = decode(record)
                for key in ignored:
                    setattr(row, key, None)
                if self._sdc_metadata:
                    if self._sdc_metadata.has_values(row):
                        return False
                    if self._pending_batch is None:
                        self._get_context({})
                    self._sdc_metadata(row, version, extracted)
                for key, fit in fits:
                    value = getattr(row, key)
                    if value is not None:
                        value = fit(value)
                        if value is None:
                            self._warn_about_blank(key)
                        setattr(row, key, value)
            except (msgspec.DecodeError, ValueError, RecursionError, InvalidOperation):
                continue
            self._append(row, version)
            return True
        return False

    def stage_record(self, record: Mapping[str, Json], version: int | None) -> None:
        """Stage a decoded record.

        Raises:
            LoadError: A value is not of its column's type.
        """
        if not self._columns:
            raise LoadError(f"stream {quoted(self.stream_name)}: the schema has no properties to load.")
        row: dict[str, Json] = {}
        for column, (name, source, fit) in zip(self._columns, self._fits, strict=True):
            value = record.get(source)
            if value is not None:
                try:
                    row[name] = fit(value)
                except ValueError as reason:
                    raise LoadError(
                        f"stream {quoted(self.stream_name)}, column {quoted(source)}: a value {reason}."
                    ) from None
                if row[name] is None:
                    self._warn_about_blank(column.key)
        self._append(row, version)

    def _append(self, row: object, version: int | None) -> None:
        """Append a row to the staged rows, and write them to the file if the batch is full."""
        if version != self._version or not self._rows:
            self._begin_batch(version)
        staged = self.staged
        before = len(staged)
        encode_into(row, staged, -1)
        staged += b"\n"
        size = len(staged) - before
        if size > self._longest:  # noqa: PLR1730  # a call of max() would be a tenth of the row's time
            self._longest = size
        self._rows += 1
        target = self.target
        target.staged_bytes += size
        if target.staged_bytes >= target.max_staged_bytes or self._rows >= self._most_rows:
            target.drain_full(self)

    def _begin_batch(self, version: int | None) -> None:
        """Begin a batch of rows with a version."""
        self.target.drain_one(self)
        if version is not None and not (type(version) is int and version.bit_length() <= BIGINT_BITS):
            raise LoadError(f"stream {quoted(self.stream_name)}: a table version is not a 64-bit integer.")
        self.check_first_version(version)
        self._version = version
        self.progress.versions.add(version)

    @property
    @override
    def is_full(self) -> bool:
        """True if the batch has its maximum of rows."""
        return self._rows >= self._most_rows

    def _warn_about_unknown(self, record: Mapping[str, Json]) -> None:
        new = record.keys() - self._known - self._unknown
        self.progress.unknown.warn(self.stream_name, new, self.logger)
        if new and len(self._unknown) + len(new) <= _MOST_IGNORED:
            self._unknown |= new
            self._make_decoders()

    def _warn_about_blank(self, key: str) -> None:
        """Log a warning, once per column, that a blank string is loaded as NULL."""
        column = next(column for column in self._columns if column.key == key)
        if column.source not in self._warned_blank:
            self.logger.warning(
                "stream %s, column %s: a blank string instead of a date or time is loaded as NULL.",
                quoted(self.stream_name),
                quoted(column.source),
            )
            self._warned_blank.add(column.source)

    def _warn_about_metadata(self, name: str) -> None:
        """Log a warning, once per column, that the records' own values in a metadata column are not loaded."""
        if name not in self._warned_metadata:
            self.logger.warning(
                "stream %s: the records' own values in the metadata column %s are not loaded.",
                quoted(self.stream_name),
                quoted(name),
            )
            self._warned_metadata.add(name)

    @override
    def remove_metadata(self, record: dict[str, Json]) -> None:
        """Keep `_sdc_deleted_at`, in small letters; remove the other metadata, with a warning."""
        for name in [name for name in record if name.lower() in METADATA]:
            value = record.pop(name)
            column = name.lower()
            if column == DELETED_AT:
                record[column] = record.get(column) if value is None else value
                if value is not None and column not in self._properties:
                    self._known.add(column)
                    self._add_columns({column: _MOMENT})
            elif value is not None and name not in self._unknown:
                self._warn_about_metadata(name)
                self._unknown.add(name)
                self._make_decoders()
                if self._sdc_metadata:
                    self._sdc_metadata.forget(column)

    @override
    def preprocess_record(self, record: dict[str, Json], context: dict[str, Any]) -> dict[str, Json]:
        """Flatten a record if that is on; refuse one without a value in a key property."""
        if not record.keys() <= self._known:
            self._warn_about_unknown(record)
        if self._flattening:
            record = self._flattening.row(record)
            if rests := (record.keys() & self._flattening.rests) - self._properties.keys():
                self._add_columns({name: {} for name in sorted(rests)})
        for key in self.key_properties:
            if record.get(key) is None:
                raise MissingKeyPropertiesError(
                    f"stream {quoted(self.stream_name)}, column {quoted(key)}: a key property has no value."
                )
        return record

    @override
    def process_record(self, record: dict[str, Json], context: dict[str, Any]) -> None:
        self.stage_record(record, self.target.version)

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        """Merge the staged rows into the table in one transaction."""
        directory = self.config.get("temp_dir")
        with (
            self.target.warehouse.transaction() as connection,
            tempfile.NamedTemporaryFile(prefix="target-duckdb-", suffix=".ndjson", dir=directory) as file,
        ):
            file.write(self.staged)
            file.flush()
            batch = Batch(Path(file.name), self._longest, self._version if self._sdc_metadata is None else None)
            self._table.merge(connection, batch, self._columns, self.key_properties)
            if self.config.get("hard_delete") and DELETED_AT in self._properties:
                self._table.remove_deleted(connection)
        self.progress.rows += self._rows
        self.target.staged_bytes -= len(self.staged)
        self.staged, self._rows, self._longest = bytearray(), 0, 0

    @override
    def clean_up(self) -> None:
        """Do nothing: the target logs the number of rows once per stream, whatever the number of its schemas."""

    @override
    def activate_version(self, new_version: int) -> None:
        """Delete the rows of other versions if records of this one have come; else wait for the end of the input."""
        self.target.drain_one(self)
        self.progress.pending_version = new_version
        if new_version in self.progress.versions:
            self.delete_other_versions(remove=bool(self.config.get("hard_delete")))

    def delete_other_versions(self, *, remove: bool) -> None:
        """Soft-delete or delete the rows that are not of the pending version."""
        version, self.progress.pending_version = self.progress.pending_version, None
        if version is None:
            return
        if None in self.progress.versions:
            self.logger.warning(
                "stream %s: ACTIVATE_VERSION is ignored, because records came without a version; no row is "
                "soft-deleted.",
                quoted(self.stream_name),
            )
            return
        if self._columns:
            with self.target.warehouse.transaction() as connection:
                self._table.delete_other_versions(connection, version, remove=remove)
