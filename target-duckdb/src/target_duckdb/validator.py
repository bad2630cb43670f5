"""The check of whole records against their JSON schema, which `validate_records` asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.exceptions import Unresolvable
from singer_sdk.exceptions import InvalidJSONSchema
from singer_sdk.sinks.core import JSONSchemaValidator
from typing_extensions import override

from target_duckdb.errors import LoadError
from target_duckdb.printable import is_name, named

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
            # The registry that it has by default fetches what a $ref names.
            self.validator = Draft202012Validator(
                schema, format_checker=self.validator.format_checker, registry=Registry()
            )
        except (InvalidJSONSchema, RecursionError) as error:
            raise LoadError(
                f"stream {named(stream)}: its schema is not valid, so no record can be checked by it."
            ) from error

    @override
    def validate(self, record: dict[str, Json]) -> None:
        """Raise a LoadError if the record is not as its schema says."""
        try:
            error = next(self.validator.iter_errors(record), None)
        except (Unresolvable, RecursionError, ArithmeticError) as failure:
            raise LoadError(
                f"stream {named(self.stream)}: its schema cannot be applied to a record ({type(failure).__name__}): a "
                "$ref leads nowhere, or in a circle, or a number is beyond its rule. Set validate_records to false."
            ) from failure
        if error is None:
            return
        column = (
            named(error.absolute_path[0]) if error.absolute_path and is_name(error.absolute_path[0]) else "the record"
        )
        rule = (
            f"{error.validator}: {error.validator_value}"
            if error.validator in {"type", "required"}
            else error.validator
        )
        raise LoadError(f"stream {named(self.stream)}: {column} breaks the rule {named(rule)} of its schema.")
