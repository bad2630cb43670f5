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
from target_duckdb.printable import keep_to_lines, path_of

_FORESEEN = (LoadError, MappingError, SyncError, InvalidInputLine)
_QUIET = ("singer_sdk.mapper",)
"""Loggers of the SDK that repeat the expressions of stream maps."""


class LoaderCommand(SingerCommand):
    """The SDK's command, ended without a traceback: it may quote a row (shown at DEBUG)."""

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:  # which quotes what was typed
            raise click.UsageError(path_of(error.format_message()), ctx) from None

    @override
    def main(self, *args: Any, **kwargs: Any) -> Any:
        keep_to_lines(logging.getLogger().handlers)
        if not self.logger.isEnabledFor(logging.DEBUG):
            for name in _QUIET:
                logging.getLogger(name).setLevel(logging.WARNING)
        try:
            return super().main(*args, **kwargs)
        except _FORESEEN as error:
            self._end(str(error), error)
        except Exception as error:  # noqa: BLE001  # the last resort, which says where and repeats no value
            place = traceback.extract_tb(error.__traceback__)[-1]
            self._end(
                f"{type(error).__name__} in {place.name} ({path_of(place.filename)}:{place.lineno}), which was not "
                "foreseen; run with TARGET_DUCKDB_LOGLEVEL=DEBUG to see more.",
                error,
            )

    def _end(self, sentence: str, error: Exception) -> NoReturn:
        self.logger.error("%s", sentence)
        self.logger.debug("Traceback:", exc_info=error)
        sys.exit(1)
