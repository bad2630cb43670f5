from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from apis import Api
from harness import Runner
from tap_scheduler.tap import TapScheduler
from truth import Judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness import VirtualClock
    from sandbox import Sandbox


def webhook(thing: dict[str, Any]) -> dict[str, Any]:
    """The row of a webhook: without what may be a secret."""
    return {name: value for name, value in thing.items() if name != "secret"} | {"url": thing["url"].partition("?")[0]}


def delete_workflows(sandbox: Sandbox) -> str:
    """Leave no workflow."""
    for workflow in list(sandbox.world.invites.workflows.values()):
        sandbox.world.invites.delete_workflow(workflow)
    return "workflows"


SAVVYCAL = Api(
    name="savvycal",
    tap=TapScheduler,
    main="events",
    first=r"/v1/me$",
    listed=r"/v1/links$",
    person=("current_user", "email"),
    kept=frozenset({"events", "event_attendees"}),
    rows={"webhooks": webhook},
    empty=delete_workflows,
)


@pytest.fixture
def run_against(clock: VirtualClock) -> Callable[[Sandbox], Runner]:
    """Runs of tap-scheduler against a sandbox."""

    def build(sandbox: Sandbox) -> Runner:
        return Runner(TapScheduler, {"api_key": "sandbox-admin", "api_url": f"{sandbox.url}/savvycal"}, clock)

    return build


@pytest.fixture
def savvycal(sandbox: Sandbox, run_against: Callable[[Sandbox], Runner]) -> Runner:
    """Runs of tap-scheduler against the small sandbox."""
    return run_against(sandbox)


@pytest.fixture
def judge(sandbox: Sandbox) -> Judge:
    """Compares with the truth of the small sandbox."""
    return Judge(SAVVYCAL, sandbox)


@pytest.fixture
def asked(sandbox: Sandbox) -> Callable[[str], list[dict[str, str]]]:
    """What a path of the small sandbox was asked with, page by page."""
    return lambda path: [dict(request.query) for request in sandbox.requests if request.path == path]
