"""The simulated SavvyCal API v1."""

from __future__ import annotations

from sandbox.savvycal.api import SavvyCal

__all__ = ["SavvyCal"]
