"""Settings of every tap, and messages about invalid ones."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from singer_sdk import typing as th

from tap_common.http.address import api_url_problems, insecure_urls
from tap_common.printable import quoted
from tap_common.state.timestamps import instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from jsonschema import ValidationError


# A start date outside these years is a mistake; arithmetic with it could fail.
_FIRST_YEAR, _LAST_YEAR = 1900, 2999
_KEY = re.compile("[!-~]+")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_HEADER = re.compile("[!-~][ -~]*")

# Meltano's own settings of an extractor.
_EXTRAS = ("_catalog", "_load_schema", "_metadata", "_schema", "_select", "_select_filter", "_state")

_KINDS_OF_KEYS = "API|ACCESS|AUTH|BEARER|PERSONAL|PRIVATE|SECRET"

TEXT = th.StringType(nullable=False)


def setting(name: str, kind: th.JSONTypeHelper[Any], title: str, description: str, **more: Any) -> th.Property[Any]:
    """Return a setting with a title and a description."""
    return th.Property(name, kind, title=title, description=description, **more)


def several_keys(each: str) -> th.Property[Any]:
    """Return the setting `api_keys`, for taps that read with several keys; `each` describes the scope of one key."""
    return setting(
        "api_keys",
        th.ArrayType(TEXT, nullable=False),
        "More API keys",
        f"Additional keys, read in the same run into the same tables: {each}. A JSON array.",
        secret=True,
    )


def api_keys(config: Mapping[str, Any]) -> list[str]:
    """Return the keys in the settings, each once: `api_key`, then `api_keys`."""
    return list(dict.fromkeys(filter(None, [config.get("api_key"), *config.get("api_keys", ())])))


def common_settings(  # noqa: PLR0913 - defaults that differ between the APIs
    *,
    tap: str,
    api_url: str,
    lookback_days: int,
    requests_per_minute: int,
    start_date: str,
    lookback: str = "Days before the bookmark that are read again, for changes that update no timestamp.",
    page_size: int = 100,
    default_page_size: int | None = None,
    concurrency: int = 8,
) -> list[th.Property[Any]]:
    """Return the settings of every tap, with the defaults of one.

    `start_date` describes the timestamps that the setting limits. `page_size` is the API's maximum, and the default
    unless `default_page_size` is given.
    """
    return [
        setting(
            "start_date",
            th.DateTimeType(nullable=False),
            "Start date",
            f"{start_date} ISO 8601; a time without an offset is UTC. By default, everything.",
        ),
        setting(
            "api_url",
            TEXT,
            "API URL",
            "Scheme and host of the API, with a path prefix if it has one, without a version.",
            default=api_url,
        ),
        setting(
            "allow_http",
            th.BooleanType(nullable=False),
            "Allow HTTP",
            "Send keys over http:// also to other hosts; anyone on the network path can read them.",
            default=False,
        ),
        setting(
            "lookback_days",
            th.IntegerType(nullable=False, minimum=0, maximum=36_500),
            "Look-back",
            lookback,
            default=lookback_days,
        ),
        setting(
            "concurrency",
            th.IntegerType(nullable=False, minimum=1, maximum=64),
            "Concurrency",
            "Maximum concurrent requests.",
            default=concurrency,
        ),
        setting(
            "requests_per_minute",
            th.IntegerType(nullable=False, minimum=1, maximum=1_000_000),
            "Requests per minute",
            "Maximum requests per minute. Lowered if the API's headers say so; set less if other programs use the key.",
            default=requests_per_minute,
        ),
        setting(
            "page_size",
            th.IntegerType(nullable=False, minimum=1, maximum=page_size),
            "Page size",
            f"Rows per page (max {page_size}).",
            default=default_page_size or page_size,
        ),
        setting(
            "max_retries",
            th.IntegerType(nullable=False, minimum=1, maximum=1_000),
            "Tries",
            "Tries of a request after 408, 425, 5xx, timeouts and broken responses; 429 does not count.",
            default=5,
        ),
        setting(
            "backoff_factor",
            th.NumberType(nullable=False, minimum=1, maximum=1_000),
            "Back-off factor",
            "Factor by which each wait between tries is longer than the one before; the first is 1 second.",
            default=2,
        ),
        setting(
            "request_timeout",
            th.NumberType(nullable=False, exclusive_minimum=0, maximum=86_400),
            "Request timeout",
            "Seconds to wait for a response, and for each further part of it; five times as many for all of it.",
            default=60,
        ),
        setting(
            "max_wait",
            th.IntegerType(nullable=False, minimum=1, maximum=31_536_000),
            "Longest pause",
            "Maximum pause in seconds that the API may require (429). A longer one ends the run with an error that "
            "says when it is over.",
            default=900,
        ),
        setting(
            # The largest page that the sandbox has, a hundred meetings of SavvyCal, is 0.3 MB.
            "max_response_mb",
            th.IntegerType(nullable=False, minimum=1, maximum=1_000),
            "Largest response",
            "Maximum size of a response in megabytes, on the wire and decompressed. A larger one is an error.",
            default=32,
        ),
        setting(
            "user_agent",
            TEXT,
            "User agent",
            f"User-Agent header of every request; by default `{tap}/<version>`.",
        ),
        setting(
            "emit_activate_version_messages",
            th.BooleanType(nullable=False),
            "Send ACTIVATE_VERSION",
            "Send ACTIVATE_VERSION after the last record of each FULL_TABLE stream, so that the target can delete or "
            "soft-delete records that no longer exist.",
            default=True,
        ),
    ]


def clean_config(config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that have a value: null and empty text count as not set.

    A number may be text, since Meltano passes on a number from an environment variable in that way.
    """
    given = {name: value for name, value in config.items() if value is not None and value != ""}
    numbers = {name for name, setting in schema["properties"].items() if "number" in setting.get("type", ())}
    texts = {name: given[name] for name in numbers & given.keys() if isinstance(given[name], str)}
    return given | {name: float(text) for name, text in texts.items() if _NUMBER.fullmatch(text)}


