"""The one base class of all taps."""

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
from tap_common.output.maps import fault, maps_of_selected
from tap_common.output.progress import Progress
from tap_common.output.usage import Usage
from tap_common.output.writer import Writer
from tap_common.sdk import name_failures
from tap_common.settings import usable, without_maps
from tap_common.state.state import check_state
from tap_common.state.timestamps import instant_or_none

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from singer_sdk.streams.core import Stream

    from tap_common.output.counter import StreamCounter
    from tap_common.stream import APIStream


S = TypeVar("S", bound="APIStream")


class SchedulingTap(CheckedTap, ABC):
    """A tap that checks its key before it writes a message, and goes by its API's clock and limits.

    `stream_types` are synced in the order in which they are listed.
    """

    message_writer_class = Writer
    stream_types: ClassVar[Sequence[type[APIStream]]]
    """All streams, in the order in which they are synced."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._given_state: dict[str, Any] | None = None
        self.request_counters: dict[str, StreamCounter] = {}
        self.record_counters: dict[str, StreamCounter] = {}
        self.odd_values: dict[str, Counter[str]] = {}
        """Values that their columns could not hold, by stream and field."""
        super().__init__(*args, **kwargs)
        if self.config.get("batch_config") is not None and kwargs.get("message_writer") is None:
            self.message_writer = BatchWriter(self.name, self.config["batch_config"])

    def run(self) -> None:
        """Sync, after everything that can be checked before the first message has been checked.

        The first message is the STATE that the run goes on from, if there is one: a target that has lost its tables
        knows by it that their rows will not come again. The last one is always a STATE, also one that has not changed:
        a target knows by it that all has come.

        Raises:
            TapError: With the sentence to show.
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
        """What the run has written, and asked of the API, so far."""
        return Usage.of(self.record_counters, self.request_counters, self.all_credentials, self.odd_values)

    # The SDK's extension points

    @property
    @override
    def streams(self) -> dict[str, Stream]:
        order = {stream: place for place, stream in enumerate(self.stream_types)}
        return dict(sorted(super().streams.items(), key=lambda item: order[cast("type[APIStream]", type(item[1]))]))

    def stream(self, kind: type[S]) -> S:
        """The stream of a class."""
        return cast("S", self.streams[kind.name])

    @override
    def discover_streams(self) -> Sequence[Stream]:
        return [stream(self) for stream in self.stream_types]

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        """Take the state of an earlier run; partitions are not ours, and would be read one by one."""
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
        """Without the maps of streams that are not selected, with which the SDK fails.

        Raises:
            StreamMapConfigError: With the stream and the column whose map is none.
        """
        _ = self.streams  # which fit the catalog to this version, before the mapper reads it
        if not self.config.get("stream_maps"):
            try:
                super().setup_mapper()
            except Exception as error:  # what the SDK raises where two columns get one name, say
                raise SettingsError(
                    f"The settings that begin with `flattening_` cannot be used ({type(error).__name__}): with "
                    "`flattening_enabled`, `flattening_max_depth` is needed, and names must be long enough to differ."
                ) from error
            return
        self._config["stream_maps"] = maps_of_selected(self.config["stream_maps"], self.catalog)
        try:
            super().setup_mapper()
        except Exception as error:  # whatever the expression of a map raises
            raise StreamMapConfigError(fault(self.config, self.catalog, self.logger)) from error
        for stream_map in chain.from_iterable(self.mapper.stream_maps.values()):
            if isinstance(stream_map, CustomStreamMap):
                name_failures(stream_map)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Fill in defaults and complain in sentences: the SDK's own texts quote values, which may be secrets."""
        self.append_builtin_config(self.config_jsonschema)
        given = usable({**self._config, **self.from_environment()}, self.config_jsonschema)
        list(JSONSchemaValidator(self.config_jsonschema).iter_errors(filled := without_maps(given)))
        self._config = {**given, **filled}
        if raise_errors:
            self.check_settings()
        return []
