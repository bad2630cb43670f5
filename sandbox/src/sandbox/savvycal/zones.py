"""The endpoints of time zones, whose rows change with daylight saving time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sandbox.savvycal.refusals import not_found
from sandbox.savvycal.request import ZONE, ZONES, Endpoint
from sandbox.savvycal.text import maybe

if TYPE_CHECKING:
    from sandbox.http import Row
    from sandbox.savvycal.request import Call

FARTHEST = timedelta(days=400)
STEP = timedelta(days=7)
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Zone:
    """The constant properties of a zone; `metazone` and `windows` are None for a zone without them."""

    id: str
    name: str
    metazone: str | None = None
    windows: str | None = None
    aliases: tuple[str, ...] = ()
    golden: bool = False
    legacy: bool = False


TABLE = (
    Zone("America/New_York", "Eastern", "America_Eastern", "Eastern Standard Time", ("US/Eastern",), golden=True),
    Zone("America/Chicago", "Central", "America_Central", "Central Standard Time", ("US/Central",), golden=True),
    Zone("America/Denver", "Mountain", "America_Mountain", "Mountain Standard Time", ("US/Mountain",), golden=True),
    Zone("America/Los_Angeles", "Pacific", "America_Pacific", "Pacific Standard Time", ("US/Pacific",), golden=True),
    Zone("America/Phoenix", "Mountain", "America_Mountain", "US Mountain Standard Time", ("US/Arizona",)),
    Zone("America/Anchorage", "Alaska", "Alaska", "Alaskan Standard Time", ("US/Alaska",)),
    Zone("America/Sao_Paulo", "Brasilia", "Brasilia", "E. South America Standard Time", ("Brazil/East",)),
    Zone("America/Argentina/Buenos_Aires", "Argentina", "Argentina", "Argentina Standard Time"),
    Zone("America/St_Johns", "Newfoundland", "Newfoundland", "Newfoundland Standard Time", ("Canada/Newfoundland",)),
    Zone("Pacific/Honolulu", "Hawaii-Aleutian", "Hawaii_Aleutian", "Hawaiian Standard Time", ("US/Hawaii",)),
    Zone("Europe/London", "Greenwich Mean", "GMT", "GMT Standard Time", ("GB",), golden=True),
    Zone("Europe/Lisbon", "Western European", "Europe_Western", "GMT Standard Time", ("Portugal",)),
    Zone("Europe/Berlin", "Central European", "Europe_Central", "W. Europe Standard Time", golden=True),
    Zone("Europe/Paris", "Central European", "Europe_Central", "Romance Standard Time", golden=True),
    Zone("Europe/Kyiv", "Eastern European", "Europe_Eastern", "FLE Standard Time", ("Europe/Kiev",)),
    Zone("Europe/Istanbul", "Türkiye", None, "Turkey Standard Time", ("Turkey",)),
    Zone("Africa/Cairo", "Eastern European", "Europe_Eastern", "Egypt Standard Time", ("Egypt",)),
    Zone("Africa/Johannesburg", "South Africa", "Africa_Southern", "South Africa Standard Time"),
    Zone("Africa/Lagos", "West Africa", "Africa_Western", "W. Central Africa Standard Time"),
    Zone("Asia/Dubai", "Gulf", "Gulf", "Arabian Standard Time"),
    Zone("Asia/Kolkata", "India", "India", "India Standard Time", ("Asia/Calcutta",), golden=True),
    Zone("Asia/Kathmandu", "Nepal", "Nepal", "Nepal Standard Time", ("Asia/Katmandu",)),
    Zone("Asia/Shanghai", "China", "China", "China Standard Time", ("PRC",), golden=True),
    Zone("Asia/Tokyo", "Japan", "Japan", "Tokyo Standard Time", ("Japan",), golden=True),
    Zone("Asia/Singapore", "Singapore", "Singapore", "Singapore Standard Time", ("Singapore",)),
    Zone("Australia/Sydney", "Eastern Australia", "Australia_Eastern", "AUS Eastern Standard Time", ("Australia/ACT",)),
    Zone("Australia/Adelaide", "Central Australia", "Australia_Central", "Cen. Australia Standard Time"),
    Zone("Australia/Lord_Howe", "Lord Howe", "Lord_Howe", "Lord Howe Standard Time", ("Australia/LHI",)),
    Zone("Pacific/Auckland", "New Zealand", "New_Zealand", "New Zealand Standard Time", ("NZ",), golden=True),
    Zone("Pacific/Chatham", "Chatham", "Chatham", "Chatham Islands Standard Time", ("NZ-CHAT",)),
    Zone("UTC", "Coordinated Universal", None, None, ("Etc/UTC", "Zulu"), golden=True),
    Zone("US/Eastern", "Eastern", "America_Eastern", "Eastern Standard Time", legacy=True),
    Zone("US/Pacific", "Pacific", "America_Pacific", "Pacific Standard Time", legacy=True),
    Zone("Asia/Calcutta", "India", "India", "India Standard Time", legacy=True),
    Zone("Europe/Kiev", "Eastern European", "Europe_Eastern", "FLE Standard Time", legacy=True),
    Zone("Zulu", "Coordinated Universal", legacy=True),
)


def change(zone: ZoneInfo, moment: datetime, step: timedelta) -> datetime | None:
    """Return the nearest change of a zone's offset before or after a time, or None if there is none."""
    here = moment.astimezone(zone).utcoffset()
    near = moment
    while abs(near - moment) < FARTHEST:
        far = near + step
        if far.astimezone(zone).utcoffset() == here:
            near = far
            continue
        while abs(far - near) > MILLISECOND:
            middle = near + (far - near) / 2
            same = middle.astimezone(zone).utcoffset() == here
            near, far = (middle, far) if same else (near, middle)
        later = max(near, far)
        return (later + timedelta(milliseconds=500)).replace(microsecond=0)
    return None


