"""BATCH messages with files of records, instead of RECORD messages, for the setting `batch_config`."""

from __future__ import annotations

import gzip
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from singer_sdk.contrib.msgspec import serialize_jsonl
from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig, SDKBatchMessage
from singer_sdk.singerlib.encoding.simple import RecordMessage
from typing_extensions import override

from tap_common.errors import OutputError, SettingsError
from tap_common.printable import printable
from tap_common.http.connection_errors import origin
from tap_common.output.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.singerlib.encoding.simple import Message

# The files are read once, so speed matters more than size.
_COMPRESSION = 1


class BatchWriter(Writer):
    """Writes records as JSON lines into files, and a BATCH message for each file.

    The records are those of RECORD messages, after selection and stream maps; the BATCH message has their version. A
    file has records of one stream, at most `batch_size`, and is completed before any message that must follow its
    records. The tap does not remove files.
    """

    def __init__(self, tap: str, settings: Mapping[str, Any]) -> None:
        super().__init__()
        self._config = batch_config(settings)
        self._names = (f"{self._config.storage.prefix or ''}{tap}--{uuid4()}-{number}.jsonl" for number in count(1))
        self._rows: dict[str, list[bytes]] = {}
        self._versions: dict[str, int | None] = {}

    @override
    def write_message(self, message: Message) -> None:
        if isinstance(message, RecordMessage):
            self.write_record(message.stream, message.record, message.version)
            return
        stream = getattr(message, "stream", None)
        for due in list(self._rows) if stream is None else [stream]:
            self._write_batch(due)
        super().write_message(message)

    @override
    def write_record(self, stream: str, record: dict[str, Any], version: int | None) -> None:
        rows = self._rows.setdefault(stream, [])
        rows.append(bytes(serialize_jsonl(record)))
        self._versions[stream] = version
        if len(rows) >= self._config.batch_size:
            self._write_batch(stream)

    def _write_batch(self, stream: str) -> None:
        """Write the records of a stream into a file, and its BATCH message.

        Raises:
            OutputError: The file cannot be written.
        """
        rows = self._rows.pop(stream, None)
        if not rows:
            return
        packed = self._config.encoding.compression == "gzip"
        name = next(self._names) + (".gz" if packed else "")
        content = b"".join(rows)
        try:
            with self._config.storage.open(name, "wb") as file:
                file.write(gzip.compress(content, _COMPRESSION) if packed else content)
        except Exception as error:  # each storage has errors of its own, also one that is not installed
            root = self._config.storage.root
            where, why = origin(root) if "://" in root else root, getattr(error, "strerror", None)
            why = why or type(error).__name__
            raise OutputError(
                f"A batch file cannot be written to {printable(where)}: {printable(why)}. "
                "Run again from the last state."
            ) from error
        manifest = [self._config.storage.get_url(name)]
        super().write_message(
            SDKBatchMessage(
                stream=stream, encoding=self._config.encoding, manifest=manifest, version=self._versions[stream]
            )
        )


def batch_config(settings: Mapping[str, Any]) -> BatchConfig:
    """Return the SDK's `batch_config`, by default with JSON lines and gzip.

    Raises:
        SettingsError: Its format or compression is not supported, or it has no folder.
    """
    encoding, storage = dict(settings.get("encoding") or {}), settings.get("storage") or {}
    kind = encoding.pop("format", None) or "jsonl"
    compression = encoding.pop("compression", None) or "gzip"
    if kind != "jsonl" or compression not in {"gzip", "none"}:
        raise SettingsError("Setting `batch_config` supports the format `jsonl`, with compression `gzip` or `none`.")
    if not storage.get("root"):
        raise SettingsError("Setting `batch_config` lacks `storage.root`: the folder of the files, as a URL or a path.")
    try:
        return BatchConfig(
            encoding=BaseBatchFileEncoding(kind, compression),
            storage=dict(storage),  # type: ignore[arg-type]  # made into a StorageTarget by the class
            batch_size=int(settings.get("batch_size") or 10_000),
        )
    except (TypeError, ValueError, OverflowError):
        raise SettingsError(
            "Setting `batch_config` cannot be used: `storage` takes `root`, `prefix` and `params`, and `batch_size` is "
            "a whole number."
        ) from None
