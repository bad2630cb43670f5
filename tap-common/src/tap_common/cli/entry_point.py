"""The entry point of a tap: a one-sentence message for an error, and its exit code."""

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

from tap_common.cli.log import LONGEST, one_line_each, traced
from tap_common.cli.process import tuned_process
from tap_common.http.clock import StoppedError
from tap_common.http.connection_errors import connection_error_reason, origin
from tap_common.http.unreadable import unreadable_reason
from tap_common.printable import printable

if TYPE_CHECKING:
    from typing import NoReturn

    from tap_common.cli.help import Page


class TapCommand(SingerCommand):
    """The SDK's command, without tracebacks, which may quote secrets or personal data; DEBUG shows them."""

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
        except click.UsageError as error:  # its message quotes the argument
            raise click.UsageError(printable(error.format_message(), LONGEST), ctx) from None

    @override
    def main(self, *args: Any, **kwargs: Any) -> Any:
        with tuned_process(), one_line_each(self.logger):
            return self._main(*args, **kwargs)

    def _main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().main(*args, **kwargs)
        except SystemExit as ended:
            if ended.code:
                self._leave(ended.code if isinstance(ended.code, int) else 1)
            raise
        except Exception as error:  # noqa: BLE001 - the last resort, which names the place
            self._end(error_message(error) or self._unexpected(error), error)

    def _unexpected(self, error: Exception) -> str:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return (
            f"Unexpected {type(error).__name__} in {place.name} ({place.filename}:{place.lineno}); "
            f"run with {self.logger.name.upper().replace('-', '_')}_LOGLEVEL=DEBUG to see more."
        )

    def _end(self, sentence: str, error: BaseException) -> NoReturn:
        self.logger.error("%s", sentence)
        if _is_shown_raw():
            print(printable(sentence, LONGEST), file=sys.stderr)  # noqa: T201 - a line for its reader
        if self.logger.isEnabledFor(logging.DEBUG):
            print(traced(error), file=sys.stderr)  # noqa: T201 - the same
        self._leave(1)

    @staticmethod
    def _leave(code: int) -> NoReturn:
        """Exit now: Python would wait for requests in other threads."""
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, AttributeError):  # full, or closed
                stream.flush()
        os._exit(code)


def error_message(error: Exception) -> str | None:
    """Return the message of an error that ends a run; None for an unexpected one."""
    if isinstance(error, SingerSDKError):
        return str(error) or type(error).__name__
    if isinstance(error, StoppedError):
        return "Stopped."
    return connection_error_message(error)


def connection_error_message(error: Exception) -> str | None:
    """Return the message of an error of `requests`; None for another error."""
    request = getattr(error, "request", None)
    if not isinstance(request, requests.PreparedRequest):
        return None
    url = str(request.url)
    where = f"{printable(origin(url))} (setting `api_url`)"
    if why := unreadable_reason(error):
        return f"A response of the API at {where} cannot be read: {why}."
    return f"The API could not be reached at {where}: {connection_error_reason(error, url)}."


def _is_shown_raw() -> bool:
    """Return True if the log is JSON and goes to the same file as the messages, as with `meltano config test`.

    Meltano shows the last line unparsed there.
    """
    if not any(isinstance(handler.formatter, StructuredFormatter) for handler in logging.getLogger().handlers):
        return False
    try:
        return os.path.samestat(os.fstat(1), os.fstat(2))
    except OSError:  # closed
        return False
