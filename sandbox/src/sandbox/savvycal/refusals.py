"""The refusals of SavvyCal: messages by parameter, or a word of plain text."""

from __future__ import annotations

from sandbox.http import Refusal


def invalid(parameter: str, message: str) -> Refusal:
    """Return the refusal of a parameter's value (SavvyCal: 422 with messages by parameter)."""
    return Refusal(422, {"errors": {parameter: [message]}})


def unauthenticated() -> Refusal:
    """Return the refusal of a missing, unknown or expired token (SavvyCal: 401, one word of plain text)."""
    return Refusal(401, "Unauthenticated")


def not_found() -> Refusal:
    """Return the refusal of a missing or invisible resource (SavvyCal: 404; its body is unverified)."""
    return Refusal(404, "Not Found")


def forbidden() -> Refusal:
    """Return the refusal of a forbidden path."""
    return Refusal(403, "Forbidden")
