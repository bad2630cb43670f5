"""The base class of all taps."""

from __future__ import annotations

from abc import ABC
from copy import deepcopy
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from singer_sdk.exceptions import StreamMapConfigError
from singer_sdk.mapper import CustomStreamMap
from singer_sdk.plugin_base import JSONSchemaValidator
from singer_sdk.singerlib.encoding.simple import StateMessage
from typing_extensions import override

from tap_common.checks import CheckedTap
from tap_common.errors import SettingsError
from tap_common.output.batches import BatchWriter
from tap_common.output.maps import selected_stream_maps, stream_map_error
from tap_common.output.metrics import Usage
from tap_common.output.progress import Progress
from tap_common.output.writer import Writer
from tap_common.sdk import explain_map_errors
from tap_common.settings import clean_config, without_stream_maps
from tap_common.state.state import check_state
from tap_common.state.timestamps import instant_or_none

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from singer_sdk.streams.core import Stream

    from tap_common.output.metrics import StreamCounter
    from tap_common.stream import APIStream


S = TypeVar("S", bound="APIStream")


class SchedulingTap(CheckedTap, ABC):
    """A tap that checks its settings and keys before the first message, and uses its API's clock and rate limits."""

    message_writer_class = Writer
    stream_types: ClassVar[Sequence[type[APIStream]]]
    """Classes of all streams, in the order of syncing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._given_state: dict[str, Any] | None = None
        self.request_counters: dict[str, StreamCounter] = {}
        self.record_counters: dict[str, StreamCounter] = {}
        self.odd_values: dict[str, Counter[str]] = {}
        """Number of values that did not fit their columns, by stream and field."""
        super().__init__(*args, **kwargs)
        if self.config.get("batch_config") is not None and kwargs.get("message_writer") is None:
            self.message_writer = BatchWriter(self.name, self.config["batch_config"])

    def run(self) -> None:
        """Check settings and keys, then sync all selected streams.

        If the run continues from a state, its first message is that STATE: a target without the tables of earlier runs
        then knows that their records will not come again. The last message is always a STATE, even if it has not
        changed: a target then knows that the run is complete.

        Raises:
            TapError: A setting or a key cannot be used, or the run cannot continue.
        """
        progress = Progress(self)
        with progress:
            self.check()
        try:
            with progress:
                if self._given_state:
                    self.message_writer.write_message(StateMessage(value=self._given_state))
                self.sync_all()
                self.message_writer.write_message(StateMessage(value=self.state))
        finally:
            self.usage.report(self.logger, self.name)

    @property
    def usage(self) -> Usage:
        """Records and requests of the run so far."""
        return Usage.of(self.record_counters, self.request_counters, self.all_credentials, self.odd_values)

    @property
    @override
    def streams(self) -> dict[str, Stream]:
        order = {stream: place for place, stream in enumerate(self.stream_types)}
        return dict(sorted(super().streams.items(), key=lambda item: order[cast("type[APIStream]", type(item[1]))]))

    def stream(self, kind: type[S]) -> S:
        """Return the stream of a class."""
        return cast("S", self.streams[kind.name])

    @override
    def discover_streams(self) -> Sequence[Stream]:
        return [stream(self) for stream in self.stream_types]

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        """Load the state of an earlier run, without the partitions that another program may have written."""
        check_state(state)
        if any(bookmark.get("replication_key_value") for bookmark in state.get("bookmarks", {}).values()):
            self._given_state = deepcopy(state)
        bookmarks = {
            stream: {key: value for key, value in bookmark.items() if key != "partitions"}
            for stream, bookmark in state.get("bookmarks", {}).items()
        }
        reached = (instant_or_none(bookmark.get("replication_key_value")) for bookmark in bookmarks.values())
        self.server_clock.reached = max(filter(None, reached), default=None)
        super().load_state({"bookmarks": bookmarks})

    @override
    def setup_mapper(self) -> None:
        """Set up the mapper without the stream maps of deselected streams, with which the SDK fails.

        Raises:
            StreamMapConfigError: A stream map is invalid; the message names its stream and column.
        """
        _ = self.streams  # adapts the catalog to this version, before the mapper reads it
        if not self.config.get("stream_maps"):
            try:
                super().setup_mapper()
            except Exception as error:  # what the SDK raises where two columns get one name, say
                raise SettingsError(
                    f"The settings that begin with `flattening_` cannot be used ({type(error).__name__}): with "
                    "`flattening_enabled`, `flattening_max_depth` is needed, and names must be long enough to differ."
                ) from error
            return
        self._config["stream_maps"] = selected_stream_maps(self.config["stream_maps"], self.catalog)
        try:
            super().setup_mapper()
        except Exception as error:  # the expressions of a map may raise anything
            raise StreamMapConfigError(stream_map_error(self.config, self.catalog, self.logger)) from error
        for stream_map in chain.from_iterable(self.mapper.stream_maps.values()):
            if isinstance(stream_map, CustomStreamMap):
                explain_map_errors(stream_map)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Fill in defaults and check the settings; the SDK's messages would quote values, which may be secrets."""
        self.append_builtin_config(self.config_jsonschema)
        given = clean_config({**self._config, **self.from_environment()}, self.config_jsonschema)
        list(JSONSchemaValidator(self.config_jsonschema).iter_errors(filled := without_stream_maps(given)))
        self._config = {**given, **filled}
        if raise_errors:
            self.check_settings()
        return []
