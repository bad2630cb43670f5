"""The scheduling APIs on one port, over one simulated world."""

from __future__ import annotations

from sandbox.clock import ManualClock
from sandbox.server import Sandbox
from sandbox.world import World

__all__ = ["ManualClock", "Sandbox", "World"]
