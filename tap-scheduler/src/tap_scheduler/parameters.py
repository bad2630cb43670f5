"""Names of query parameters. SavvyCal ignores unknown ones and uses its defaults, so no other name is ever sent."""

from __future__ import annotations

AFTER = "after"
ATTENDANCE = "attendance"
DIRECTION = "direction"
FROM = "from"
LIMIT = "limit"
PERIOD = "period"
STATE = "state"
UNTIL = "until"
