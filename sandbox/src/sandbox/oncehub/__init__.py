"""OnceHub over the world."""

from __future__ import annotations

from sandbox.oncehub.api import OnceHub

__all__ = ["OnceHub"]
