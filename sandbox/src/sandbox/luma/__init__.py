"""Luma over the world."""

from __future__ import annotations

from sandbox.luma.api import Luma

__all__ = ["Luma"]
