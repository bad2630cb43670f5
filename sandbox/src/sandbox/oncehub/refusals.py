"""The ways in which OnceHub says no: a type, a message, and sometimes the parameter at fault."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818 -- an answer, not an error of ours
    """An answer other than the one asked for."""

    def __init__(self, status: int, kind: str, message: str, param: str | None = None) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.headers: dict[str, str] = {}
        self.body = {"type": kind, "message": message} | ({"param": param} if param else {})


def invalid(param: str, message: str) -> Refusal:
    """Return the refusal of a parameter."""
    return Refusal(400, "invalid_request_error", message, param)


def not_found(message: str = "No such resource") -> Refusal:
    """Return the refusal of what does not exist."""
    return Refusal(404, "invalid_request_error", message)


def unauthenticated() -> Refusal:
    """Return the refusal of a missing or unknown key."""
    return Refusal(401, "authentication_error", "The API key is missing or invalid")


def no_access(message: str = "Your plan does not include API access") -> Refusal:
    """Return the refusal of a plan: of the same type as that of a key."""
    return Refusal(403, "authentication_error", message)


def too_many() -> Refusal:
    """Return the refusal of a request over the limit."""
    return Refusal(429, "rate_limit_error", "Request rate limit exceeded")
