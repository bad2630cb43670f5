"""How many requests an API that is busy is asked at a time."""

from __future__ import annotations

from dataclasses import dataclass

# An answer is late when it takes so many times as long as is usual, and so many seconds more.
_TIMES, _SECONDS = 3.0, 0.5
_FEWER = 0.7
# How much of a new value a mean takes up.
_SOON, _LATER, _HARDLY = 0.3, 0.05, 0.005


@dataclass
class _Answers:
    """Seconds that answers of one endpoint take: those of late, and usually."""

    recent: float
    usual: float


class AdaptiveConcurrency:
    """The most requests to have under way: fewer while answers fail or come late, and step by step more again.

    Whether an answer is late is judged endpoint by endpoint: a list of a hundred takes longer than a single row.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        """The setting: never more than this."""
        self._allowed = float(most)
        self._answers: dict[str, _Answers] = {}
        self._changed_at = 0.0

    @property
    def allowed(self) -> int:
        """How many may be under way now."""
        return int(self._allowed)

    def note(self, endpoint: str, began: float, ended: float, *, failed: bool) -> None:
        """Learn from an answer, given the moments of the request and of the answer; failed with 5xx, or never came.

        Requests that were under way when the number was lowered say nothing about the lower one.
        """
        seconds = ended - began
        known = self._answers.setdefault(endpoint, _Answers(seconds, seconds))
        known.recent += _SOON * (seconds - known.recent)
        late = known.recent > _TIMES * known.usual + _SECONDS
        known.usual += (_HARDLY if late else _LATER) * (seconds - known.usual)
        if not (failed or late):
            self._allowed = min(float(self.most), self._allowed + 1 / self._allowed)
        elif began >= self._changed_at:
            self._allowed = max(1.0, self._allowed * _FEWER)
            self._changed_at = ended
