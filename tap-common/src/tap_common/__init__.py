"""The framework of the taps: a tap is a `SchedulingTap` with a list of `APIStream` classes.

This module exports what every tap needs; `http`, `state`, `cli` and `output` contain the parts.
"""

from tap_common.errors import (
    AccessError,
    EndlessListError,
    ExpiredCursorError,
    ForbiddenError,
    NoSuchListError,
    NotFoundError,
    RateLimitedError,
    RequestError,
    SettingsError,
    TapError,
)
from tap_common.http.credential import CREDENTIAL, Credential
from tap_common.http.pagination import CursorPaginator, OffsetPaginator
from tap_common.redact import Redacted
from tap_common.settings import TEXT, common_settings, setting, several_keys
from tap_common.state.accounts import accounts_setting
from tap_common.stream import APIStream
from tap_common.streams import EmbeddedStream, SingleObject, Unpaged
from tap_common.tap import SchedulingTap

__all__ = [
    "CREDENTIAL",
    "TEXT",
    "APIStream",
    "AccessError",
    "Credential",
    "CursorPaginator",
    "EmbeddedStream",
    "EndlessListError",
    "ExpiredCursorError",
    "ForbiddenError",
    "NoSuchListError",
    "NotFoundError",
    "OffsetPaginator",
    "RateLimitedError",
    "Redacted",
    "RequestError",
    "SchedulingTap",
    "SettingsError",
    "SingleObject",
    "TapError",
    "Unpaged",
    "accounts_setting",
    "common_settings",
    "setting",
    "several_keys",
]
