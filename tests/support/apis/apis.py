"""The taps that tests hold for."""

from __future__ import annotations

from calendly_api import CALENDLY
from luma_api import LUMA
from oncehub_api import ONCEHUB
from savvycal_api import SAVVYCAL

APIS = [CALENDLY, ONCEHUB, LUMA, SAVVYCAL]
