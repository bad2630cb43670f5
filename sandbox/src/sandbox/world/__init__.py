"""The simulated world: an organization, its hosts, their meetings and guests, in no API's vocabulary."""

from __future__ import annotations

from sandbox.world.state import DEFAULT_NOW, EPOCH, SCALES
from sandbox.world.world import World

__all__ = ["DEFAULT_NOW", "EPOCH", "SCALES", "World"]
