"""The refusals of Luma: a message, and a code that is always null."""

from __future__ import annotations

from sandbox.http import Refusal


def refusal(status: int, message: str, headers: dict[str, str] | None = None) -> Refusal:
    """Return a refusal with a message."""
    return Refusal(status, {"message": message, "code": None}, headers)


def invalid(parameter: str, reason: str) -> Refusal:
    """Return the refusal of a parameter."""
    return refusal(400, f"Invalid query: {parameter} {reason}.")


def denied(message: str = "You don't have access to this resource.") -> Refusal:
    """Return the refusal of a key without access."""
    return refusal(403, message)


def not_found() -> Refusal:
    """Return the refusal of a missing resource."""
    return refusal(404, "Not found")
