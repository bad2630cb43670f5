"""Connections that are kept alive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from typing_extensions import override

from tap_common.http.address import proxies_for
from tap_common.http.bounded import ENCODINGS, BoundedAdapter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_common.http.bounded import Limits


class Session(requests.Session):
    """The connections of one thread, by the environment's proxies and certificates.

    `HTTPS_PROXY`, `NO_PROXY`, `REQUESTS_CA_BUNDLE` and the like are read once for each host: the SDK passes the
    certificates by, and requests goes through the whole environment three times for each request. No proxy stands
    before plain HTTP to this machine, since it would read the key. An answer ends within limits, and no redirect is
    so much as read.
    """

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        for scheme in ("https://", "http://"):
            self.mount(scheme, BoundedAdapter(limits))
        self._environment: dict[tuple[str, str], Mapping[str, Any]] = {}

    @override
    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        url = str(request.url)
        request.headers["Accept-Encoding"] = ENCODINGS
        parts = urlsplit(url)
        origin = parts.scheme, parts.netloc
        if origin not in self._environment:
            self._environment[origin] = self.merge_environment_settings(url, proxies_for(url), None, None, None)
        return super().send(request, **{**self._environment[origin], **kwargs})

    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: requests would parse the address of a redirect that is not followed, and fail over what is none."""
