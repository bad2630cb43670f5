"""Requests of a stream, and the errors for their responses."""

from __future__ import annotations

from abc import ABC
from http import HTTPStatus
from inspect import getattr_static
from typing import TYPE_CHECKING, Any, ClassVar, cast

import requests
from requests.utils import default_headers
from singer_sdk.exceptions import RetriableAPIError
from typing_extensions import override

from tap_common.errors import (
    AccessError,
    ForbiddenError,
    NoSuchListError,
    NotFoundError,
    RateLimitedError,
    RequestError,
)
from tap_common.http.address import api_url_hint, format_path
from tap_common.http.credential import CREDENTIAL, Credential
from tap_common.http.json import decoded
from tap_common.http.jsonpath import EnvelopeError, select
from tap_common.http.pagination import CursorPaginator, OffsetPaginator, Signals
from tap_common.printable import status_line
from tap_common.sdk import TapStream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from singer_sdk.helpers.types import Auth, Context, RequestFunc
    from singer_sdk.pagination import BaseAPIPaginator

_SUCCESS = range(200, 300)
# Rows of a page: however short they are, their records take half a kilobyte each and more.
_MOST_ROWS = 100_000
# Proxies and servers in front of the API send these; a retry may succeed.
_TRANSIENT = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY)


class Endpoint(TapStream, ABC):
    """The part of a stream that sends requests and validates their responses.

    A context is a mapping with the values of one list: for its path, its query parameters and its columns.
    """

    path: str
    """Path of the endpoint; `{name}` stands for the context's value of that name."""

    allow_redirects = False  # none of the APIs redirects; another host's rows are not the API's
    _LOG_REQUEST_METRICS = False  # would log a line per request; `StreamCounter` logs their number

    params: ClassVar[Mapping[str, str]] = {}
    """Query parameters of every request; `{name}` stands for the context's value of that name."""
    paginator_class: ClassVar[type[BaseAPIPaginator[Any]]] = CursorPaginator
    """Paginator class. `CursorPaginator`, `OffsetPaginator` and their subclasses get the signals declared below; any
    other class is created without arguments, or by an override of `get_new_paginator`."""
    page_size_param: ClassVar[str | None] = None
    """Name of the page size parameter; None if the endpoint has none."""
    cursor_param: ClassVar[str]
    """Name of the cursor parameter."""
    cursor_jsonpath: ClassVar[str | None] = None
    """JSONPath of the next cursor in a page."""
    has_more_jsonpath: ClassVar[str | None] = None
    """JSONPath of the boolean in a page that is true if more rows follow."""
    total_jsonpath: ClassVar[str | None] = None
    """JSONPath of the number of all rows of the list, for `OffsetPaginator`; without one an empty page is the end."""
    next_url_jsonpath: ClassVar[str | None] = None
    """JSONPath of the URL of the next page; only the cursor in its query is used."""
    cursor_column: ClassVar[str | None] = None
    """Column of a page's last row that is the next cursor, for APIs that send no other."""
    parent_keys: ClassVar[Mapping[str, str]] = {}
    """Parent columns (such as `id`, or `user.uri`) by the names that they have in a child's path, query and columns.

    The first one identifies the parent.
    """
    skip_if_forbidden: ClassVar[bool] = True
    """True if a plan or a role may lack the stream: a 403 then skips it with a warning."""
    may_be_empty: ClassVar[bool] = False
    """True if a child that is a single object has a record even for a 204 (no content)."""

    @property
    @override
    def url_base(self) -> str:
        return str(self.config["api_url"]).rstrip("/")

    @override
    def get_url(self, context: Context | None) -> str:
        """Return the URL of a list; each id from the API is quoted as one segment of the path."""
        return f"{self.url_base}{format_path(self.path, context or {})}"

    @override
    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:
        """Return `params`, filled in from the context, with the page size and the cursor; None is not sent."""
        known = context or {}
        params = {name: known[text[1:-1]] if text.startswith("{") else text for name, text in self.params.items()}
        if self.page_size_param:
            params[self.page_size_param] = known.get("page_size", self.config["page_size"])
        if next_page_token:
            params[self.cursor_param] = next_page_token
        return params

    @override
    def get_new_paginator(self) -> BaseAPIPaginator[Any]:
        if issubclass(self.paginator_class, CursorPaginator | OffsetPaginator):
            return self.paginator_class(self.signals)
        return self.paginator_class()  # type: ignore[call-arg] # without arguments, unless `get_new_paginator` is overridden

    @property
    def signals(self) -> Signals:
        """Places of the signals by which a page says whether more rows follow."""
        return Signals(
            cursor=self.cursor_jsonpath,
            flag=self.has_more_jsonpath,
            url=self.next_url_jsonpath,
            total=self.total_jsonpath,
            param=self.cursor_param,
            rows=self.records_jsonpath,
            row_key=self.cursor_column,
            keys=tuple(key for key in self._declared_keys if key not in self.parent_keys),
            where=f"{self.path} (stream `{self.name}`)",
        )

    @property
    def _declared_keys(self) -> Sequence[str]:
        """Primary key of the stream's class; a catalog may set another one on the stream."""
        declared: Any = getattr_static(type(self), "primary_keys")
        return () if isinstance(declared, property) else declared

    # Sending

    @property
    @override
    def requests_session(self) -> requests.Session:
        return self.tap.session

    @property
    @override
    def authenticator(self) -> Auth:
        return _unsigned

    @override
    def build_prepared_request(self, *args: Any, **kwargs: Any) -> requests.PreparedRequest:
        """Prepare a request without cookies and `.netrc`, which the SDK would look up for each request."""
        request = requests.Request(*args, **kwargs)
        request.headers = {**default_headers(), "User-Agent": self.user_agent, **request.headers}
        return request.prepare()

    @override
    def request_decorator(self, func: RequestFunc) -> RequestFunc:
        def send(request: requests.PreparedRequest, context: Context | None) -> requests.Response:
            credential: Credential = (context or {}).get(CREDENTIAL) or self.tap.credential
            request.hooks["response"] = [lambda response, **_: credential.limiter.observe(response.headers)]
            try:
                return credential.retry(lambda: func(credential.auth(request), context), self.path)
            except OSError as error:  # of requests; a plain OSError for a missing certificate file
                vars(error)["request"] = request  # for the message about it
                raise

        return send

    @property
    @override
    def timeout(self) -> int:
        return cast("int", float(self.config["request_timeout"]))

    @property
    @override
    def user_agent(self) -> str:
        return self.tap.user_agent

    # Responses

    @override
    def validate_response(self, response: requests.Response) -> None:
        """Raise the error for a response that is not a page of rows.

        Raises:
            RetriableAPIError: Transient: a 408, 425, 429 or 5xx, or a body that is invalid or of another shape.
            RequestError: Final for this request.
            AccessError: Final for the run.
        """
        message = self.response_error_message(response)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            raise RateLimitedError(message, response)
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or response.status_code in _TRANSIENT:
            raise RetriableAPIError(message, response)
        if response.status_code not in _SUCCESS:
            raise self.error_for(response, message)
        is_object = self.parent_stream_type is not None and "[*]" not in self.records_jsonpath
        if response.status_code == HTTPStatus.NO_CONTENT and is_object and not self.may_be_empty:
            raise NotFoundError(message)  # this parent has no such object
        try:
            rows = select(self.records_jsonpath, self.page(response))
        except EnvelopeError as error:
            raise RetriableAPIError(f"{message}: {error}", response) from None
        except ValueError:
            raise RetriableAPIError(f"{message}: the body is not JSON, or nested too deeply", response) from None
        if isinstance(rows, list) and len(rows) > _MOST_ROWS:
            raise RetriableAPIError(f"{message}: a page of {len(rows):,} rows, of at most {_MOST_ROWS:,}", response)
        # Without any signal, a page in the middle of a paged list would look like the last one.
        if (
            self.page_size_param
            and issubclass(self.paginator_class, CursorPaginator)
            and self.signals.are_absent(response)
        ):
            raise RetriableAPIError(f"{message}: the page does not say whether more rows follow", response)
        self.tap.observe_server_time(response.headers)

    def error_for(self, response: requests.Response, message: str) -> Exception:
        """Return the error for a 4xx other than 429."""
        match response.status_code:
            case HTTPStatus.UNAUTHORIZED:
                vendor = self.tap.api_name
                hint = api_url_hint(self.config, self.tap.config_jsonschema, vendor)
                return AccessError(
                    f"{vendor} does not accept the key: it is wrong, expired or revoked{hint}. "
                    f"For a new one, {self.tap.key_hint}"
                )
            case HTTPStatus.FORBIDDEN:
                return ForbiddenError(message)
            case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
                whole_list = self.parent_stream_type is None and self.skip_if_forbidden
                return NoSuchListError(message) if whole_list else NotFoundError(message)
        return RequestError(message)

    @override
    def response_error_message(self, response: requests.Response) -> str:
        # The SDK's message quotes the body, which may contain personal data, and the server's own reason phrase.
        return f"{status_line(response.status_code)} on {self.path} (stream `{self.name}`)"

    def page(self, response: requests.Response) -> Any:
        """Return the page in a response, for JSONPaths.

        Raises:
            ValueError: The body is not JSON.
        """
        return decoded(response)


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Return the request as it is: the credential's `auth` adds the key when the rate limit lets it through."""
    return request
