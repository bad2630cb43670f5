"""SavvyCal, for the tests that hold for every tap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api import NOTHING_ODD, Api, host_of
from savvycal_mutations import CHORES, MUTATIONS
from savvycal_visibility import BEGINS, SEEN, UNSEEN
from tap_scheduler.tap import TapScheduler

if TYPE_CHECKING:
    from api import Row
    from sandbox import Sandbox


def _webhook(thing: Row) -> Row:
    return {name: value for name, value in thing.items() if name != "secret"} | {"url": host_of(thing["url"])}


def _delete_workflows(sandbox: Sandbox) -> str:
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
    second_key="sandbox-member",
    seen=SEEN,
    unseen=UNSEEN,
    begins=BEGINS,
    mutations=MUTATIONS,
    chores=CHORES,
    settings={
        "start_date": [None, None, None, -3, -20, -300],
        "page_size": [100, 3, 2],
        "lookback_days": [30, 5, 1, 90],
    },
    switches={
        "from_alone_refused": [False, True],
        "fixed_refused": [False, True],
        "from_zone": [None, "Pacific/Kiritimati", "Etc/GMT+12"],
        "links_list_all": [True, False],
        "empty_pages": [False, True],
        "odd": [
            *NOTHING_ODD,
            {"start_at": ""},
            {"start_at": 1767225600, "end_at": "soon"},
            {"start_at": "9999-12-31T23:59:59Z", "summary": {"a": "text"}},
            {"start_at": "tomorrow", "time_zone": 5, "link": "none"},
        ],
    },
    announces_limit=False,
    rows={"webhooks": _webhook},
    empty=_delete_workflows,
)
