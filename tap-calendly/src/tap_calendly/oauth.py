"""OAuth with refresh tokens that can be used once.

Calendly, "Refresh token rotation": an access token lives two hours; a refresh revokes the refresh token that it was
made with and answers with a new pair. A pair that is not kept is lost, and a person must authorize again. So the pair
is written to a file before it is used, and a refresh that may have succeeded is never sent again.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from filelock import FileLock
from urllib3.exceptions import NewConnectionError

from tap_common.errors import AccessError, TapError
from tap_common.limiter import retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_common.clock import Clock

# Seconds before its end at which an access token is not used any more.
_MARGIN = 120
# Calendly allows 8 token requests a user and minute.
_WINDOW = 60.0
_LOCK_TIMEOUT = 120


class OAuth:
    """Puts a valid access token on each request, and keeps the pair in a file that several processes may share."""

    def __init__(self, settings: Mapping[str, Any], *, clock: Clock, now: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._path = Path(settings["token_file"]).expanduser()
        self._clock = clock
        self._now = now
        self._lock = threading.Lock()
        self._token: str | None = None
        self._good_until = 0.0

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Authorize a request.

        Raises:
            TapError: There is no valid token, and none can be had.
        """
        with self._lock:
            if self._token is None or self._now() >= self._good_until:
                self._obtain()
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def refused(self, request: requests.PreparedRequest) -> None:
        """Forget the token of a request that was answered with 401, unless it has been replaced already."""
        with self._lock:
            if request.headers.get("Authorization") == f"Bearer {self._token}":
                self._obtain()

    def _obtain(self) -> None:
        """Take the file's token where another process has renewed it, else renew."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self._path}.lock", timeout=_LOCK_TIMEOUT):
            kept = self._read()
            if kept.get("refreshing"):
                raise AccessError(
                    f"A token refresh was cut off, so the refresh token in {self._path} may be used up: "
                    "authorize the application again and set the new `refresh_token`."
                )
            fresh = kept.get("access_token") not in (None, self._token) and self._now() < kept["good_until"]
            if not fresh:
                kept = self._refresh(kept)
            self._token, self._good_until = kept["access_token"], kept["good_until"]

    def _read(self) -> dict[str, Any]:
        """What was kept, unless the setting holds a token of a newer consent."""
        start = {"consent": _digest(self._settings["refresh_token"]), "refresh_token": self._settings["refresh_token"]}
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return start
        except ValueError:
            raise AccessError(f"The token file {self._path} is damaged: authorize again and remove it.") from None
        return kept if kept.get("consent") == start["consent"] else start

    def _refresh(self, kept: dict[str, Any]) -> dict[str, Any]:
        self._write({**kept, "refreshing": True})
        response = self._post(kept)
        if response.status_code == requests.codes.ok:
            answer = response.json()
            kept = {
                "consent": kept["consent"],
                "access_token": answer["access_token"],
                "refresh_token": answer["refresh_token"],
                "good_until": self._now() + answer["expires_in"] - _MARGIN,
            }
            self._write(kept)
            return kept
        if response.status_code < requests.codes.internal_server_error:
            self._write(kept)
            raise AccessError(
                f"Calendly does not accept the refresh token ({response.status_code}): "
                "authorize the application again and set the new `refresh_token`."
            )
        raise TapError(f"The token refresh was answered with {response.status_code}; its outcome is unknown.")

    def _post(self, kept: dict[str, Any]) -> requests.Response:
        """Send the refresh; again only where it certainly was not carried out."""
        while True:
            try:
                response = requests.post(
                    self._settings["oauth_url"],
                    data={"grant_type": "refresh_token", "refresh_token": kept["refresh_token"]},
                    auth=(self._settings["client_id"], self._settings["client_secret"]),
                    headers={"User-Agent": self._settings.get("user_agent") or "tap-calendly"},
                    timeout=float(self._settings["request_timeout"]),
                    allow_redirects=False,
                )
            except (requests.ConnectTimeout, requests.ConnectionError) as error:
                if isinstance(error, requests.ConnectTimeout) or _never_connected(error):
                    self._write(kept)
                    raise TapError("The token endpoint cannot be reached: check `oauth_url` and the network.") from None
                raise TapError("The token refresh was cut off; its outcome is unknown.") from None
            except requests.Timeout:
                raise TapError("The token refresh was not answered in time; its outcome is unknown.") from None
            if response.status_code != requests.codes.too_many_requests:
                return response
            self._clock.sleep(retry_after(response.headers) or _WINDOW)

    def _write(self, kept: dict[str, Any]) -> None:
        """Replace the file in one step, readable by its owner alone."""
        descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=self._path.name)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(kept, file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(self._path)


def _never_connected(error: requests.ConnectionError) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
