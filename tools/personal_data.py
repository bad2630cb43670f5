"""Writes docs/guides/personal-data.md and stream-maps/ from what the schemas say of each column.

`x-personal` of a column, or of a field within it, says what it holds of persons; `x-secret` says that whoever has the
value can act. What a column says of itself holds for everything within it.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

import hub
import meltano_settings
from tap_common.state.accounts import ANY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_common.tap import SchedulingTap

ROOT = Path(__file__).parent.parent
MAPS = ROOT / "stream-maps"
GONE = "__NULL__"
"""The SDK's word for a column that is dropped; Meltano would lose a null."""
UNKNOWN = "_extra"

PERSONAL = {
    "name": "a person's name, or the part of an address that is made from it",
    "contact": "how to reach a person: mail address, telephone number, profile, wallet, personal booking page",
    "about": "details that narrow down who a person is: employer, job, time zone, language, picture",
    "place": "where a person is or meets: addresses, rooms, coordinates",
    "words": "what people wrote or said to certain readers: answers, notes, reasons, messages, titles",
    "anything": "whatever the source sends; there is no list of its fields",
    "digest": "a hash of personal data; whoever guesses all of them can check the guess",
}
"""The values of `x-personal`."""
HASHED = {"name", "contact", "about", "place", "digest"}
"""The kinds that the hashing map replaces; nobody joins or counts by what was said."""
SECRET = {
    "link": "an action link: whoever has it can join, cancel, move, pay or show the ticket",
    "code": "whoever knows it can use it",
    "redacted": "an address of which the tap has kept only scheme, host and port",
}
"""The values of `x-secret`."""

PAGE = """# Personal data and secrets, column by column

Written by `make docs` from the schemas, where `x-personal` and `x-secret` of a column, or of a field in it, say what it
holds. Catalogs and SCHEMA messages don't have these two, because the SDK keeps only the keywords that it knows.

{personal}

{secret}

API keys and the secrets of webhooks never leave a tap ([SECURITY.md]({repository}/blob/main/SECURITY.md)).

**Not marked** are ids and URIs of persons, which keys and joins need. They are pseudonyms: whoever can use the API can
find out who is meant, so rows about persons stay personal data after every map below. Also not marked are times,
statuses, amounts, the questions of answers, UTM parameters (they describe the link that was clicked), and what
organizers publish: titles and texts of offers and public pages.

## Stream maps that hash or drop it

`stream-maps/` has two [stream maps](https://sdk.meltano.com/en/latest/stream_maps.html) for each tap, written from the
same marks:

| | `<tap>.hash.json` | `<tap>.drop.json` |
|---|---|---|
| text that is a name, contact, about or place | hashed: equal stays equal, so joins and counts hold | dropped |
| words | dropped | dropped |
| action links and codes | dropped | dropped |
| lists and objects with any mark, fields that are new to this version (`_extra`) | dropped | dropped |
| primary keys | kept; hashed if the key is a digest of personal data | kept |
| redacted addresses, everything that is not marked | kept | kept |

A hash is the SHA-256 of your own `hash_seed` followed by the value. Values marked *contact* are first converted to
lower case and stripped, so `Ada@X.com ` and `ada@x.com` are equal. Without a seed, anybody could hash all likely
addresses and compare. So the seed is a secret: long, random, made once, and stored with the keys, not with the rows.
Meltano doesn't hide it as it hides keys. Another seed gives other hashes, which don't join with rows loaded before.

```sh
python3 -c 'import secrets; print(secrets.token_hex(32))'
```

Without Meltano, give the tap several files; later ones add to earlier ones, and `--config=ENV` reads the environment:

```sh
export TAP_CALENDLY_API_KEY=… TAP_CALENDLY_STREAM_MAP_CONFIG='{{"hash_seed": "…"}}'
.venv/bin/tap-calendly --config=stream-maps/tap-calendly.hash.json --config=ENV
```

For Meltano, `stream-maps/` has extractors with the maps, and their jobs and schedules. Link them into the project's
folder, and run all commands there: Meltano reads every file in it whose name ends in `.meltano.yml`.

```sh
ln -s stream-maps/hash.meltano.yml .        # or stream-maps/drop.meltano.yml, without a seed
umask 077
echo "STREAM_MAP_HASH_SEED=$(python3 -c 'import secrets; print(secrets.token_hex(32))')" >> .env
.venv/bin/meltano run calendly-hashed-to-duckdb
```

| | in clear | `hash.meltano.yml` | `drop.meltano.yml` |
|---|---|---|---|
| extractor | `tap-calendly` | `tap-calendly--hashed` | `tap-calendly--dropped` |
| schema | `tap_calendly` | `tap_calendly_hashed` | `tap_calendly_dropped` |
| job | `calendly-to-duckdb` | `calendly-hashed-to-duckdb` | `calendly-dropped-to-duckdb` |
| full-table | `calendly-in-full` | `calendly-hashed-in-full` | `calendly-dropped-in-full` |
| schedule | `daily-calendly` | `daily-calendly-hashed` | `daily-calendly-dropped` |

**The jobs of the first column keep loading in clear**, and so does `all-to-duckdb`. If cron or an orchestrator runs
`daily-calendly`, let it run `daily-calendly-hashed` instead. Rows that were loaded in clear are not hashed afterwards:
drop them yourself (`drop schema tap_calendly cascade`). The first run of a hashed extractor reads everything.

The link keeps the maps in step with the schemas when the project is updated. A command that changes the project, such
as `meltano config set`, replaces the link with a file. `ls -l *.meltano.yml` shows that; link it again.

The maps replace only text. A stream about few persons, or a time at which only one person was somewhere, can still
reveal who it was.

With a map, a row goes through the SDK instead of the fast path: 34 to 69 µs a row with the hashing map and 16 to 24 µs
with the dropping one, instead of 7 to 15 µs. The APIs are slower: 500 requests a minute of 100 rows each are 1,200 µs
a row.

{sections}
"""


