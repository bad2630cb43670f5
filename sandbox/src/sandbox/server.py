"""The sandbox: one world, the APIs over it, and a server on this machine."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import TYPE_CHECKING, Self

import uvicorn
from starlette.routing import Mount, Router
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.calendly import Calendly
from sandbox.control import Control
from sandbox.gate import Gate
from sandbox.luma import Luma
from sandbox.odd import OddAnswers
from sandbox.oncehub import OnceHub
from sandbox.savvycal import SavvyCal
from sandbox.simulation import HOST, Simulation
from sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from types import TracebackType

KEEP_ALIVE = 3600
"""Seconds for which an idle connection stays open; longer than any client pauses."""


class Protocol(H11Protocol):
    """HTTP/1.1 with the transport in the application's state, so that a fault can break the connection."""

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn does
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state = {**self.app_state, "transport": transport}


class Server(uvicorn.Server):
    """A uvicorn server that stops at once: its own loop polls ten times a second and waits for clients."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self.loop: asyncio.AbstractEventLoop
        self.leave: asyncio.Event

    @override
    async def main_loop(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.leave = asyncio.Event()
        self.ready.set()
        await self.leave.wait()

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)

    def stop(self) -> None:
        """Stop the server, from any thread."""
        self.loop.call_soon_threadsafe(self.leave.set)


class Sandbox(Simulation):
    """The four APIs, served on `url` while the `with` block lasts.

    `world`, `calendly`, `oncehub`, `luma` and `savvycal` may be changed at any time. `clock` counts seconds, for rate
    limits and for the log of requests; `flow` lets the world's time pass with it. Port 0 is a free one.

    Raises:
        OSError: on entering, the port is in use.
    """

    def __init__(  # noqa: PLR0913 -- a world and a server have this many properties
        self,
        seed: int = 7,
        scale: str = "test",
        now: datetime | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        port: int = 0,
        flow: bool = False,
    ) -> None:
        world = World(seed, scale, now)
        self.calendly = Calendly(world, clock)
        self.oncehub = OnceHub(world, clock)
        self.luma = Luma(world, clock)
        self.savvycal = SavvyCal(world, clock)
        apis = (self.calendly, self.oncehub, self.luma, self.savvycal)
        super().__init__(world, clock, apis, port=port, flow=flow)
        self._server: Server
        self._thread: threading.Thread

    def __enter__(self) -> Self:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((HOST, self.port))
        except OSError:
            listener.close()
            raise
        self.port = listener.getsockname()[1]
        for name, api in self.apis.items():
            api.api_url = f"{self.url}/{name}"
        routes = [
            *Control(self).routes(),
            *(Mount(f"/{name}", OddAnswers(api, api.routes())) for name, api in self.apis.items()),
        ]
        config = uvicorn.Config(
            Gate(self, Router(routes, redirect_slashes=False)),
            http=Protocol,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=KEEP_ALIVE,
        )
        self._server = Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True
        )
        self._thread.start()
        self._server.ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
        self._thread.join()
