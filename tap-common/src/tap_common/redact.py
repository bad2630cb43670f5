"""Streams of objects with a secret, such as webhooks, without anything that may be one."""

from __future__ import annotations

import logging
import re
from abc import ABC
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from typing_extensions import override

from tap_common.cli.selection import list_names
from tap_common.output.conform import EXTRA
from tap_common.stream import APIStream

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

_HOST = re.compile(r"([\w.-]+|\[[0-9a-fA-F:.]+\])(:[0-9]+)?")


class Redacted(APIStream, ABC):
    """A stream of objects with a secret.

    The secret may be in any field, at any depth. So only the columns of the schema are kept; of URLs (`x-secret` is
    `redacted`) only scheme and host; and `_extra` is always null.
    """

    selected_by_default = False
    keeps_odd_values = False

    @override
    def transform_record(self, row: Record) -> Record:
        record = super().transform_record(row)
        columns = {name: column for name, column in self.schema["properties"].items() if name != EXTRA}
        if unknown := record.keys() - columns.keys():
            self.log("Not kept, as it may be a secret: %s.", list_names(sorted(unknown)), level=logging.DEBUG)
        return {
            name: public_origin(value) if columns[name].get("x-secret") == "redacted" else value
            for name, value in record.items()
            if name in columns
        }

    @override
    def to_record(self, row: Record, context: Context) -> Record:
        """Return the record, without values that do not fit their columns."""
        return super().to_record(row, context) | {EXTRA: None}


def public_origin(address: Any) -> str | None:
    """Return scheme, host and port of a URL; None for anything else."""
    try:
        parts = urlsplit(address if isinstance(address, str) else "")
    except ValueError:
        return None
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}" if parts.scheme and _HOST.fullmatch(host) else None