@dataclass(frozen=True)
class Mark:
    """Marks of a column, or of a field within one."""

    path: tuple[str, ...]
    """Names from the column down to the field; items of lists have none."""
    personal: str | None
    secret: str | None

    @property
    def text(self) -> str:
        """The kinds, for the page."""
        secret = {"link": "**action link**", "code": "**action code**", "redacted": "redacted address"}
        return " and ".join(filter(None, [self.personal, secret.get(self.secret or "")]))


def marks(schema: Mapping[str, Any], *above: str) -> Iterator[Mark]:
    """Everything that is marked in a schema, in its order."""
    for name, definition in schema.get("properties", {}).items():
        path = (*above, name)
        if "x-personal" in definition or "x-secret" in definition:
            yield Mark(path, definition.get("x-personal"), definition.get("x-secret"))
        inner = definition
        while "items" in inner:
            inner = inner["items"]
        yield from marks(inner, *path)


def columns(schema: Mapping[str, Any]) -> dict[str, list[Mark]]:
    """The marked columns, each with what it holds."""
    found: dict[str, list[Mark]] = {}
    for mark in marks(schema):
        found.setdefault(mark.path[0], []).append(mark)
    return found


def hashed(schema: Mapping[str, Any], column: str, found: list[Mark]) -> bool:
    """Return whether the hashing map replaces a column: text that identifies somebody and is no action link."""
    kinds = schema["properties"][column]["type"]
    text = {kinds} if isinstance(kinds, str) else set(kinds) - {"null"}
    return text == {"string"} and all(mark.secret is None and mark.personal in HASHED for mark in found)


def expression(column: str, *, key: bool, address: bool) -> str:
    """A hash in the SDK's language: of nothing it is nothing, and of a column that is not selected too.

    A key is there in every row: it would not be one if it could be null. An address is the same one in capitals, and
    with blanks around it.
    """
    value = f"record.get({column!r})"
    digest = f"sha256(config['hash_seed'] + {value}{'.strip().lower()' if address else ''})"
    return digest if key else f"{digest} if {value} else None"


def _is_address(found: list[Mark]) -> bool:
    return all(mark.personal == "contact" for mark in found)


def stream_map(schema: Mapping[str, Any], *, hashing: bool) -> dict[str, str]:
    """Return the map of a stream's columns: keys stay, or are hashed."""
    changes = {}
    for column, found in columns(schema).items():
        key = column in schema["required"]
        if all(mark.secret == "redacted" for mark in found) or (key and not hashing):  # noqa: S105 - a kind of mark
            continue
        replaced = hashing and hashed(schema, column, found)
        changes[column] = expression(column, key=key, address=_is_address(found)) if replaced else GONE
    return changes


def schemas(tap: type[SchedulingTap]) -> dict[str, Mapping[str, Any]]:
    """The schemas of a tap's streams, as they stand in its files: the SDK keeps nothing that it does not know."""
    return {name: stream.schema for name, stream in tap(config={}, validate_config=False).streams.items()}


