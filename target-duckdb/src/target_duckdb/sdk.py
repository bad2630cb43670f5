"""Private parts of the SDK that records and their columns depend on, each with its reason.

`tests/test_sdk.py` and the project's `tests/test_private_parts.py` fail when one of them changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.helpers._flattening import flatten_key
from singer_sdk.mapper import MAPPER_FILTER_OPTION
from singer_sdk.sinks import BatchSink
from typing_extensions import override

from target_duckdb.errors import LoadError
from target_duckdb.printable import quoted

if TYPE_CHECKING:
    import ast
    from collections.abc import Sequence

    from singer_sdk.mapper import CustomStreamMap, PluginMapper

METADATA = {
    f"_sdc_{name}"
    for name in (
        "extracted_at",
        "received_at",
        "batched_at",
        "deleted_at",
        "sequence",
        "table_version",
        "sync_started_at",
    )
}
"""The columns that `_add_sdc_metadata_to_schema` adds to a stream."""


def flat_name(path: Sequence[str], separator: str, longest: int) -> str:
    """Return the SDK's name for the column of a nested property, so that warehouses and documentation agree."""
    return flatten_key(path[-1], list(path[:-1]), separator, max_key_length=longest)


def without_flattening(mapper: PluginMapper) -> tuple[int, str, int] | None:
    """Switch the SDK's flattening off; return its depth, separator and maximum name length if it was on.

    The options have no public name, and the SDK's flattening loses values (see `flattening`).
    """
    options = mapper.flattening_options
    mapper.flattening_options = type(options)(enabled=False)
    if not options.enabled or options.max_level <= 0:
        return None
    return options.max_level, options.separator, options.max_key_length


def explain_map_errors(stream_map: CustomStreamMap) -> None:
    """Make an error of a stream map name the stream and the column.

    The SDK raises the expression's own error, which may quote the record.
    """
    if "_eval" in vars(stream_map):  # explained at an earlier SCHEMA message
        return
    evaluate = stream_map._eval  # noqa: SLF001  # see above

    def explained(expr: str, expr_parsed: ast.Expr, record: dict[str, Any], property_name: str | None) -> Any:
        try:
            return evaluate(expr=expr, expr_parsed=expr_parsed, record=record, property_name=property_name)
        except Exception as error:  # an expression may raise anything
            column, kind = property_name or MAPPER_FILTER_OPTION, type(error.__cause__ or error).__name__
            raise LoadError(
                f"Setting `stream_maps`: {quoted(column)} of stream {quoted(stream_map.stream_name)} fails on a record "
                f"({kind})."
            ) from error

    stream_map._eval = explained  # type: ignore[method-assign]  # noqa: SLF001  # see above


class MetadataSink(BatchSink):
    """A sink that handles the values that records themselves have in `_sdc_*` columns.

    The SDK overwrites them, or without `add_record_metadata` drops them and their columns, without a warning.
    """

    def remove_metadata(self, record: dict[str, Any]) -> None:
        """Remove the values that a record must not have in these columns."""

    @override
    def _add_sdc_metadata_to_record(
        self, record: dict[str, Any], message: dict[str, Any], context: dict[str, Any]
    ) -> None:
        self.remove_metadata(record)
        super()._add_sdc_metadata_to_record(record, message, context)

    @override
    def _remove_sdc_metadata_from_schema(self) -> None:
        """Nothing."""

    @override
    def _remove_sdc_metadata_from_record(self, record: dict[str, Any]) -> None:
        self.remove_metadata(record)
