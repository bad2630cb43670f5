"""The command line of a tap: one sentence for an error that its user can mend, and an honest exit code."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click
import requests
from singer_sdk.exceptions import SingerSDKError
from singer_sdk.logging import StructuredFormatter
from singer_sdk.plugin_base import SingerCommand
from typing_extensions import override

from tap_common.cli.log_records import LONGEST, one_line_each, traced
from tap_common.cli.process import room
from tap_common.http.clock import StoppedError
from tap_common.http.connection_errors import origin, reason
from tap_common.http.unreadable import fault
from tap_common.printable import printable

if TYPE_CHECKING:
    from typing import NoReturn

    from tap_common.cli.help import Page


class TapCommand(SingerCommand):
    """The SDK's command, ended without a traceback: it may quote what must not be in a log (shown at DEBUG)."""

    def __init__(self, *args: Any, page: Page, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._page = page

    @override
    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self._page.begin(formatter)

    @override
    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self._page.end(formatter)

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:  # which quotes what was typed
            raise click.UsageError(printable(error.format_message(), LONGEST), ctx) from None

    @override
    def main(self, *args: Any, **kwargs: Any) -> Any:
        with room(), one_line_each(self.logger):
            return self._main(*args, **kwargs)

    def _main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().main(*args, **kwargs)
        except SystemExit as ended:
            if ended.code:
                self._leave(ended.code if isinstance(ended.code, int) else 1)
            raise
        except Exception as error:  # noqa: BLE001 - the last resort, which says where and hides nothing
            self._end(sentence_about(error) or self._unforeseen(error), error)

    def _unforeseen(self, error: Exception) -> str:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return (
            f"{type(error).__name__} in {place.name} ({place.filename}:{place.lineno}), which was not foreseen; "
            f"run with {self.logger.name.upper().replace('-', '_')}_LOGLEVEL=DEBUG to see more."
        )

    def _end(self, sentence: str, error: BaseException) -> NoReturn:
        self.logger.error("%s", sentence)
        if _shown_as_it_is():
            print(printable(sentence, LONGEST), file=sys.stderr)  # noqa: T201 - a line for its reader
        if self.logger.isEnabledFor(logging.DEBUG):
            print(traced(error), file=sys.stderr)  # noqa: T201 - the same
        self._leave(1)

    @staticmethod
    def _leave(code: int) -> NoReturn:
        """End now: Python would wait for requests that are under way in other threads."""
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, AttributeError):  # full, or closed
                stream.flush()
        os._exit(code)


def sentence_about(error: Exception) -> str | None:
    """Return the sentence with which a run ends that an error has ended; None for an error that nobody foresaw."""
    if isinstance(error, SingerSDKError):
        return str(error) or type(error).__name__
    if isinstance(error, StoppedError):
        return "Stopped."
    return unreached(error)


def unreached(error: Exception) -> str | None:
    """Return the sentence about a request that came to nothing; None where the error is not about one."""
    request = getattr(error, "request", None)
    if not isinstance(request, requests.PreparedRequest):
        return None
    url = str(request.url)
    where = f"{printable(origin(url))} (setting `api_url`)"
    if why := fault(error):
        return f"An answer of the API at {where} cannot be read: {why}."
    return f"The API could not be reached at {where}: {reason(error, url)}."


def _shown_as_it_is() -> bool:
    """Whether the log is JSON, and goes where the messages go: `meltano config test` shows its last line as it is."""
    if not any(isinstance(handler.formatter, StructuredFormatter) for handler in logging.getLogger().handlers):
        return False
    try:
        return os.path.samestat(os.fstat(1), os.fstat(2))
    except OSError:  # closed
        return False