def stream_maps(tap: type[SchedulingTap], *, hashing: bool) -> dict[str, dict[str, str]]:
    """The setting `stream_maps`: one for each stream of a tap."""
    return {stream: stream_map(schema, hashing=hashing) for stream, schema in schemas(tap).items()}


def project(mode: str) -> str:
    """Extractors for Meltano that load into schemas of their own, with the stream maps; their jobs and schedules."""
    entries: list[dict[str, Any]] = []
    jobs: list[dict[str, Any]] = []
    schedules = []
    for hour, tap in enumerate(meltano_settings.TAPS, 1):
        suffix = {"hash": "hashed", "drop": "dropped"}[mode]
        namespace = f"{tap.name.replace('-', '_')}_{suffix}"
        config: dict[str, Any] = {"accounts": {namespace: ANY}, "stream_maps": stream_maps(tap, hashing=mode == "hash")}
        if mode == "hash":
            config["stream_map_config"] = {"hash_seed": "$STREAM_MAP_HASH_SEED"}
        names = {"name": f"{tap.name}--{suffix}", "inherit_from": tap.name, "load_schema": namespace}
        in_full = {"name": f"{tap.name}--{suffix}-in-full", "inherit_from": names["name"], "load_schema": namespace}
        entries += [{**names, "config": config}, {**in_full, "metadata": {"*": {"replication-method": "FULL_TABLE"}}}]
        job = f"{tap.name.removeprefix('tap-')}-{suffix}"
        jobs += [
            {"name": f"{job}-to-duckdb", "tasks": [f"{names['name']} target-duckdb"]},
            {"name": f"{job}-in-full", "tasks": [f"{in_full['name']} target-duckdb"]},
        ]
        schedules.append({"name": f"daily-{job}", "interval": f"45 {hour} * * *", "job": f"{job}-to-duckdb"})
    yaml = YAML()
    yaml.width = 4096
    text = io.StringIO("# Made by `make docs` from the schemas.\n")
    text.seek(0, io.SEEK_END)
    yaml.dump({"plugins": {"extractors": entries}, "jobs": jobs, "schedules": schedules}, text)
    return meltano_settings.as_meltano_writes(text.getvalue(), f"{mode}.meltano.yml")


def table(tap: type[SchedulingTap]) -> str:
    """The marked columns of a tap, but for `_extra`."""
    lines = ["| stream | column | holds | hashing map |", "|---|---|---|---|"]
    for stream, schema in schemas(tap).items():
        changes = stream_map(schema, hashing=True)
        for column, found in columns(schema).items():
            if column != UNKNOWN:
                done = {None: "kept", GONE: "dropped"}.get(changes.get(column), "hashed")
                lines.append(f"| `{stream}` | `{column}` | {holds(found)} | {done} |")
    return "\n".join(lines)


def holds(found: list[Mark]) -> str:
    """Return the personal data of a column, by kind."""
    inside: dict[str, list[str]] = {}
    for mark in found:
        inside.setdefault(mark.text, []).append("`" + ".".join(mark.path[1:]) + "`" if mark.path[1:] else "")
    return "; ".join(kind + (f" in {', '.join(fields)}" if all(fields) else "") for kind, fields in inside.items())


def kinds(of: Mapping[str, str]) -> str:
    """A vocabulary, as a table."""
    return "\n".join(["| kind | what |", "|---|---|", *(f"| {kind} | {what} |" for kind, what in of.items())])


def nothing(tap: type[SchedulingTap]) -> str:
    """The streams without any marked column but `_extra`."""
    return ", ".join(f"`{stream}`" for stream, schema in schemas(tap).items() if set(columns(schema)) == {UNKNOWN})


def pages() -> dict[Path, str]:
    """Each file with its text."""
    sections = [
        f"## {tap.name}\n\n{table(tap)}\n\nStreams without any: {nothing(tap) or 'none'}."
        for tap in meltano_settings.TAPS
    ]
    written = {
        ROOT / "docs" / "guides" / "personal-data.md": PAGE.format(
            personal=kinds(PERSONAL),
            secret=kinds(SECRET),
            repository=hub.address(),
            sections="\n\n".join(sections),
        )
    }
    for mode in ("hash", "drop"):
        written[MAPS / f"{mode}.meltano.yml"] = project(mode)
        for tap in meltano_settings.TAPS:
            maps = stream_maps(tap, hashing=mode == "hash")
            written[MAPS / f"{tap.name}.{mode}.json"] = json.dumps({"stream_maps": maps}, indent=2) + "\n"
    return written
