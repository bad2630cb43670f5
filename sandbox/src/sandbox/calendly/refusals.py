"""The refusals of Calendly: a title, a message and sometimes details."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.http import Refusal

if TYPE_CHECKING:
    from sandbox.http import Row


def invalid(parameter: str, message: str) -> Refusal:
    """Return the refusal of a parameter (Calendly: 400 names the parameter in `details`)."""
    body = {
        "title": "Invalid Argument",
        "message": "The supplied parameters are invalid.",
        "details": [{"parameter": parameter, "message": message}],
    }
    return Refusal(400, body)


def denied(message: str = "You do not have permission to access this resource.") -> Refusal:
    """Return the refusal of a caller without permission (Calendly: 403 "Permission Denied")."""
    return Refusal(403, {"title": "Permission Denied", "message": message})


def unauthenticated(message: str = "The access token is invalid") -> Refusal:
    """Return the refusal of a missing, unknown or expired token (Calendly: 401 "Unauthenticated")."""
    return Refusal(401, {"title": "Unauthenticated", "message": message})


def not_found() -> Refusal:
    """Return the refusal of a missing or invisible resource (Calendly: 404)."""
    return Refusal(404, {"title": "Resource Not Found", "message": "The server could not find the requested resource."})


def lacks_scope(scope: str, told: str = "required_scopes") -> Refusal:
    """Return the refusal of a token without the scope (Calendly: 403 with one of several bodies)."""
    message = "The access token does not have the scope that this request needs."
    title = {"title": "Insufficient scope", "message": message}
    bodies: dict[str, Row] = {
        "required_scopes": {**title, "required_scopes": [scope]},
        "title": title,
        "type": {"title": "Permission Denied", "type": "InsufficientScopeError", "message": message},
        "details": {"title": "Forbidden", "message": message, "details": [{"code": "InsufficientScopeError"}]},
        "error": {"error": "insufficient_scope", "error_description": message},
    }
    return Refusal(403, bodies[told])


def upgrade() -> Refusal:
    """Return the refusal of a plan without the feature (Calendly: 403, "please upgrade")."""
    return denied("Please upgrade your Calendly account to Enterprise.")


STALE_TOKEN = invalid("page_token", "is invalid")
