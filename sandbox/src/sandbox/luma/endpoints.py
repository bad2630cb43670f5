"""The tables of endpoints, and calls to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.luma import calendars, events, guests, legacy, organization, sales
from sandbox.luma.refusals import denied
from sandbox.luma.request import Call
from sandbox.luma.switches import CURRENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.luma.keys import Key
    from sandbox.luma.request import Endpoint
    from sandbox.luma.switches import Switches

NAMED: dict[str, Endpoint] = {
    endpoint.name: endpoint
    for module in (events, guests, sales, calendars, organization)
    for endpoint in module.ENDPOINTS
}
"""Endpoints of the current generation, by the name of a stream or an object."""
OLDER: dict[str, Endpoint] = {endpoint.name: endpoint for endpoint in legacy.ENDPOINTS}
"""Endpoints of the older generation, by the same names."""
PATHS: dict[str, Endpoint] = {endpoint.path: endpoint for endpoint in NAMED.values()}
PATHS |= {
    prefix + endpoint.path: endpoint for endpoint in (*OLDER.values(), NAMED["webhooks"]) for prefix in ("", "/public")
}
"""Endpoints of both generations, by path."""


def call_to(
    api: Switches, name: str, key: Key, query: Sequence[tuple[str, str]], path: str | None = None
) -> tuple[Call, list[tuple[str, str]]]:
    """Return a call to an endpoint, and the known part of its query.

    `path` is the path of the request; without one the call goes to the newest endpoint that answers.

    Raises:
        Refusal: the key, a parameter or a switch forbids the request.
    """
    endpoint = PATHS[path] if path else NAMED[name]
    if not key.plus:
        raise denied("This API requires a Luma Plus subscription.")
    if path is None and CURRENT not in api.generations:
        path = OLDER[name].path if name in OLDER else None
    args, known = endpoint.read(query)
    call = Call(api=api, key=key, endpoint=endpoint, path=path or endpoint.path, args=args)
    call.check()
    return call, known
