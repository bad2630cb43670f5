"""The target: settings in, messages from standard input, state out once its rows are committed."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections import ChainMap
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar, cast

import click
from singer_sdk import Target
from singer_sdk.exceptions import ConfigValidationError, RecordsWithoutSchemaException
from singer_sdk.helpers.capabilities import PluginCapabilities, TargetCapabilities
from singer_sdk.mapper import CustomStreamMap, RemoveRecordTransform
from singer_sdk.plugin_base import _ConfigInput
from typing_extensions import override

from target_duckdb import page
from target_duckdb.batch_files import texts
from target_duckdb.command import LoaderCommand
from target_duckdb.continued import Continued
from target_duckdb.environment import from_environment, no_number, without_effect
from target_duckdb.errors import CutOffError, LoadError
from target_duckdb.lines import SHORT
from target_duckdb.lines import fault as fault_of
from target_duckdb.maps import fault
from target_duckdb.printable import named, path_of
from target_duckdb.reader import MessageReader, batch_record
from target_duckdb.sdk import name_failures, without_flattening
from target_duckdb.settings import (
    ALIASES,
    ENV_PREFIX,
    LOCK_TIMEOUT,
    MAX_LINE_BYTES,
    SETTINGS,
    STORAGE_COMPATIBILITY_VERSION,
    checked,
    renamed,
    resolved,
    taken_over,
)
from target_duckdb.sink import DuckDBSink, Progress
from target_duckdb.warehouse import Warehouse, file_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

    from singer_sdk.plugin_base import SingerCommand
    from singer_sdk.sinks import Sink

    from target_duckdb.reader import Taker

_STATE_EVERY = 10.0
"""Seconds after which a state is written at once, and not when the input ends."""
_GRACE = 1.0
"""Seconds in which a load that is told to stop takes back what it was writing."""
_UNHEARD = "The state cannot be written to standard output: {}. What was loaded stays; run again with the last state."


def _set_alarm(seconds: float) -> None:
    """Send this process a SIGALRM after so many seconds, or none, where there are such alarms."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


