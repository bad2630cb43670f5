"""The command line of the loader: one sentence for an error, and an honest exit code."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any, NoReturn

import click
from singer_sdk.exceptions import MappingError, SyncError
from singer_sdk.plugin_base import SingerCommand
from singer_sdk.singerlib.exceptions import InvalidInputLine
from typing_extensions import override

from target_duckdb.errors import LoadError
from target_duckdb.log import LONGEST, format_traceback, one_line_each
from target_duckdb.printable import path_of, printable

_EXPECTED = (LoadError, MappingError, SyncError, InvalidInputLine)


class LoaderCommand(SingerCommand):
    """The SDK's command, ended without a traceback: it may quote a record (shown at DEBUG)."""

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:  # which quotes the arguments
            raise click.UsageError(printable(error.format_message(), LONGEST), ctx) from None

    @override
    def main(self, *args: Any, **kwargs: Any) -> Any:
        with one_line_each(self.logger):
            try:
                return super().main(*args, **kwargs)
            except _EXPECTED as error:
                self._end(str(error), error)
            except Exception as error:  # noqa: BLE001  # the last resort, which names the place and repeats no value
                self._end(self._unexpected(error), error)

    def _unexpected(self, error: Exception) -> str:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return (
            f"{type(error).__name__} in {place.name} ({path_of(place.filename)}:{place.lineno}), which was not "
            f"foreseen; run with {self.logger.name.upper().replace('-', '_')}_LOGLEVEL=DEBUG to see more."
        )

    def _end(self, sentence: str, error: Exception) -> NoReturn:
        self.logger.error("%s", sentence)
        if self.logger.isEnabledFor(logging.DEBUG):
            print(format_traceback(error), file=sys.stderr)  # noqa: T201  # lines for a reader, not for a log
        sys.exit(1)
