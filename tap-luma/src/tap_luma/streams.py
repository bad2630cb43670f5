"""Every stream of the tap; API.md says what each endpoint does."""

from __future__ import annotations

STREAMS = ()
