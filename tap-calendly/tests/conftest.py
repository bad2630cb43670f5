from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from apis import CALENDLY, runner_of

if TYPE_CHECKING:
    from harness import Runner, VirtualClock
    from sandbox import Sandbox


@pytest.fixture
def calendly(sandbox: Sandbox, clock: VirtualClock) -> Runner:
    """Runs of tap-calendly against the sandbox."""
    return runner_of(CALENDLY, sandbox, clock)
