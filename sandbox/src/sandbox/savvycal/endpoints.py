"""The table of endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.savvycal import events, resources, zones

if TYPE_CHECKING:
    from sandbox.savvycal.request import Endpoint

ENDPOINTS: dict[str, Endpoint] = {
    endpoint.path: endpoint for module in (events, resources, zones) for endpoint in module.ENDPOINTS
}
"""Every endpoint, by path."""
