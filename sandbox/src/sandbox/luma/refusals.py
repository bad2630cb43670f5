"""The ways in which Luma says no: always a message and a code, which is null."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818 -- an answer, not an error of ours
    """An answer other than the one asked for."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.body = {"message": message, "code": None}
        self.headers = headers or {}


def invalid(parameter: str, reason: str) -> Refusal:
    """Return the refusal of a parameter."""
    return Refusal(400, f"Invalid query: {parameter} {reason}.")


def denied(message: str = "You don't have access to this resource.") -> Refusal:
    """Return the refusal of a key that may not see this."""
    return Refusal(403, message)


def not_found() -> Refusal:
    """Return the refusal of what does not exist."""
    return Refusal(404, "Not found")
