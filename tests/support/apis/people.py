"""People of the sandbox, and the places in rows and messages that show them."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sandbox.world import World

_SHORT = 7
"""Shorter texts, such as a telephone's extension, stand in other texts too."""


def people(world: World) -> frozenset[str]:
    """The names, mail addresses and telephone numbers of everybody whom anything in the world knows."""
    found: set[str] = set()
    for one in _records(world):
        mails = [getattr(one, "email", None), *(getattr(one, "emails", None) or ())]
        if any(isinstance(mail, str) for mail in mails):
            phones = [getattr(one, "phone", None), *(getattr(one, "phones", None) or ())]
            found.update(text for text in (getattr(one, "name", None), *mails, *phones) if isinstance(text, str))
    return frozenset(text for text in found if len(text) > _SHORT)


def _records(world: World) -> Iterator[object]:
    """Every record that can be reached from the world."""
    seen: set[int] = set()
    waiting: deque[Any] = deque([world, world.desk, world.gatherings, world.invites])
    while waiting:
        one = waiting.popleft()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, dict):
            waiting.extend((*one.keys(), *one.values()))
        elif isinstance(one, list | tuple | set | frozenset | deque):
            waiting.extend(one)
        elif is_dataclass(one) and not isinstance(one, type):
            yield one
            waiting.extend(getattr(one, field.name) for field in fields(one))
        elif type(one).__module__.startswith("sandbox."):
            waiting.extend(getattr(one, "__dict__", {}).values())


def leaves(schema: Mapping[str, Any], value: Any, *above: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each text in a value whose schema this is, with the names that lead there; what has no schema is one text."""
    if isinstance(value, list) and "items" in schema:
        for item in value:
            yield from leaves(schema["items"], item, *above)
    elif isinstance(value, dict) and "properties" in schema:
        for name, inner in value.items():
            yield from leaves(schema["properties"].get(name, {}), inner, *above, name)
    elif value is not None:
        yield above, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def named(texts: Iterable[str], known: Iterable[str]) -> list[str]:
    """Those of the people who stand in any of the texts, and their first and last names where one is a whole text."""
    each = list(texts)
    whole = "\n".join(each).lower()
    parts = {part for text in known for part in text.split() if len(part) > 1 and not part[-1].isdigit()}
    return [text for text in known if text.lower() in whole] + sorted(parts.intersection(each))
