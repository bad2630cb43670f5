"""The file with pairs of tokens, readable by its owner only."""

from __future__ import annotations

import logging
import os
import stat
from codecs import BOM_UTF8
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec

from tap_common import AccessError, SettingsError
from tap_common.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

AGAIN = "authorize the application again and set the new `refresh_token`."
"""Instructions for a lost pair: the end of a message."""
# Bytes; a pair has about three hundred.
_LARGEST = 10_000_000
_LONGEST_PATH = 500
_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_ELSEWHERE = "set `token_file` to a file in a folder that this user may write to."

_Token = Annotated[str, msgspec.Meta(min_length=1)]


class Pair(msgspec.Struct, frozen=True, omit_defaults=True):
    """The tokens of one consent."""

    refresh_token: _Token
    access_token: _Token | None = None
    good_until: float = 0.0
    """Expiry of the access token, in seconds since 1970."""
    refreshing: bool = False
    """True from the request of a refresh until its response has been written."""


class TokenFile:
    """Pairs of tokens by consent, in a file of mode 0600 that is replaced atomically.

    Anyone who can write the file could make the tap use tokens of another account. So it must be a regular file of this
    user or of root that nobody else may write to, in such a folder. Systems other than POSIX have no such modes.

    Raises:
        SettingsError: `token_file` is not a path.
    """

    def __init__(self, path: str) -> None:
        try:
            # If it is a link, its target is locked and replaced.
            self._path = Path(path).expanduser().resolve()
        except (OSError, RuntimeError, ValueError):
            raise SettingsError("Setting `token_file` is not the path of a file.") from None
        self.lock = f"{self._path}.lock"
        """Path of the file that is locked while tokens are renewed."""
        self.shown_lock = _shown(self.lock)
        """The same path for messages."""

    def unusable(self, why: str | None, mend: str = _ELSEWHERE) -> SettingsError:
        """Return the error for a file that cannot be used, with what to do."""
        return SettingsError(f"The token file {_shown(self._path)} cannot be used ({why}): {mend}")

    def prepare(self) -> None:
        """Create the folder if there is none, and check that nobody else can write to it or to its files.

        Raises:
            SettingsError: Others can write to it, or it is not a regular file.
            OSError: The folder cannot be created.
        """
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (self._path, Path(self.lock)):
            with suppress(FileNotFoundError):
                self._check(path, path.lstat())
        folder = self._path.parent.stat()
        if not _has_modes():
            return
        if folder.st_mode & _BY_OTHERS and not folder.st_mode & stat.S_ISVTX:
            raise self.unusable("others may write to its folder", f"`chmod go-w {_shown(self._path.parent)}`.")
        if folder.st_uid not in (os.geteuid(), 0):
            raise self.unusable("its folder belongs to another user")

    def read(self) -> dict[str, Pair]:
        """Return the pairs; none without a file.

        Raises:
            SettingsError: It is not a regular file, or not this user's alone.
            AccessError: It is damaged.
            OSError: It cannot be read.
        """
        try:
            # Non-blocking, in case it is a pipe.
            with os.fdopen(os.open(self._path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
                status = os.fstat(file.fileno())
                self._check(self._path, status)
                if _has_modes() and stat.S_IMODE(status.st_mode) & 0o077:
                    os.fchmod(file.fileno(), 0o600)
                    logging.getLogger("tap-calendly").warning(
                        "The token file %s was readable by others; its mode has been set to 0600.", _shown(self._path)
                    )
                content = file.read(_LARGEST)
        except FileNotFoundError:
            return {}
        try:
            return msgspec.json.decode(content.removeprefix(BOM_UTF8), type=dict[str, Pair])
        except (ValueError, RecursionError):
            raise AccessError(f"The token file {_shown(self._path)} is damaged: remove it, {AGAIN}") from None

    def write(self, pairs: Mapping[str, Pair]) -> None:
        """Replace the file atomically, readable by its owner only.

        Raises:
            OSError: It cannot be written.
        """
        new = Path(f"{self._path}.new")
        new.unlink(missing_ok=True)  # of a run that was killed
        try:
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(msgspec.json.encode(pairs))
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
        finally:
            new.unlink(missing_ok=True)
        with suppress(OSError):  # not every file system can sync a folder
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _check(self, path: Path, status: os.stat_result) -> None:
        """Refuse a file that is not regular, or not this user's alone."""
        for why, mend in _file_problems(path, status):
            raise self.unusable(why, mend)


def _file_problems(path: Path, status: os.stat_result) -> Iterator[tuple[str, str]]:
    """Yield the faults of a file, each with what to do."""
    if not stat.S_ISREG(status.st_mode):
        yield f"{_shown(path.name)} is not a regular file", _ELSEWHERE
    if not _has_modes():
        return
    if status.st_uid not in (os.geteuid(), 0):
        yield (
            f"{_shown(path.name)} belongs to another user",
            f"if you trust its content, `chown {os.geteuid()} {_shown(path)}`.",
        )
    if status.st_mode & _BY_OTHERS:
        yield "others may write to it", f"if you trust its content, `chmod 600 {_shown(path)}`."


def _shown(path: str | Path) -> str:
    """Return a path for a message; it may be longer than other text from outside."""
    return printable(path, _LONGEST_PATH)


def _has_modes() -> bool:
    """Return True if the system has owners and modes of files."""
    return hasattr(os, "geteuid")
