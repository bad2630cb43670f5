"""Errors by what happens next.

    TapError              one sentence for the user, exit code 1
    ├── SettingsError         a setting or a state file cannot be used
    ├── OutputError           standard output takes nothing
    └── AccessError           the key is refused, or lacks a permission
    RequestError          a request that is not worth repeating (FatalAPIError)
    ├── ForbiddenError        403: a plan or a role does not have it
    │   └── NoSuchListError   404 on a whole list: the API, or this version of it, does not have it
    ├── GoneError             404, 410: it does not exist, or not for this key
    ├── StalePageError        the page token is not accepted any more
    └── EndlessListError      what pages say, or a filter that is not gone by, leads to no end of a list
    RateLimitedError      429: wait, then ask again (RetriableAPIError)
    KeyRenewedError       401: the key was renewed, ask again at once (RetriableAPIError)

No message holds a response body, a token or a person's data.
"""

from __future__ import annotations

from singer_sdk.exceptions import FatalAPIError, RetriableAPIError, SingerSDKError


class TapError(SingerSDKError):
    """A run cannot go on; the message is one sentence that says what to do."""


class SettingsError(TapError):
    """A setting, a catalog or a state file cannot be used."""


class OutputError(TapError):
    """Standard output takes nothing: it is closed, or its disk is full."""


class AccessError(TapError):
    """The key is refused, or lacks a permission that a selected stream needs."""


class RequestError(FatalAPIError):
    """A request was answered with an error that repeating it will not mend."""


class ForbiddenError(RequestError):
    """The account's plan, or the user's role, does not have this resource."""


class NoSuchListError(ForbiddenError):
    """The API, or this version of it, does not have the endpoint of a list (404): the stream is skipped."""


class NotFoundError(RequestError):
    """The resource does not exist, or not for this key."""


class ExpiredCursorError(RequestError):
    """The API does not accept the page token any more; the list starts again."""


class EndlessListError(RequestError):
    """The pages of a list lead to no end, or the API ignores a filter: the list may be incomplete."""


class RateLimitedError(RetriableAPIError):
    """The API asks for a pause before the next request."""


class KeyRenewedError(RetriableAPIError):
    """The key of a request was refused and has been renewed: the request is sent again, and that counts as no try."""
