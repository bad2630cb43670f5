"""Rows of things that have a secret, such as webhooks, without all that may be one."""

from __future__ import annotations

import logging
import re
from abc import ABC
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from typing_extensions import override

from tap_common.cli.selection import names
from tap_common.output.conform import EXTRA
from tap_common.stream import APIStream

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

_HOST = re.compile(r"([\w.-]+|\[[0-9a-fA-F:.]+\])(:[0-9]+)?")


class Redacted(APIStream, ABC):
    """A stream of things that have a secret: what its schema does not know counts as one, and is not kept.

    Vendors name secrets, and nest them, as they like; so only columns are kept, of addresses (`x-secret` is `redacted`)
    their public part, and `_extra` is always null.
    """

    selected_by_default = False
    keeps_odd_values = False

    @override
    def transform_record(self, row: Record) -> Record:
        refined = super().transform_record(row)
        columns = {name: column for name, column in self.schema["properties"].items() if name != EXTRA}
        if unknown := refined.keys() - columns.keys():
            self.log("Not kept, as it may be a secret: %s.", names(sorted(unknown)), level=logging.DEBUG)
        return {
            name: public(value) if columns[name].get("x-secret") == "redacted" else value
            for name, value in refined.items()
            if name in columns
        }

    @override
    def to_record(self, row: Record, context: Context) -> Record:
        """Return the row of the table; a value that its column cannot hold is not kept either."""
        return super().to_record(row, context) | {EXTRA: None}


def public(address: Any) -> str | None:
    """Scheme, host and port of an address; None for what is none."""
    try:
        parts = urlsplit(address if isinstance(address, str) else "")
    except ValueError:
        return None
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}" if parts.scheme and _HOST.fullmatch(host) else None
