"""What the sandbox asks of each API over its world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.routing import Router


class Projection(Protocol):
    """One of the vendors' APIs, as far as it can be read, over the world.

    A projection is made with the world and a clock that counts seconds, for rate limits.
    """

    name: ClassVar[str]
    """The first segment of its path."""
    api_url: str
    """Scheme, host, port and name, once it is served: what a tap's `api_url` is set to."""
    requests_per_minute: int | None
    """Requests allowed a minute, instead of the vendor's limits; None for the vendor's."""
    refused: list[tuple[str, float]]
    """(Key name, clock) of every request that was over the limit."""
    extra_fields: dict[str, dict[str, Any]]
    """Fields to add to each row of a stream, by stream name: what a vendor may do any day."""
    odd: dict[str, Any]
    """Values that one of three objects has in the fields of these names: not what the vendor documents."""
    empty_pages: bool
    """Whether the second page of a list is empty although more follow."""

    def routes(self) -> Router:
        """The application."""

    def key_name(self, headers: Mapping[str, str]) -> str | None:
        """What the request log calls the key of a request; None for a stranger's."""

    def truth(self, stream: str, key: str) -> list[dict[str, Any]]:
        """The raw objects that a perfect sync of a stream with a key would hold now.

        Raises:
            LookupError: The stream or the key is unknown.
        """