def misspelled_variables(
    environment: Iterable[str], prefix: str, settings: Iterable[str], vendor: Sequence[str] = ()
) -> Iterator[str]:
    """Yield a message for each environment variable that is nearly the name of a setting or of an extra.

    `vendor` are the vendor's names, by which other taps for it may be called. A variable with two underscores after
    the tap's name belongs to Meltano: one of its own settings, or of an inheriting plugin.
    """
    known = {prefix + name.upper() for name in (*settings, *_EXTRAS)}
    elsewhere = re.compile(rf"TAP_({'|'.join(map(name_pattern, vendor)) or '(?!)'})_", re.IGNORECASE)
    for name in environment:
        meant = elsewhere.sub(prefix, name, count=1).upper()
        if meant in known and meant != name:
            yield f"The environment variable {quoted(name)} is not a known setting; did you mean `{meant}`?"
            continue
        ours = name.startswith(prefix) and not name.startswith(f"{prefix}_")
        if ours and name not in known and (close := get_close_matches(name, known, 1, 0.9)):
            yield f"The environment variable {quoted(name)} is not a known setting; did you mean `{close[0]}`?"


def name_pattern(name: str) -> str:
    """Return a pattern for a name in an environment variable: `SavvyCal` is SAVVYCAL or SAVVY_CAL, `a.b` AB or A_B."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|\W+", "_?", name).upper()


def keys_by_other_names(environment: Mapping[str, str], variable: str, vendor: Sequence[str]) -> list[str]:
    """Return the environment variables that seem to contain a vendor's key, under another name than `variable`."""
    names = "|".join(map(name_pattern, vendor))
    pattern = re.compile(rf"(TAP_)?({names})(_?({_KINDS_OF_KEYS}))*_?(KEYS?|TOKENS?|PAT)", re.IGNORECASE)
    return [
        name
        for name, text in environment.items()
        if text and name != variable and (pattern.fullmatch(name) or get_close_matches(name, [variable], 1, 0.9))
    ]


def config_problems(schema: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[str]:
    """Yield a message for each invalid setting, without its value, which may be a secret."""
    for error in Draft202012Validator(schema).iter_errors(without_stream_maps(config)):
        yield from _sentences(error, schema)
    if not isinstance(config.get("stream_maps"), dict | None):
        yield "Setting `stream_maps` must be of type object."
    for name, setting in schema["properties"].items():
        value = config.get(name)
        texts = value if isinstance(value, list) else [value]
        if setting.get("secret") and any(isinstance(text, str) and not _KEY.fullmatch(text) for text in texts):
            yield f"Setting `{name}` contains whitespace or an invalid character: copy it again."
    if isinstance(agent := config.get("user_agent"), str) and not _HEADER.fullmatch(agent):
        yield "Setting `user_agent` contains an invalid character, or begins with a blank."
    yield from insecure_urls(config)
    yield from api_url_problems(config, schema)
    yield from missing_hash_seed(config)
    start = config.get("start_date")
    if isinstance(start, str):
        try:
            moment = instant(start)
        except (ValueError, OverflowError):
            moment = None
        if moment is not None and not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            yield f"Setting `start_date` is not an ISO 8601 date between {_FIRST_YEAR} and {_LAST_YEAR}."
        elif moment is None:
            yield "Setting `start_date` is not an ISO 8601 date, such as 2026-01-31 or 2026-01-31T00:00:00Z."


def without_stream_maps(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings except `stream_maps`: the SDK's schema for it is wrong about `__else__`.

    `stream_map_error` checks it.
    """
    return {name: value for name, value in config.items() if name != "stream_maps"}


def missing_hash_seed(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield a message if stream maps need a `hash_seed` that is not set; the SDK would fail after the first message."""
    values = config.get("stream_map_config")
    seed = values.get("hash_seed") if isinstance(values, dict) else None
    if "hash_seed" in str(config.get("stream_maps") or "") and not (isinstance(seed, str) and seed):
        yield (
            "Setting `stream_map_config` lacks `hash_seed`, which `stream_maps` use: set it to a secret text of your "
            "own (in Meltano, with the files of stream-maps/, `STREAM_MAP_HASH_SEED`)."
        )


def _sentences(error: ValidationError, schema: Mapping[str, Any]) -> Iterator[str]:
    path = ".".join(str(part) for part in error.absolute_path)
    name = quoted(path)
    expected: Any = error.validator_value
    match error.validator:
        case "additionalProperties" if not path and isinstance(error.instance, dict):
            for unknown in error.instance.keys() - schema["properties"].keys():
                close = get_close_matches(unknown, schema["properties"], n=1)
                yield f"Setting {quoted(unknown)} is unknown{f'; did you mean `{close[0]}`?' if close else '.'}"
        case "required" if isinstance(error.instance, dict):
            missing = [key for key in expected if key not in error.instance]
            yield f"Setting `{'`, `'.join(missing)}` is missing."
        case "type":
            kinds = [kind for kind in (expected if isinstance(expected, list) else [expected]) if kind != "null"]
            yield f"Setting {name} must be of type {' or '.join(kinds)}."
        case "enum":
            yield f"Setting {name} must be one of {', '.join(str(value) for value in expected)}."
        case "minimum" | "exclusiveMinimum" | "maximum":
            yield f"Setting {name} is out of range ({error.validator} {expected})."
        case _:
            yield f"Setting {name} is not valid ({error.validator})."
