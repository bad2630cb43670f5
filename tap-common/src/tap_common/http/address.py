"""Whether an address is one that a key may be sent to."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import requests

from tap_common.errors import RequestError

_PLACE = re.compile(r"\{(\w+)\}")
# Servers refuse addresses of some thousand characters; an id has 40.
_LONGEST_ID = 500
_VERSION = re.compile(r"v\d+", re.IGNORECASE)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def is_loopback(url: str) -> bool:
    """Whether an address leads to this machine alone: localhost, 127.0.0.0/8 or ::1.

    Raises:
        ValueError: It is none.
    """
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def places(path: str) -> list[str]:
    """Return the names in braces of an endpoint's path."""
    return _PLACE.findall(path)


def fits_path(value: object) -> bool:
    """Return whether a value can be one segment of a path: `.` and `..` lead to another path, and so does nothing."""
    return isinstance(value, str | int) and str(value) not in {"", ".", ".."} and len(str(value)) <= _LONGEST_ID


def path_of(path: str, values: Mapping[str, Any]) -> str:
    """Return an endpoint's path with values in the places of their names, each quoted whole.

    Raises:
        RequestError: A value cannot stand there.
    """
    if unfit := [name for name in places(path) if not fits_path(values.get(name))]:
        raise RequestError(f"{path} cannot be asked for: `{unfit[0]}` is not an id.")
    return _PLACE.sub(lambda place: quote(str(values[place[1]]), safe=""), path)


def doubt(config: Mapping[str, Any], schema: Mapping[str, Any], whose: str) -> str:
    """What else may be at fault where a key is refused: part of a sentence, empty where `api_url` is as it was."""
    usual = schema["properties"]["api_url"]["default"]
    return "" if str(config["api_url"]).rstrip("/") == usual else f", or `api_url` is not {whose}'s"


def misplaced(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """A sentence where `api_url` holds what each request adds by itself: the version, or what follows a `?`.

    A prefix of another host may hold a version of its own, unless it ends with it.
    """
    usual = urlsplit(schema["properties"].get("api_url", {}).get("default", "")).hostname
    try:
        url = urlsplit(str(config.get("api_url") or ""))
    except ValueError:
        return  # said elsewhere
    parts = list(filter(None, url.path.split("/")))
    versions = [part for part in parts if _VERSION.fullmatch(part) and (url.hostname == usual or part is parts[-1])]
    if versions:
        version = f"The address of the API holds a version (`/{versions[0]}`)"
        yield f"{version}: check the setting `api_url`, end it before that."
    if url.query or url.fragment:
        yield "Setting `api_url` holds a `?` or a `#`: end it before that."


def proxies_for(url: str) -> dict[str, str]:
    """What to put before the environment's proxies: for HTTP on this machine none, as it would read the key."""
    return {"http": ""} if url.startswith("http://") and is_loopback(url) else {}


def unprotected(config: Mapping[str, object]) -> Iterator[str]:
    """A sentence for each address that keys must not be sent to: what reads along on the way would have them."""
    for name in ("api_url", "oauth_url"):
        address = str(config.get(name) or "https://host.invalid")
        if not address.startswith(("https://", "http://")):
            yield f"Setting `{name}` does not begin with https:// or http://."
            continue
        try:
            # As it will be asked for: others read a backslash, or what stands before the @, as a host.
            url = str(requests.Request("GET", address).prepare().url)
            str(urlsplit(url).hostname).encode("idna")  # as its name will be looked up
            safe = url.startswith("https://") or is_loopback(url) or config.get("allow_http") is True
        except (requests.RequestException, ValueError):
            yield f"Setting `{name}` is not an address."
            continue
        if not safe:
            yield (
                f"Setting `{name}` begins with http://, so everybody on the way could read the key: "
                "use https://, or set `allow_http` to true."
            )
