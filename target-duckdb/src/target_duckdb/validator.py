"""Validation of whole records against their JSON schema, for the setting `validate_records`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.exceptions import Unresolvable
from singer_sdk.exceptions import InvalidJSONSchema
from singer_sdk.sinks.core import JSONSchemaValidator
from typing_extensions import override

from target_duckdb.errors import LoadError
from target_duckdb.printable import is_name, quoted

if TYPE_CHECKING:
    from target_duckdb.columns import Json


class Validator(JSONSchemaValidator):
    """The SDK's validator, with errors that name the column and the rule instead of the value.

    Attributes:
        stream: Name of the stream.
    """

    def __init__(self, stream: str, schema: dict[str, Json]) -> None:
        self.stream = stream
        try:
            super().__init__(schema)
            # The default registry would fetch the URL of a $ref.
            self.validator = Draft202012Validator(
                schema, format_checker=self.validator.format_checker, registry=Registry()
            )
        except (InvalidJSONSchema, RecursionError) as error:
            raise LoadError(
                f"stream {quoted(stream)}: its JSON schema is not valid, so that records cannot be validated."
            ) from error

    @override
    def validate(self, record: dict[str, Json]) -> None:
        """Raise LoadError if the record does not match its schema."""
        try:
            error = next(self.validator.iter_errors(record), None)
        except (Unresolvable, RecursionError, ArithmeticError) as failure:
            raise LoadError(
                f"stream {quoted(self.stream)}: its JSON schema cannot be applied to a record "
                f"({type(failure).__name__}): a $ref is unresolvable or circular, or a number is too "
                "large. Set validate_records to false."
            ) from failure
        if error is None:
            return
        column = (
            quoted(error.absolute_path[0]) if error.absolute_path and is_name(error.absolute_path[0]) else "the record"
        )
        rule = (
            f"{error.validator}: {error.validator_value}"
            if error.validator in {"type", "required"}
            else error.validator
        )
        raise LoadError(f"stream {quoted(self.stream)}: {column} breaks the rule {quoted(rule)} of its schema.")
