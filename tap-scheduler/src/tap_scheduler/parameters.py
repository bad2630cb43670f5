"""Names of query parameters: SavvyCal ignores a name that it does not know, and goes back to what it shows unasked.

No other name is ever sent.
"""

from __future__ import annotations

AFTER = "after"
ATTENDANCE = "attendance"
DIRECTION = "direction"
FROM = "from"
LIMIT = "limit"
PERIOD = "period"
STATE = "state"
UNTIL = "until"
