"""The refusals of OnceHub: a type, a message, and sometimes the parameter at fault."""

from __future__ import annotations

from sandbox.http import Refusal


def refusal(status: int, kind: str, message: str, param: str | None = None) -> Refusal:
    """Return a refusal of a type, with a message."""
    return Refusal(status, {"type": kind, "message": message} | ({"param": param} if param else {}))


def invalid(param: str, message: str) -> Refusal:
    """Return the refusal of a parameter."""
    return refusal(400, "invalid_request_error", message, param)


def not_found(message: str = "No such resource") -> Refusal:
    """Return the refusal of a missing resource."""
    return refusal(404, "invalid_request_error", message)


def unauthenticated() -> Refusal:
    """Return the refusal of a missing or unknown key."""
    return refusal(401, "authentication_error", "The API key is missing or invalid")


def no_access(message: str = "Your plan does not include API access") -> Refusal:
    """Return the refusal of a plan without the feature; it has the type of an invalid key's."""
    return refusal(403, "authentication_error", message)


def too_many(retry_after: int | None = None) -> Refusal:
    """Return the refusal of a request over the rate limit."""
    found = refusal(429, "rate_limit_error", "Request rate limit exceeded")
    if retry_after is not None:
        found.headers["Retry-After"] = str(retry_after)
    return found
