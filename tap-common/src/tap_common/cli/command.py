"""The command of a tap: its options, a run, and how it ends."""

from __future__ import annotations

import os
import signal
from abc import ABC, abstractmethod
from collections import ChainMap
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar, Self, cast

from singer_sdk.plugin_base import _ConfigInput
from singer_sdk.tap_base import CliTestOptionValue, Tap
from typing_extensions import override

from tap_common.cli.about import SETTINGS
from tap_common.cli.connection_check import check_streams
from tap_common.cli.entry_point import TapCommand
from tap_common.cli.environment import from_environment
from tap_common.cli.given import loaded
from tap_common.cli.help import help_page, with_help
from tap_common.cli.log import quiet
from tap_common.cli.selection import apply_current_selection
from tap_common.errors import SettingsError
from tap_common.output.progress import Progress
from tap_common.settings import misspelled_variables
from tap_common.state.state import check_catalog

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from types import FrameType

    import click

    from tap_common.http.credential import Credential
    from tap_common.stream import APIStream
    from tap_common.tap import SchedulingTap

# Value of --config for the environment.
_ENVIRONMENT = "ENV"
# Seconds that a terminated run has to flush its output.
_GRACE = 1.0


class CommandLine(Tap, ABC):
    """The part of a tap that implements its command."""

    key_settings: ClassVar[Sequence[str]] = ("api_key", "start_date")
    """Common settings, for `--help`; `--about` has all."""
    plans: ClassVar[Mapping[int, str]] = {}
    """Plans by the number of requests that they allow per window, for `--test`."""

    _ending = 0

    def __init__(self, *, parse_env_config: bool = False, **kwargs: Any) -> None:
        self._takes_environment = parse_env_config
        with quiet(self.logger):
            super().__init__(**kwargs)

    def from_environment(self) -> dict[str, Any]:
        """Return the settings of the environment, with `--config=ENV`.

        Raises:
            SettingsError: A variable has a value of the wrong type.
        """
        if not self._takes_environment:
            return {}
        return from_environment(self.config_jsonschema, self.env_prefix(), os.environ)

    @property
    @abstractmethod
    def credentials(self) -> Sequence[Credential]:
        """A credential for each key."""

    @abstractmethod
    def run(self) -> None:
        """Sync all selected streams."""

    @abstractmethod
    def close(self) -> None:
        """Stop background work."""

    @property
    def keys(self) -> Mapping[str, Credential]:
        """Credentials by the name of their key in messages, such as "Key 1 of 2"."""
        if len(self.credentials) == 1:
            return {"The key": self.credentials[0]}
        return {
            f"Key {place} of {len(self.credentials)}": credential
            for place, credential in enumerate(self.credentials, 1)
        }

    def owner(self, credential: Credential) -> str:  # noqa: ARG002 - for overriding
        """Return the owner of a key and the data that it reads, for `--test` only: it may be personal data."""
        return ""

    def account_of(self, credential: Credential) -> Collection[str]:  # noqa: ARG002 - for overriding
        """Return the names of a key's account, any of which `accounts` may use; none if the API does not say."""
        return ()

    @classmethod
    def env_prefix(cls) -> str:
        """Return the prefix of the settings' environment variables."""
        return f"{cls.name.upper().replace('-', '_')}_"

    @classmethod
    @abstractmethod
    def vendor_names(cls) -> Sequence[str]:
        """Return the names of the vendor in environment variables."""

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        return TapCommand(
            name=command.name,
            callback=command.callback,
            params=with_help(command.params),
            context_settings=command.context_settings,
            logger=cls.logger,
            page=help_page(cast("type[SchedulingTap]", cls)),
        )

    @classmethod
    @override
    def print_about(cls, output_format: str | None = None) -> None:
        super().print_about(output_format or SETTINGS)

    @classmethod
    @override
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> _ConfigInput:
        try:
            files = [loaded(Path(path).read_bytes()) for path in value if path != _ENVIRONMENT]
            return _ConfigInput(dict(ChainMap(*reversed(files))), parse_env=_ENVIRONMENT in value)
        except OSError as error:
            # The value is not shown, since it may be a key.
            raise SettingsError(f"--config takes the path of a file, or ENV: {type(error).__name__}.") from None
        except (ValueError, TypeError):
            raise SettingsError("The config file is not a JSON object.") from None

    @classmethod
    @override
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        """Print which streams the keys can read; exit with 1 if a run would end with an error.

        `--test=schema` is the SDK's.
        """
        if value in (CliTestOptionValue.Disabled.value, CliTestOptionValue.Schema.value):
            super().cb_test(ctx, param, value)
            return
        if value != CliTestOptionValue.All.value:
            ctx.fail("Use `--test` or `--test=schema`.")
        tap = cast("SchedulingTap", cls._of(*(ctx.params.get(name) for name in ("config", "state", "catalog"))))
        older = apply_current_selection(cast("list[APIStream]", list(tap.streams.values())), os.environ)
        if older and ctx.params.get("catalog") is not None:
            tap.logger.warning("%s", older)
        try:
            with Progress(tap):
                good = check_streams(tap, partial(print, flush=True))
        finally:
            tap.close()
        ctx.exit(0 if good else 1)

    @classmethod
    @override
    def invoke(  # type: ignore[override]  # as the SDK's own does to its base
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
    ) -> None:
        """Run with settings, state and catalog."""
        super(Tap, cls).invoke(about=about, about_format=about_format)
        cls.print_version(print_fn=cls.logger.info)
        tap = cls._of(config, state, catalog)
        try:
            tap.run()
        finally:
            tap.close()

    @classmethod
    def _of(cls, config: _ConfigInput | None, state: IO[str] | None, catalog: IO[str] | None) -> Self:
        """Return the tap for the command's options."""
        if catalog is not None:
            check_catalog(entries := _json(catalog, "catalog"))
        tap = cls(
            config=config.config if config else {},
            parse_env_config=config.parse_env if config else False,
            state=None if state is None else _json(state, "state"),
            catalog=None if catalog is None else entries,
        )
        for sentence in misspelled_variables(
            os.environ, cls.env_prefix(), tap.config_jsonschema["properties"], cls.vendor_names()
        ):
            tap.logger.warning("%s", sentence)
        return tap

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Exit at once, with the exit code of the signal.

        The SDK's handler would write a STATE in the middle of another message, and exit with 0; the next run continues
        from the last STATE that was written. Nothing here may wait for a lock, since the interrupted code may hold it.
        A second signal ends the process immediately. So does a target that reads no output for a second: it would
        block the process forever.
        """
        if self._ending:
            os._exit(self._ending)
        self._ending = 128 + signum
        if hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, self._handle_termination)
            signal.setitimer(signal.ITIMER_REAL, _GRACE)
        raise SystemExit(self._ending)


def _json(file: IO[str], what: str) -> dict[str, Any]:
    try:
        # Bytes, since editors and shells on Windows write UTF-8 with a byte-order mark, or UTF-16.
        content = loaded(file.buffer.read() if isinstance(file, TextIOWrapper) else file.read())
    except ValueError as error:
        raise SettingsError(f"The {what} file is not JSON: {error}.") from None
    if not isinstance(content, dict):
        raise SettingsError(f"The {what} file is not a JSON object.")
    return content
