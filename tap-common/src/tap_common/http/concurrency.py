"""Concurrency that adapts to the API's load."""

from __future__ import annotations

from dataclasses import dataclass

# A response is late if it takes three times as long as usual, plus half a second.
_TIMES, _SECONDS = 3.0, 0.5
_DECREASE = 0.7
# Weights of a new value in a moving average: of recent responses, of usual ones, and of usual ones while late.
_RECENT, _USUAL, _USUAL_LATE = 0.3, 0.05, 0.005


@dataclass
class _ResponseTimes:
    """Moving averages of the response times of one endpoint, in seconds."""

    recent: float
    usual: float


class AdaptiveConcurrency:
    """Number of concurrent requests: decreases while responses fail or are late, then increases step by step.

    Response times are compared per endpoint, since a page of a hundred rows takes longer than a single object.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        """Upper limit, from the setting `concurrency`."""
        self._allowed = float(most)
        self._times: dict[str, _ResponseTimes] = {}
        self._changed_at = 0.0

    @property
    def allowed(self) -> int:
        """Number of concurrent requests allowed now."""
        return int(self._allowed)

    def observe(self, endpoint: str, began: float, ended: float, *, failed: bool) -> None:
        """Adapt to a response; `failed` if it was a 5xx, or none arrived.

        A request that began before the last decrease says nothing about the new number, and does not lower it again.
        """
        seconds = ended - began
        times = self._times.setdefault(endpoint, _ResponseTimes(seconds, seconds))
        times.recent += _RECENT * (seconds - times.recent)
        late = times.recent > _TIMES * times.usual + _SECONDS
        times.usual += (_USUAL_LATE if late else _USUAL) * (seconds - times.usual)
        if not (failed or late):
            self._allowed = min(float(self.most), self._allowed + 1 / self._allowed)
        elif began >= self._changed_at:
            self._allowed = max(1.0, self._allowed * _DECREASE)
            self._changed_at = ended
