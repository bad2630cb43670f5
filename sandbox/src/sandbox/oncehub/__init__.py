"""The simulated OnceHub API v2."""

from __future__ import annotations

from sandbox.oncehub.api import OnceHub

__all__ = ["OnceHub"]
