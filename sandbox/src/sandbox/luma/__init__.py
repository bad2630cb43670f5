"""The simulated Luma API."""

from __future__ import annotations

from sandbox.luma.api import Luma

__all__ = ["Luma"]
