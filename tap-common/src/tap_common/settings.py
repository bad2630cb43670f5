"""Settings that every tap has, and sentences about settings that cannot be used."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from singer_sdk import typing as th

from tap_common.http.address import misplaced, unprotected
from tap_common.printable import quoted
from tap_common.state.timestamps import instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from jsonschema import ValidationError


# A date beyond these is a slip, and one cannot reckon with it.
_FIRST_YEAR, _LAST_YEAR = 1900, 2999
_KEY = re.compile("[!-~]+")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")

# Meltano's own settings of an extractor.
_EXTRAS = ("_catalog", "_load_schema", "_metadata", "_schema", "_select", "_select_filter", "_state")

_KINDS_OF_KEYS = "API|ACCESS|AUTH|BEARER|PERSONAL|PRIVATE|SECRET"

TEXT = th.StringType(nullable=False)


def setting(name: str, kind: th.JSONTypeHelper[Any], title: str, description: str, **more: Any) -> th.Property[Any]:
    """A setting, with the title and the description that each of them has."""
    return th.Property(name, kind, title=title, description=description, **more)


def several_keys(each: str) -> th.Property[Any]:
    """The setting of taps that read with several keys in one run; `each` says what one key sees."""
    return setting(
        "api_keys",
        th.ArrayType(TEXT, nullable=False),
        "More API keys",
        f"Keys to read with beside `api_key`, in the same run and into the same tables: {each}. A JSON array.",
        secret=True,
    )


def api_keys(config: Mapping[str, Any]) -> list[str]:
    """The keys that are set, each once: `api_key`, then `api_keys`."""
    return list(dict.fromkeys(filter(None, [config.get("api_key"), *config.get("api_keys", ())])))


def common_settings(  # noqa: PLR0913 - each a default that differs between the APIs
    *,
    tap: str,
    api_url: str,
    lookback_days: int,
    requests_per_minute: int,
    start_date: str,
    lookback: str = "Days behind the bookmark that streams look at again, for changes that move no timestamp.",
    page_size: int = 100,
    default_page_size: int | None = None,
    concurrency: int = 8,
) -> list[th.Property[Any]]:
    """The settings of every tap, with the defaults of one.

    `start_date` is the sentence that says which clock the setting bounds; `page_size` is the API's most,
    and the default where there is no other.
    """
    positive = th.IntegerType(nullable=False, minimum=1)
    return [
        setting(
            "start_date",
            th.DateTimeType(nullable=False),
            "Start date",
            f"{start_date} ISO 8601; a time without an offset is UTC. Everything, if it is not set.",
        ),
        setting(
            "api_url",
            TEXT,
            "API URL",
            "Scheme and host of the API, with a prefix where there is one, without a version.",
            default=api_url,
        ),
        setting(
            "allow_http",
            th.BooleanType(nullable=False),
            "Allow HTTP",
            "Send keys over http:// to hosts other than this machine too, where everybody on the way can read them.",
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
            "Most requests in flight at once.",
            default=concurrency,
        ),
        setting(
            "requests_per_minute",
            positive,
            "Requests per minute",
            "Most requests a minute. Lowered by what the API's headers say; set less where other programs use the key.",
            default=requests_per_minute,
        ),
        setting(
            "page_size",
            th.IntegerType(nullable=False, minimum=1, maximum=page_size),
            "Page size",
            f"Rows a page; {page_size} is the most.",
            default=default_page_size or page_size,
        ),
        setting(
            "max_retries",
            positive,
            "Tries",
            "Tries of one request on 408, 425, 5xx, time-outs and broken answers; 429 never counts.",
            default=5,
        ),
        setting(
            "backoff_factor",
            th.NumberType(nullable=False, minimum=1),
            "Back-off factor",
            "How much longer each wait between tries is than the one before; the first is 1 second.",
            default=2,
        ),
        setting(
            "request_timeout",
            th.NumberType(nullable=False, exclusive_minimum=0),
            "Request time-out",
            "Seconds to wait for an answer, and for each further part of it; five times as many for the whole.",
            default=60,
        ),
        setting(
            "max_wait",
            positive,
            "Longest pause",
            "Most seconds that the API may ask the tap to pause for (429). A longer pause ends the run with an error, "
            "which says when it is over.",
            default=900,
        ),
        setting(
            # The largest page that the sandbox has, a hundred meetings of SavvyCal, is 0.3 MB.
            "max_response_mb",
            th.IntegerType(nullable=False, minimum=1, maximum=1_000),
            "Largest answer",
            "Most megabytes of one answer, as it comes and decompressed. A larger one is an error.",
            default=32,
        ),
        setting(
            "user_agent",
            TEXT,
            "User agent",
            f"User-Agent header of every request; `{tap}/<version>` if it is not set.",
        ),
        setting(
            "emit_activate_version_messages",
            th.BooleanType(nullable=False),
            "Announce versions",
            "Announce a version after the last row of each stream that is read in full, so that the target can drop or "
            "mark rows that are gone.",
            default=True,
        ),
    ]


def usable(config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that have a value: null, and an environment variable without text, are settings that are not set.

    A number may be text: Meltano cannot hand over the one that it makes of an environment variable.
    """
    given = {name: value for name, value in config.items() if value is not None and value != ""}
    numbers = {name for name, setting in schema["properties"].items() if "number" in setting.get("type", ())}
    texts = {name: given[name] for name in numbers & given.keys() if isinstance(given[name], str)}
    return given | {name: float(text) for name, text in texts.items() if _NUMBER.fullmatch(text)}


