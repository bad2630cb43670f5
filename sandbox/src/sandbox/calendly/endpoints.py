"""The table of endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.calendly import audit, availability, contacts, event_types, events, people, submissions

if TYPE_CHECKING:
    from sandbox.calendly.request import Endpoint

ENDPOINTS: dict[str, Endpoint] = {
    endpoint.name: endpoint
    for module in (people, event_types, availability, events, submissions, contacts, audit)
    for endpoint in module.ENDPOINTS
}
"""Every endpoint, by the name of the stream that reads it, or of its object."""
