"""Sessions that keep connections alive."""

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
    """The session of one thread, with the environment's proxies and certificates.

    `HTTPS_PROXY`, `NO_PROXY`, `REQUESTS_CA_BUNDLE` and the like are read once per host: the SDK ignores the
    certificates, and requests would read the environment three times per request. HTTP to this machine goes through no
    proxy, which could read the key. Responses are limited in size and time; redirects are not followed.
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
        """Return None: requests would parse the target of a redirect even if it is not followed, and may fail."""
