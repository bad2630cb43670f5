"""The part of the loader that is its command: options, `--help`, a run, and its end."""

from __future__ import annotations

import json
import logging
import os
import signal
from abc import ABC, abstractmethod
from collections import ChainMap
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from singer_sdk import Target
from singer_sdk.plugin_base import _ConfigInput
from typing_extensions import override

from target_duckdb.entry_point import LoaderCommand
from target_duckdb.environment import from_environment, refuse_constant, unknown_variables
from target_duckdb.errors import LoadError
from target_duckdb.help import EPILOG, INTRODUCTION, with_help
from target_duckdb.settings import ALIASES, ENV_PREFIX, SETTINGS

if TYPE_CHECKING:
    from types import FrameType

    import click
    from singer_sdk.plugin_base import SingerCommand

# Value of --config that stands for the environment, and no file.
_ENVIRONMENT = "ENV"
# Seconds in which a run that is told to stop rolls back its transaction.
_GRACE = 1.0


class CommandLine(Target, ABC):
    """The part of the target that is its command."""

    _exit_code = 0

    def __init__(self, *, parse_env_config: bool = False, **kwargs: Any) -> None:
        self._parse_env_config = parse_env_config
        level = self.logger.level
        if not self.logger.isEnabledFor(logging.DEBUG):
            self.logger.setLevel(logging.WARNING)  # the SDK logs that it does not parse the environment
        try:
            super().__init__(**kwargs)
        finally:
            self.logger.setLevel(level)

    @abstractmethod
    def load(self, file_input: IO[str] | None = None) -> None:
        """Load all messages."""

    def from_environment(self) -> dict[str, Any]:
        """Return the settings that the environment has, if it is to be read.

        Raises:
            LoadError: With a sentence for each variable that cannot be used.
        """
        if not self._parse_env_config:
            return {}
        return from_environment(SETTINGS, ENV_PREFIX, os.environ, ALIASES)

    @classmethod
    @override
    def invoke(  # type: ignore[override]  # as in the SDK's Target, which narrows its base
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        file_input: IO[str] | None = None,
    ) -> None:
        """Read the settings, and load."""
        super(Target, cls).invoke(about=about, about_format=about_format)
        cls.print_version(print_fn=cls.logger.info)
        settings = config or _ConfigInput()
        target = cls(config=settings.config, parse_env_config=settings.parse_env)
        for sentence in unknown_variables(os.environ, ENV_PREFIX, [*SETTINGS["properties"], *ALIASES], target.config):
            cls.logger.warning("%s", sentence)
        target.load(file_input)

    @classmethod
    @override
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> _ConfigInput:
        try:
            # As bytes: editors and shells of Windows write UTF-8 with a byte-order mark, and UTF-16.
            files = [
                {**json.loads(Path(path).read_bytes(), parse_constant=refuse_constant)}
                for path in value
                if path != _ENVIRONMENT
            ]
        except OSError as error:
            # The value may be a secret.
            raise LoadError(f"--config takes the path of a file, or ENV: {type(error).__name__}.") from None
        except (ValueError, TypeError, RecursionError):
            raise LoadError("The config file is not a JSON object.") from None
        return _ConfigInput(dict(ChainMap(*reversed(files))), parse_env=_ENVIRONMENT in value)

    @classmethod
    @override
    def get_singer_command(cls) -> SingerCommand:
        command = super().get_singer_command()
        return LoaderCommand(
            name=command.name,
            callback=command.callback,
            context_settings=command.context_settings,
            params=with_help(command.params),
            help=INTRODUCTION,
            epilog=EPILOG,
            logger=cls.logger,
        )

    @classmethod
    @override
    def print_about(cls, output_format: str | None = None) -> None:
        """Print all settings; the SDK's plain text leaves out their defaults and descriptions."""
        super().print_about(output_format or "markdown")

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End at once, with the exit code of the signal.

        The SDK's handler drains its sinks in the middle of a write, and exits with 0. The next run goes on from the
        last STATE that was written: all rows before it are committed. Nothing here may wait for a lock, since the
        interrupted code may hold it. A second signal, or the end of the grace period, ends the process without a
        rollback.
        """
        if self._exit_code:
            os._exit(self._exit_code)
        self._exit_code = 128 + signum
        if hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, self._handle_termination)
            signal.setitimer(signal.ITIMER_REAL, _GRACE)
        raise SystemExit(self._exit_code)

    def _end_with_signal(self) -> None:
        """Raise SystemExit if a signal has come, whatever became of the one that its handler raised.

        DuckDB makes an error of its own of a signal that arrives during a query, and loses one during an import.
        """
        if self._exit_code:
            if hasattr(signal, "setitimer"):
                # At its end Python removes the handlers, and closing the file may take longer than the grace period.
                signal.setitimer(signal.ITIMER_REAL, 0)
            raise SystemExit(self._exit_code) from None
