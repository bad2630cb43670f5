"""The simulated Calendly API v2."""

from __future__ import annotations

from sandbox.calendly.api import Calendly

__all__ = ["Calendly"]
