"""URLs: checks of the setting `api_url`, and paths made of ids."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import requests

from tap_common.errors import RequestError

_PLACE = re.compile(r"\{(\w+)\}")
# Servers refuse URLs of some thousand characters; an id has 40.
_LONGEST_ID = 500
_VERSION = re.compile(r"v\d+", re.IGNORECASE)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def is_loopback(url: str) -> bool:
    """Return True if a URL leads to this machine: localhost, 127.0.0.0/8 or ::1.

    Raises:
        ValueError: It is not a URL.
    """
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def placeholders(path: str) -> list[str]:
    """Return the names in braces in an endpoint's path."""
    return _PLACE.findall(path)


def is_path_segment(value: object) -> bool:
    """Return True if a value can be one segment of a path; an empty one, `.` and `..` would lead to another path."""
    return isinstance(value, str | int) and str(value) not in {"", ".", ".."} and len(str(value)) <= _LONGEST_ID


def format_path(path: str, values: Mapping[str, Any]) -> str:
    """Return an endpoint's path with its placeholders filled in, each value quoted as one segment.

    Raises:
        RequestError: A value cannot be a segment.
    """
    if unfit := [name for name in placeholders(path) if not is_path_segment(values.get(name))]:
        raise RequestError(f"{path} cannot be requested: `{unfit[0]}` is not an id.")
    return _PLACE.sub(lambda place: quote(str(values[place[1]]), safe=""), path)


def api_url_hint(config: Mapping[str, Any], schema: Mapping[str, Any], whose: str) -> str:
    """Return another cause for a refused key, for an error message; empty if `api_url` is the vendor's."""
    usual = schema["properties"]["api_url"]["default"]
    return "" if str(config["api_url"]).rstrip("/") == usual else f", or `api_url` is not {whose}'s"


def api_url_problems(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield an error message if `api_url` has a version or a query, which each request adds itself.

    The prefix of another host may have a version, unless it ends with it.
    """
    usual = urlsplit(schema["properties"].get("api_url", {}).get("default", "")).hostname
    try:
        url = urlsplit(str(config.get("api_url") or ""))
    except ValueError:
        return  # `insecure_urls` reports it
    parts = list(filter(None, url.path.split("/")))
    versions = [part for part in parts if _VERSION.fullmatch(part) and (url.hostname == usual or part is parts[-1])]
    if versions:
        yield f"Setting `api_url` contains a version (`/{versions[0]}`): end it before that."
    if url.query or url.fragment:
        yield "Setting `api_url` contains `?` or `#`: end it before that."


def proxies_for(url: str) -> dict[str, str]:
    """Return proxies that take precedence over the environment's: none for HTTP to this machine.

    A proxy could read the key of such a request.
    """
    return {"http": ""} if url.startswith("http://") and is_loopback(url) else {}


def insecure_urls(config: Mapping[str, object]) -> Iterator[str]:
    """Yield an error message for each URL setting that would expose keys, or is not a URL."""
    for name in ("api_url", "oauth_url"):
        address = str(config.get(name) or "https://host.invalid")
        if not address.startswith(("https://", "http://")):
            yield f"Setting `{name}` does not begin with https:// or http://."
            continue
        try:
            # As requests will send it: other parsers take a backslash, or the part before @, for the host.
            url = str(requests.Request("GET", address).prepare().url)
            str(urlsplit(url).hostname).encode("idna")  # as its name will be looked up
            safe = url.startswith("https://") or is_loopback(url) or config.get("allow_http") is True
        except (requests.RequestException, ValueError):
            yield f"Setting `{name}` is not a URL."
            continue
        if not safe:
            yield (
                f"Setting `{name}` begins with http://, so anyone on the network path could read the key: "
                "use https://, or set `allow_http` to true."
            )
