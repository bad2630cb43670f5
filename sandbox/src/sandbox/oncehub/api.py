"""The OnceHub API over a world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from starlette.routing import Router

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.world import World


class OnceHub:
    """The API and its switches."""

    name: ClassVar[str] = "oncehub"

    def __init__(self, world: World, clock: Callable[[], float]) -> None:
        self.world = world
        self.clock = clock
        self.api_url = ""
        self.requests_per_minute: int | None = None
        self.refused: list[tuple[str, float]] = []
        self.extra_fields: dict[str, dict[str, Any]] = {}
        self.empty_pages = False

    def routes(self) -> Router:
        """Return the application."""
        return Router([])

    def key_name(self, headers: Mapping[str, str]) -> str | None:
        """Return what the request log calls whoever asks."""
        return None

    def truth(self, stream: str, key: str) -> list[dict[str, Any]]:
        """Return what a perfect sync would hold."""
        raise LookupError(f"no truth about oncehub {stream} for {key}")
