"""SavvyCal over the world."""

from __future__ import annotations

from sandbox.savvycal.api import SavvyCal

__all__ = ["SavvyCal"]
