"""Everything of the SDK's private parts that records and their columns depend on, each with its reason.

`tests/test_sdk.py` fails when one of them changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.helpers._flattening import flatten_key
from singer_sdk.mapper import MAPPER_FILTER_OPTION
from singer_sdk.sinks import BatchSink
from typing_extensions import override

from target_duckdb.errors import LoadError
from target_duckdb.printable import named

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
    """Name of the column of a nested property: the SDK's, so that warehouses and documentation agree."""
    return flatten_key(path[-1], list(path[:-1]), separator, max_key_length=longest)


def without_flattening(mapper: PluginMapper) -> tuple[int, str, int] | None:
    """Switch the SDK's flattening off; returns its depth, separator and longest name if it was on.

    It is switched by options of which the SDK tells nobody, and loses values (see `flattening`).
    """
    options = mapper.flattening_options
    mapper.flattening_options = type(options)(enabled=False)
    if not options.enabled or options.max_level <= 0:
        return None
    return options.max_level, options.separator, options.max_key_length


def name_failures(stream_map: CustomStreamMap) -> None:
    """Have a stream map that fails on a record say of which stream and column it is.

    The SDK lets through whatever the expression raises, and that may quote the record.
    """
    if "_eval" in vars(stream_map):  # done when the schema came before
        return
    evaluate = stream_map._eval  # noqa: SLF001  # see above

    def told(expr: str, expr_parsed: ast.Expr, record: dict[str, Any], property_name: str | None) -> Any:
        try:
            return evaluate(expr=expr, expr_parsed=expr_parsed, record=record, property_name=property_name)
        except Exception as error:  # an expression may raise anything
            column, kind = property_name or MAPPER_FILTER_OPTION, type(error.__cause__ or error).__name__
            raise LoadError(
                f"stream {named(stream_map.stream_name)}: the expression of stream_maps for {named(column)} failed for "
                f"a record ({kind}). Change it so that it suits every record."
            ) from error

    stream_map._eval = told  # type: ignore[method-assign]  # noqa: SLF001  # see above


class MetadataSink(BatchSink):
    """A sink that sees what records hold in the columns of the SDK.

    The SDK overwrites it, or without `add_record_metadata` drops it, and the columns of the schema with it, without a
    word.
    """

    def take_metadata(self, record: dict[str, Any]) -> None:
        """Take out of a record what it must not hold in these columns."""

    @override
    def _add_sdc_metadata_to_record(
        self, record: dict[str, Any], message: dict[str, Any], context: dict[str, Any]
    ) -> None:
        self.take_metadata(record)
        super()._add_sdc_metadata_to_record(record, message, context)

    @override
    def _remove_sdc_metadata_from_schema(self) -> None:
        """Nothing."""

    @override
    def _remove_sdc_metadata_from_record(self, record: dict[str, Any]) -> None:
        self.take_metadata(record)
