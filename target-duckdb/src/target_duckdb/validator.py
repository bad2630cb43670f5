"""The check of whole records against their JSON schema, which `validate_records` asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk.exceptions import InvalidJSONSchema
from singer_sdk.sinks.core import JSONSchemaValidator
from typing_extensions import override

from target_duckdb.errors import LoadError

if TYPE_CHECKING:
    from target_duckdb.columns import Json


class Validator(JSONSchemaValidator):
    """The SDK's check of a record, whose error names the column and the rule instead of the value.

    Attributes:
        stream: Name of the stream.
    """

    def __init__(self, stream: str, schema: dict[str, Json]) -> None:
        self.stream = stream
        try:
            super().__init__(schema)
        except InvalidJSONSchema as error:
            raise LoadError(
                f"stream {stream!r}: its schema is not valid, so no record can be checked by it."
            ) from error

    @override
    def validate(self, record: dict[str, Json]) -> None:
        """Raise a LoadError if the record is not as its schema says."""
        error = next(self.validator.iter_errors(record), None)
        if error is None:
            return
        column = repr(error.absolute_path[0]) if error.absolute_path else "the record"
        rule = (
            f"{error.validator}: {error.validator_value}"
            if error.validator in {"type", "required"}
            else error.validator
        )
        raise LoadError(f"stream {self.stream!r}: {column} breaks the rule {rule!r} of its schema.")