def row(zone: Zone, moment: datetime) -> Row:
    """Return the row of a zone at a time (SavvyCal: the value of an unbounded `period` is unverified; null here)."""
    info = ZoneInfo(zone.id)
    there = moment.astimezone(info)
    offset, dst = there.utcoffset() or timedelta(0), there.dst() or timedelta(0)
    minutes = abs(int(offset.total_seconds())) // 60
    season = "Daylight" if dst else "Standard"
    short = there.tzname() or ""
    names = {"current": f"{zone.name} {season} Time", "generic": f"{zone.name} Time"}
    names |= {"daylight": f"{zone.name} Daylight Time", "standard": f"{zone.name} Standard Time"}
    return {
        "id": zone.id,
        "abbreviation": short,
        "aliases": list(zone.aliases),
        "canonical": not zone.legacy,
        "dst": bool(dst),
        "formatted_offset": f"{'-' if offset < timedelta(0) else '+'}{minutes // 60:02}:{minutes % 60:02}",
        "generic_long_name": f"{zone.name} Time" if zone.metazone else None,
        "golden": zone.golden,
        "legacy": zone.legacy,
        "long_name": f"{zone.name} {season} Time",
        "metazone": None
        if zone.metazone is None
        else {
            "name": zone.metazone,
            "exemplar_city": zone.id.rpartition("/")[2].replace("_", " "),
            "territories": ["001"],
            "long": names,
            "short": {"current": short, "daylight": None, "generic": None, "standard": None},
        },
        "offset": int(offset.total_seconds()),
        "offset_std": int(dst.total_seconds()),
        "offset_utc": int((offset - dst).total_seconds()),
        "period": {"from": maybe(change(info, moment, -STEP)), "until": maybe(change(info, moment, STEP))},
        "windows_zone": {"name": zone.windows} if zone.windows else None,
    }


class Rows:
    """A cache of rows, each valid until the zone's offset changes."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[datetime, datetime, Row]] = {}

    def at(self, zone: Zone, moment: datetime) -> Row:
        """Return the row of a zone at a time."""
        if zone.id in self._rows:
            low, high, found = self._rows[zone.id]
            if low <= moment < high:
                return found
        found = row(zone, moment)
        begin, end = found["period"]["from"], found["period"]["until"]
        if begin and end:
            self._rows[zone.id] = (datetime.fromisoformat(begin), datetime.fromisoformat(end), found)
        return found


ROWS = Rows()
"""The cache that all sandboxes share: a zone's rows are the same in each."""


def time_of(call: Call) -> datetime:
    """Return the requested time."""
    instant: datetime | None = call.args.get("instant")
    return (instant or call.world.now).replace(microsecond=0)


def zones(call: Call) -> list[Row]:
    """Return every zone; legacy ones only on request."""
    legacy = call.args.get("include_legacy", False)
    return [ROWS.at(zone, time_of(call)) for zone in TABLE if legacy or not zone.legacy]


def one(call: Call) -> Row:
    """Return one zone, by its id or an alias."""
    for zone in TABLE:
        if call.path["id"] in {zone.id, *zone.aliases}:
            return ROWS.at(zone, time_of(call))
    raise not_found()


ENDPOINTS = (
    Endpoint("timezones", "/v1/time_zones", zones, ZONES),
    Endpoint("timezones", "/v1/time_zones/{id:path}", one, ZONE),
)
