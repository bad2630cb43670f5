"""Errors, by what happens next.

    TapError              ends the run with its message and exit code 1
    ├── SettingsError         a setting, a catalog or a state cannot be used
    ├── OutputError           standard output or a batch file cannot be written
    └── AccessError           the key is refused, or lacks a permission
    RequestError          final for a request (FatalAPIError)
    ├── ForbiddenError        403: the plan or role does not include it
    │   └── NoSuchListError   404 on a top-level list: the API, or this version of it, does not have it
    ├── NotFoundError         404, 410: it does not exist, or not for this key
    ├── ExpiredCursorError    the page token has expired; the list is read again
    └── EndlessListError      the list would never end, or a filter is ignored
    RateLimitedError      429: wait, then retry (RetriableAPIError)
    KeyRenewedError       401, and the key was renewed: retry at once (RetriableAPIError)

No message contains a response body, a token or personal data.
"""

from __future__ import annotations

from singer_sdk.exceptions import FatalAPIError, RetriableAPIError, SingerSDKError


class TapError(SingerSDKError):
    """The run cannot continue; the message says what to do."""


class SettingsError(TapError):
    """A setting, a catalog or a state file cannot be used."""


class OutputError(TapError):
    """Standard output, or a batch file, cannot be written."""


class AccessError(TapError):
    """The key is refused, or lacks a permission that a selected stream needs."""


class RequestError(FatalAPIError):
    """A request failed, and would fail again."""


class ForbiddenError(RequestError):
    """The account's plan, or the user's role, does not include this resource."""


class NoSuchListError(ForbiddenError):
    """The API, or this version of it, does not have the endpoint of a list (404): the stream is skipped."""


class NotFoundError(RequestError):
    """The resource does not exist, or not for this key."""


class ExpiredCursorError(RequestError):
    """The API does not accept the page token any more; the list is read again."""


class EndlessListError(RequestError):
    """A list would never end, or the API ignores a filter, so that records could be missing."""


class RateLimitedError(RetriableAPIError):
    """The API requires a pause before the next request."""


class KeyRenewedError(RetriableAPIError):
    """The key of a request was refused and has been renewed; the retry does not count as a try."""
