"""The world by HTTP, for whoever is not in the same process: under /_world."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from sandbox.gate import CONTROL

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.server import Sandbox


def respond(body: Any, status: int = 200) -> Response:
    """Return a JSON answer."""
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def control(sandbox: Sandbox) -> list[Route]:
    """Return the routes that show and move the world."""

    def state() -> dict[str, Any]:
        world = sandbox.world
        counts = {name: len(value) for name, value in vars(world).items() if isinstance(value, dict)}
        public = {name: count for name, count in counts.items() if not name.startswith("_")}
        return {"now": world.now, "seed": world.seed, "scale": world.scale, "counts": public}

    async def show(_: Request) -> Response:
        return respond(state())

    async def advance(request: Request) -> Response:
        try:
            spans = {name: float(value) for name, value in request.query_params.items()}
            sandbox.advance(**spans)
        except (TypeError, ValueError) as error:
            return respond({"error": f"give days, hours, minutes or seconds as numbers: {error}"}, 400)
        return respond(state())

    async def truth(request: Request) -> Response:
        api, stream = request.path_params["api"], request.path_params["stream"]
        try:
            return respond(sandbox.truth(api, stream, **request.query_params))
        except (LookupError, TypeError) as error:
            return respond({"error": str(error)}, 404)

    async def faults(request: Request) -> Response:
        try:
            orders = msgspec.json.decode(await request.body(), type=dict[str, Any])
            if orders.pop("clear", False):
                sandbox.faults.clear()
            for name in ("script", "randomly"):
                if name in orders:
                    getattr(sandbox.faults, name)(**orders.pop(name))
            if orders:
                raise ValueError(f"unknown orders {', '.join(orders)}")  # noqa: TRY301 -- answered like the others
        except (TypeError, ValueError) as error:
            return respond(
                {"error": f"give clear, script {{path, kinds}} or randomly {{rate, seed, kinds}}: {error}"}, 400
            )
        return respond({"injected": sandbox.faults.injected})

    async def requests(_: Request) -> Response:
        return respond([asdict(asked) for asked in list(sandbox.requests)])

    return [
        Route(f"/{CONTROL}", show),
        Route(f"/{CONTROL}/advance", advance, methods=["POST"]),
        Route(f"/{CONTROL}/truth/{{api}}/{{stream}}", truth),
        Route(f"/{CONTROL}/faults", faults, methods=["POST"]),
        Route(f"/{CONTROL}/requests", requests),
    ]