class TargetDuckDB(Target):
    """Singer target for DuckDB that loads every row, exactly.

    Attributes:
        warehouse: The DuckDB file.
        continued: The state that the run goes on from.
        progress: What this run has seen of each stream.
        longest: Most bytes of a line.
        flattening: Depth, separator and longest name of flattened columns; None where nothing is flattened.
        version: Table version of the message in hand, None if it has none.
        staged: Bytes of the rows that wait, of all streams together.
        most_bytes: Bytes of such rows at which the largest batch is written.
    """

    name = "target-duckdb"
    package_name = "scheduling-target-duckdb"
    config_jsonschema: ClassVar[dict[str, Any]] = SETTINGS
    default_sink_class = DuckDBSink
    message_reader_class = MessageReader
    capabilities: ClassVar[list[Any]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.BATCH,
        PluginCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.STRUCTURED_LOGGING,
        TargetCapabilities.VALIDATE_RECORDS,
        TargetCapabilities.HARD_DELETE,
        TargetCapabilities.TARGET_SCHEMA,
    ]

    most_bytes = 4 << 20
    _told_to_stop: int | None = None

    def __init__(self, *, parse_env_config: bool = False, **kwargs: Any) -> None:
        self._takes_environment = parse_env_config
        level = self.logger.level
        if not self.logger.isEnabledFor(logging.DEBUG):
            self.logger.setLevel(logging.WARNING)  # the SDK tells that it does not parse the environment
        try:
            super().__init__(**kwargs)
        finally:
            self.logger.setLevel(level)
        if not (self.config.get("filepath") or "").strip():
            complaint = "The setting 'filepath' is missing: the path of the DuckDB file to load into."
            raise ConfigValidationError(complaint, errors=[complaint], schema=SETTINGS)
        self.longest = self.config.get("max_line_bytes") or MAX_LINE_BYTES
        self.flattening = without_flattening(self.mapper)
        self.max_parallelism = 1  # one connection, one thread
        self.warehouse = Warehouse(
            file_of(self.config["filepath"]),
            self.config["default_target_schema"],
            float(self.config.get("lock_timeout", LOCK_TIMEOUT)),
        )
        self.warehouse.storage = self.config.get("storage_compatibility_version") or STORAGE_COMPATIBILITY_VERSION
        self.continued = Continued(self.warehouse, refuses=self.config.get("on_missing_table") == "fail")
        self.progress: dict[str, Progress] = {}
        self.version: int | None = None
        self._open: dict[str, DuckDBSink] = {}
        self._early: dict[str, int] = {}  # versions announced for streams whose schema has not come
        self.staged = 0
        # The SDK's steps between a message and its sink take most of the time and do nothing without these settings.
        steps = ("stream_maps", "flattening_enabled", "validate_records")
        self._skips_steps = not any(self.config.get(name) for name in steps)
        self._takers: dict[str, Taker] = {}
        if isinstance(self.message_reader, MessageReader):
            self.message_reader.takers, self.message_reader.longest = self._takers, self.longest
            self.message_reader.after_some = self._handle_max_record_age

    @property
    @override
    def config(self) -> Mapping[str, Any]:
        """The settings, aliases resolved."""
        return resolved(super().config)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Take the settings under all their names, and the environment if it is to be read, before the SDK checks."""
        self._config = renamed(self._config)
        if self._takes_environment:
            self.append_builtin_config(SETTINGS)
            self._config = renamed(self._config | from_environment(SETTINGS, ENV_PREFIX, os.environ, ALIASES))
        self._config = taken_over(self._config)
        self.append_builtin_config(SETTINGS)
        self._config, complaints = checked(self._config, SETTINGS)
        if raise_errors and complaints:
            raise ConfigValidationError("Config validation failed", errors=complaints, schema=SETTINGS)
        return []

    @override
    def setup_mapper(self) -> None:
        """Make the stream maps; LoadError where they cannot be made."""
        try:
            super().setup_mapper()
        except Exception as error:  # whatever the setting holds
            if not self.config.get("stream_maps"):
                raise LoadError(
                    f"The settings that begin with 'flattening_' cannot be used ({type(error).__name__}): with "
                    "flattening_enabled, flattening_max_depth is needed, and names must be long enough to differ."
                ) from error
            raise LoadError(fault(self.config, self.logger)) from error

    @override
    def get_sink(self, stream_name: str, **kwargs: Any) -> Sink:
        """The sink of a stream, opened here: the SDK would tell of an error in a line of its own."""
        sink = cast("DuckDBSink", super().get_sink(stream_name, **kwargs))
        if not sink.is_open:
            sink.open()
        return sink

    def sources(self, name: str) -> list[str]:
        """Return the streams of the tap that a stream is made of, stream maps resolved."""
        mapped = self.mapper.stream_maps.items()
        kept = ((source, one) for source, maps in mapped for one in maps if not isinstance(one, RemoveRecordTransform))
        return [source for source, one in kept if one.stream_alias == name]

    def succeed(self, sink: DuckDBSink) -> None:
        """Let a sink take over its stream; what its predecessor holds is written first, so that order is kept."""
        if predecessor := self._open.get(sink.stream_name):
            self.drain_one(predecessor)
        self._open[sink.stream_name] = sink
        if self._skips_steps:
            self._takers[sink.stream_name] = sink.take

    def write_enough(self, sink: DuckDBSink) -> None:
        """Write the rows of a sink if it is full; else, if all streams hold enough, those of the one with most."""
        largest = max(self._open.values(), key=lambda sink: len(sink.staged))
        self.drain_one(sink if sink.is_full else largest)

    @override
    def _assert_sink_exists(self, stream_name: str) -> None:
        if not self.sink_exists(stream_name):
            raise RecordsWithoutSchemaException(
                f"stream {named(stream_name)}: a record came before a corresponding schema: the tap is wrong."
            )

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        stream = message_dict["stream"]
        try:
            super()._process_schema_message(message_dict)
        except LoadError:
            raise
        except Exception as error:  # whatever the expression of a map raises
            if not self.config.get("stream_maps"):
                raise
            raise LoadError(fault(self.config, self.logger, message_dict)) from error
        for stream_map in self.mapper.stream_maps[stream]:
            if isinstance(stream_map, CustomStreamMap):
                name_failures(stream_map)
        if stream in self._early:
            self._activate(stream, self._early.pop(stream))

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        self.version = message_dict.get("version")
        try:
            super()._process_record_message(message_dict)
        except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            if not self.config.get("stream_maps"):
                raise
            raise LoadError(
                f"stream {named(message_dict['stream'])}: the stream_maps failed for a record "
                f"({type(error).__name__}). Change them so that they suit every record."
            ) from error

    @override
    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        """Load the records of BATCH files as if each had come in a RECORD message with the version of this one."""
        stream, encoding = message_dict["stream"], message_dict["encoding"]
        if stream not in self.mapper.stream_maps:
            self._assert_sink_exists(stream)
        version, extracted = message_dict.get("version"), message_dict.get("time_extracted")
        take = self._takers.get(stream)
        for url in message_dict["manifest"]:
            for number, text in enumerate(texts(stream, url, encoding, self.longest), start=1):
                told = fault_of(text, self.longest, '{"record":') if len(text) > SHORT else ""
                if not told and take and take(text, version, extracted):
                    continue
                where = f"stream {named(stream)}: record {number} of the batch file {path_of(url)}"
                if told:
                    raise LoadError(f"{where} {told}")
                if text.strip():
                    self._process_record_message({**message_dict, "record": batch_record(text, where)})
        self._handle_max_record_age()

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Pass the version on, without the SDK's warning about columns that it does not add.

        That of a stream whose schema has not come waits for it.
        """
        stream, version = message_dict["stream"], message_dict["version"]
        if stream in self.mapper.stream_maps:
            self._activate(stream, version)
        else:
            self._early[stream] = version

    def _activate(self, stream: str, version: int) -> None:
        for stream_map in self.mapper.stream_maps[stream]:
            if sink := self._open.get(stream_map.stream_alias):
                sink.settle(version)
                if sink.process_activate_version_messages:
                    sink.activate_version(version)

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        """Take a state; after a while, write what came before it, then it: a load that breaks off goes on there."""
        if not self.mapper.stream_maps:
            self.continued.begin(message_dict["value"])
        super()._process_state_message(message_dict)
        if self._max_record_age_in_minutes * 60 >= _STATE_EVERY:
            self.drain_all()

    @override
    def _write_state_message(self, state: dict[str, Any]) -> None:
        """Write a state; LoadError when it cannot be written."""
        if self.continued.holds_back(self.mapper.stream_maps):
            return
        try:
            super()._write_state_message(state)
        except AttributeError:  # Python has no standard output where it was closed
            raise LoadError(_UNHEARD.format("it is closed")) from None
        except OSError as error:
            # Python would try once more at its end, and complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise LoadError(_UNHEARD.format(error.strerror)) from error

    @override
    def process_endofpipe(self) -> None:
        """Write what is left, settle what was announced, write the state, close the file, say what was loaded."""
        for sink in self._open.values():
            self.drain_one(sink)
            if sink.progress.announced is not None:
                self._settle(sink)
        for stream in self._early:
            self.logger.warning("stream %s: a version was announced, but no schema came; it is ignored.", named(stream))
        self.continued.end()
        super().process_endofpipe()
        self.warehouse.close()
        for stream, progress in self.progress.items():
            self.logger.info("stream %s: %d rows loaded.", named(stream), progress.rows)

    def _settle(self, sink: DuckDBSink) -> None:
        """Act on a version that was announced before its rows, if the tap came to its end.

        A tap that ends well ends with its state. One that breaks off has sent only some of the rows, and acting on what
        it announced would delete the others. A tap that is told to stop may write a state all the same: hence rows are
        marked here, which their return undoes, and removed only where the stream has no row at all.
        """
        if isinstance(self.message_reader, MessageReader) and self.message_reader.last_type == "STATE":
            sink.retire(remove=bool(self.config.get("hard_delete")) and not sink.progress.versions)
        else:
            self.logger.warning(
                "stream %s: a version was announced, but the input did not end with a state; no row is marked.",
                named(sink.stream_name),
            )

    def load(self, file_input: IO[str] | None = None) -> None:
        """Load everything that comes; what came before an input that was cut off, too.

        Raises:
            CutOffError: The input was cut off.
            LoadError: The load cannot go on.
            SystemExit: It was told to stop; what was being written is taken back.
        """
        try:
            try:
                self.listen(file_input)
            except CutOffError:
                self.drain_all()
                raise
        except RecursionError:  # of a state: that of any other message is told of by its reader
            raise LoadError("The last state nests too deeply to be written. All rows are loaded.") from None
        finally:
            self.continued.tell()
            # DuckDB makes an error of its own of a signal that arrives during a query, and loses one during an import.
            if self._told_to_stop is not None:
                _set_alarm(0)  # at its end Python lets go of the handlers, and the file may take longer to close
                raise SystemExit(128 + self._told_to_stop) from None

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End at once, with the exit code of the signal.

        The SDK's handler writes what it has, in the middle of whatever is being written, and exits with 0. The last
        state that was written is the one to go on from: nothing that it tells of is taken back. Nothing here may wait
        for a lock. A second signal, or a second gone by, ends the process without another word.
        """
        if self._told_to_stop is not None:
            os._exit(128 + self._told_to_stop)
        self._told_to_stop = signum
        if hasattr(signal, "SIGALRM"):
            signal.signal(signal.SIGALRM, self._handle_termination)
        _set_alarm(_GRACE)
        raise SystemExit(128 + signum)

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
        """Run the target."""
        super(Target, cls).invoke(about=about, about_format=about_format)
        cls.print_version(print_fn=cls.logger.info)
        settings = config or _ConfigInput()
        target = cls(config=settings.config, parse_env_config=settings.parse_env)
        for sentence in without_effect(os.environ, ENV_PREFIX, [*SETTINGS["properties"], *ALIASES], target.config):
            cls.logger.warning("%s", sentence)
        target.load(file_input)

    @classmethod
    @override
    def cb_config(cls, ctx: Any, param: Any, value: tuple[str, ...]) -> _ConfigInput:
        try:
            # As bytes: editors and shells of Windows write UTF-8 with a byte-order mark, and UTF-16.
            # Python takes NaN and Infinity for JSON: nothing is later than the one, nor than the other.
            files = [json.loads(Path(path).read_bytes(), parse_constant=no_number) for path in value if path != "ENV"]
            return _ConfigInput(dict(ChainMap(*reversed(files))), parse_env="ENV" in value)
        except OSError as error:
            sentence = f"--config takes the path of a file, or ENV: {type(error).__name__}."
        except (ValueError, TypeError, RecursionError):
            sentence = "The config file is not a JSON object."
        cls.logger.error("%s", sentence)
        sys.exit(1)

    @classmethod
    @override
    def get_singer_command(cls) -> SingerCommand:
        made = super().get_singer_command()
        command = LoaderCommand(
            name=made.name,
            callback=made.callback,
            context_settings=made.context_settings,
            params=made.params,
            help=page.BEFORE,
            epilog=page.AFTER,
            logger=cls.logger,
        )
        for option in command.params:
            if option.name == "file_input":
                option.type = click.File("rb")  # the encoding is UTF-8 whatever the locale says
            if option.name in page.OPTIONS:
                option.help = page.OPTIONS[option.name]
        return command

    @classmethod
    @override
    def print_about(cls, output_format: str | None = None) -> None:
        """Print all settings; the SDK's plain text would be without their defaults and descriptions."""
        super().print_about(output_format or "markdown")

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add the SDK's settings, except the load method: rows with a key are merged, rows without are added."""
        super().append_builtin_config(config_jsonschema)
        config_jsonschema["properties"].pop("load_method", None)