def misspelt(
    environment: Iterable[str], prefix: str, settings: Iterable[str], vendor: Sequence[str] = ()
) -> Iterator[str]:
    """A sentence for each environment variable that is nearly, but not quite, the name of a setting or of an extra.

    `vendor` is by which names the vendor goes, which are those of its tap elsewhere. What goes on with another
    underscore is Meltano's: for its own settings, or for a plugin that inherits.
    """
    known = {prefix + name.upper() for name in (*settings, *_EXTRAS)}
    elsewhere = re.compile(rf"TAP_({'|'.join(map(spelt, vendor)) or '(?!)'})_", re.IGNORECASE)
    for name in environment:
        meant = elsewhere.sub(prefix, name, count=1).upper()
        if meant in known and meant != name:
            yield f"The environment variable {quoted(name)} is not a known setting; did you mean `{meant}`?"
            continue
        ours = name.startswith(prefix) and not name.startswith(f"{prefix}_")
        if ours and name not in known and (close := get_close_matches(name, known, 1, 0.9)):
            yield f"The environment variable {quoted(name)} is not a known setting; did you mean `{close[0]}`?"


def spelt(name: str) -> str:
    """A pattern for a name in an environment variable: `SavvyCal` is SAVVYCAL or SAVVY_CAL."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_?", name).upper()


def keys_by_other_names(environment: Mapping[str, str], variable: str, vendor: Sequence[str]) -> list[str]:
    """Environment variables that seem to hold a vendor's key, under another name than the one that is read."""
    names = "|".join(map(spelt, vendor))
    pattern = re.compile(rf"(TAP_)?({names})(_?({_KINDS_OF_KEYS}))*_?(KEYS?|TOKENS?|PAT)", re.IGNORECASE)
    return [
        name
        for name, text in environment.items()
        if text and name != variable and (pattern.fullmatch(name) or get_close_matches(name, [variable], 1, 0.9))
    ]


def problems(schema: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each setting that cannot be used. No sentence holds a value: it may be a secret."""
    for error in Draft202012Validator(schema).iter_errors(without_maps(config)):
        yield from _sentences(error, schema)
    if not isinstance(config.get("stream_maps"), dict | None):
        yield "Setting `stream_maps` must be of type object."
    for name, setting in schema["properties"].items():
        value = config.get(name)
        texts = value if isinstance(value, list) else [value]
        if setting.get("secret") and any(isinstance(text, str) and not _KEY.fullmatch(text) for text in texts):
            yield f"Setting `{name}` holds a blank, a line end or a character that no key has: copy it again."
    yield from unprotected(config)
    yield from misplaced(config, schema)
    yield from seedless(config)
    start = config.get("start_date")
    if isinstance(start, str):
        try:
            moment = instant(start)
        except (ValueError, OverflowError):
            moment = None
        if moment is not None and not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            yield f"Setting `start_date` is not an ISO 8601 date of the years {_FIRST_YEAR} to {_LAST_YEAR}."
        elif moment is None:
            yield "Setting `start_date` is not an ISO 8601 date, such as 2026-01-31 or 2026-01-31T00:00:00Z."


def without_maps(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings but for `stream_maps`: the SDK's schema of `__else__` is none, and `maps.fault` says more."""
    return {name: value for name, value in config.items() if name != "stream_maps"}


def seedless(config: Mapping[str, Any]) -> Iterator[str]:
    """A sentence where stream maps hash with a seed that is not set: the SDK would say so after the first message."""
    values = config.get("stream_map_config")
    seed = values.get("hash_seed") if isinstance(values, dict) else None
    if "hash_seed" in str(config.get("stream_maps") or "") and not (isinstance(seed, str) and seed):
        yield (
            "Setting `stream_map_config` lacks `hash_seed`, which `stream_maps` hash with: a secret text of your own "
            "(in Meltano, with the files of stream-maps/, `STREAM_MAP_HASH_SEED`)."
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
