"""Control of the world by HTTP, under /_world, for clients in other processes."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.routing import Route

from sandbox.http import respond

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.simulation import Simulation

    Endpoint = Callable[[Request], Awaitable[Response]]

PATH = "_world"
"""First segment of the control's paths."""
LOOPBACK = ("127.0.0.1", "localhost")
LONGEST = timedelta(days=3650)
"""Longest time by which one request may move the world forward."""


class Control:
    """The endpoints that show and change a simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation

    def routes(self) -> list[Route]:
        """Return the routes, with their whole paths."""
        return [
            Route(f"/{PATH}", self.guarded(self.show)),
            Route(f"/{PATH}/advance", self.guarded(self.advance), methods=["POST"]),
            Route(f"/{PATH}/truth/{{api}}/{{stream}}", self.guarded(self.truth)),
            Route(f"/{PATH}/faults", self.guarded(self.faults), methods=["POST"]),
            Route(f"/{PATH}/requests", self.guarded(self.requests)),
        ]

    def guarded(self, endpoint: Endpoint) -> Endpoint:
        """Return an endpoint that refuses web pages: a browser sends the page's Origin and the Host of the address."""

        async def answer(request: Request) -> Response:
            hosts = {f"{host}:{self.simulation.port}" for host in LOOPBACK}
            own = {f"http://{host}" for host in hosts}
            if request.headers.get("host") not in hosts or request.headers.get("origin", next(iter(own))) not in own:
                message = f"only {self.simulation.url} itself may be requested, and not by a web page"
                return respond(403, {"error": message})
            return await endpoint(request)

        return answer

    def state(self) -> dict[str, Any]:
        """Return the world's time and the number of its records."""
        world = self.simulation.world
        counts = {name: len(value) for name, value in vars(world).items() if isinstance(value, dict)}
        return {"now": world.now, "seed": world.seed, "scale": world.scale, "counts": counts}

    async def show(self, _: Request) -> Response:
        """Respond with the state of the world."""
        return respond(200, self.state())

    async def advance(self, request: Request) -> Response:
        """Move the world forward by days, hours, minutes or seconds."""
        try:
            spans = {name: float(value) for name, value in request.query_params.items()}
            if not timedelta() <= timedelta(**spans) <= LONGEST:
                return respond(400, {"error": f"give 0 to {LONGEST.days} days in all"})
            self.simulation.advance(**spans)
        except (TypeError, ValueError, OverflowError) as error:
            return respond(400, {"error": f"give days, hours, minutes or seconds as numbers: {error}"})
        return respond(200, self.state())

    async def truth(self, request: Request) -> Response:
        """Respond with the objects that a perfect sync with `?key=` would hold."""
        api, stream = request.path_params["api"], request.path_params["stream"]
        try:
            return respond(200, self.simulation.truth(api, stream, **request.query_params))
        except (LookupError, TypeError) as error:
            return respond(404, {"error": str(error)})

    async def faults(self, request: Request) -> Response:
        """Set faults: script, randomly, signal, ignore, clear; see the README."""
        try:
            orders = msgspec.json.decode(await request.body(), type=dict[str, Any])
            self.order(orders)
        except (TypeError, ValueError) as error:
            return respond(400, {"error": f"give clear, script, randomly, signal or ignore: {error}"})
        return respond(200, {"injected": self.simulation.faults.injected})

    def order(self, orders: dict[str, Any]) -> None:
        """Set the faults of a request."""
        faults = self.simulation.faults
        signals = self.simulation.signals
        unknown = orders.keys() - {"clear", "script", "randomly", "signal", "ignore"}
        if unknown:
            raise ValueError(f"unknown keys {', '.join(sorted(unknown))}")
        if orders.get("clear"):
            faults.clear()
            signals.clear()
        if "script" in orders:
            faults.script(**orders["script"])
        if "randomly" in orders:
            faults.randomly(**orders["randomly"])
        if "signal" in orders:
            signals.go_wrong(**orders["signal"])
        for api, parameters in orders.get("ignore", {}).items():
            signals.ignore(api, *parameters)

    async def requests(self, _: Request) -> Response:
        """Respond with the log of requests."""
        return respond(200, [asdict(request) for request in list(self.simulation.requests)])
