"""Requests of a stream, and the errors that their answers stand for."""

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
from tap_common.http.address import doubt, path_of
from tap_common.http.credential import CREDENTIAL, Credential
from tap_common.http.json import decoded
from tap_common.http.jsonpath import EnvelopeError, select
from tap_common.http.offset import OffsetPaginator
from tap_common.http.pagination import CursorPaginator, Signals
from tap_common.printable import status_line
from tap_common.sdk import TapStream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from singer_sdk.helpers.types import Auth, Context, RequestFunc
    from singer_sdk.pagination import BaseAPIPaginator

_SUCCESS = range(200, 300)
# Rows of a page: however short they are, their records take half a kilobyte each and more.
_MOST_ROWS = 100_000
# A 408 and a 425 come from what stands before the API, and nothing was done.
_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY)


class Endpoint(TapStream, ABC):
    """The part of a stream that sends requests and judges their answers.

    A context is a mapping: values for the path, the query and the columns of one list.
    """

    path: str
    """The endpoint, with the names of what it is asked with in braces."""

    allow_redirects = False  # no API redirects; another host's rows are not the API's
    _LOG_REQUEST_METRICS = False  # one line a request; `Sum` sums them

    params: ClassVar[Mapping[str, str]] = {}
    """Query parameters of every request; `{name}` stands for the context's value of that name."""
    paginator_class: ClassVar[type[BaseAPIPaginator[Any]]] = CursorPaginator
    """Paginator of the endpoint: `CursorPaginator`, `OffsetPaginator` or a class derived from one of them, which read
    the signals declared below; any other class is made without arguments, or in `get_new_paginator`."""
    page_size_param: ClassVar[str | None] = None
    """Name of the page size parameter; None where the endpoint has none."""
    cursor_param: ClassVar[str]
    """Name of the cursor parameter."""
    cursor_jsonpath: ClassVar[str | None] = None
    """Where a page holds the next cursor."""
    has_more_jsonpath: ClassVar[str | None] = None
    """Where a page says whether more follow, as a boolean; None where no page does."""
    next_url_jsonpath: ClassVar[str | None] = None
    """Where a page holds the address of the next one; it is not followed, but read for the cursor in its query."""
    cursor_column: ClassVar[str | None] = None
    """Column of a page's last row that is the next cursor, where pages hold no other."""
    parent_keys: ClassVar[Mapping[str, str]] = {}
    """For a child: names for its path, query and columns, and the parent's columns (also `user.uri`) behind them.

    The first one identifies the parent.
    """
    skip_if_forbidden: ClassVar[bool] = True
    """Whether a plan or a role may lack the resource (403): the stream is then skipped with a warning."""

    may_be_empty: ClassVar[bool] = False
    """For a child that is one object: whether there is a row where the answer has no content (204)."""

    @property
    @override
    def url_base(self) -> str:
        return str(self.config["api_url"]).rstrip("/")

    @override
    def get_url(self, context: Context | None) -> str:
        """Return the address of a list; what the API sends as an id stays one segment of its path."""
        return f"{self.url_base}{path_of(self.path, context or {})}"

    @override
    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:
        """Return `params`, filled in from the context, with the page size and the cursor.

        A parameter whose value is None is not sent.
        """
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
        return self.paginator_class()  # type: ignore[call-arg] # its own constructor says what it needs

    @property
    def signals(self) -> Signals:
        """Signals by which a page tells whether more rows follow, and their places."""
        return Signals(
            cursor=self.cursor_jsonpath,
            flag=self.has_more_jsonpath,
            url=self.next_url_jsonpath,
            param=self.cursor_param,
            rows=self.records_jsonpath,
            row_key=self.cursor_column,
            keys=tuple(key for key in self._declared_keys if key not in self.parent_keys),
            where=f"{self.path} (stream `{self.name}`)",
        )

    @property
    def _declared_keys(self) -> Sequence[str]:
        """The primary key as the stream's class has it, whatever a catalog says."""
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
        """A request without cookies and `.netrc`, for which the SDK would have the session look each time."""
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
            except OSError as error:  # requests' own, and what it refuses certificates with
                vars(error)["request"] = request  # for the sentence about it
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

    # Answers

    @override
    def validate_response(self, response: requests.Response) -> None:
        """Turn an answer that is not a page of rows into the error that says what happens next.

        Raises:
            RetriableAPIError: Passing: a 408, 425, 429 or 5xx, a body that is broken or not of the API's shape.
            RequestError: Final, for this request.
            AccessError: Final, for the run.
        """
        message = self.response_error_message(response)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            raise RateLimitedError(message, response)
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or response.status_code in _PASSING:
            raise RetriableAPIError(message, response)
        if response.status_code not in _SUCCESS:
            raise self.error_for(response, message)
        is_object = self.parent_stream_type is not None and "[*]" not in self.records_jsonpath
        if response.status_code == HTTPStatus.NO_CONTENT and is_object and not self.may_be_empty:
            raise NotFoundError(message)  # there is nothing for this parent
        try:
            rows = select(self.records_jsonpath, self.page(response))
        except EnvelopeError as error:
            raise RetriableAPIError(f"{message}: {error}", response) from None
        except ValueError:
            raise RetriableAPIError(f"{message}: the body is not JSON, or nested too deep", response) from None
        if isinstance(rows, list) and len(rows) > _MOST_ROWS:
            raise RetriableAPIError(f"{message}: a page of {len(rows):,} rows, of at most {_MOST_ROWS:,}", response)
        # A list that is asked for in pages has them: without their signals any page would look like the last one.
        if (
            self.page_size_param
            and issubclass(self.paginator_class, CursorPaginator)
            and self.signals.are_silent(response)
        ):
            raise RetriableAPIError(f"{message}: the page does not say whether more rows follow", response)
        self.tap.note_server_time(response.headers)

    def error_for(self, response: requests.Response, message: str) -> Exception:
        """The error that a 4xx (other than 429) stands for."""
        match response.status_code:
            case HTTPStatus.UNAUTHORIZED:
                whose = self.tap.api_name
                also = doubt(self.config, self.tap.config_jsonschema, whose)
                return AccessError(
                    f"{whose} does not accept the key: it is wrong, expired or revoked{also}. "
                    f"For another one, {self.tap.key_hint}"
                )
            case HTTPStatus.FORBIDDEN:
                return ForbiddenError(message)
            case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
                whole_list = self.parent_stream_type is None and self.skip_if_forbidden
                return NoSuchListError(message) if whole_list else NotFoundError(message)
        return RequestError(message)

    @override
    def response_error_message(self, response: requests.Response) -> str:
        # The SDK's text quotes the body, which may hold names and addresses, and the server's words for the status.
        return f"{status_line(response.status_code)} on {self.path} (stream `{self.name}`)"

    def page(self, response: requests.Response) -> Any:
        """The page that an answer holds.

        Raises:
            ValueError: The body is not JSON.
        """
        return decoded(response)


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """The request as it is: `Access.auth` signs it when it is its turn."""
    return request
