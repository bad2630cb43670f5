"""The Calendly API v2, projected from a world."""

from __future__ import annotations

from sandbox.calendly.api import Calendly

__all__ = ["Calendly"]
