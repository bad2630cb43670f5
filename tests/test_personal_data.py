"""Columns with personal data or secrets are known, and the ready stream maps leave none of it."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

import personal_data
from apis import APIS
from harness import VirtualClock
from people import leaves, named, people
from sandbox import Sandbox
from syncing import rows, selected, synced

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from api import Api
    from syncing import Row

SUSPICIOUS = re.compile(
    r"name|mail|phone|number|address|\bip\b|answer|note|text|guest|attendee|invitee|host|owner|person|user|member|place"
    r"|locat|city|country|region|zone|locale|url|link|token|code|key|secret|password|slug|title|subject|summary|label"
    r"|description|reason|body|message|avatar|handle|value|instruction|content|info|company|job|gender|birth|wallet"
    r"|coordinate|latitude|longitude|transcript|tracking|utm|metadata|details|display|terms|comment|custom|field"
)
EXEMPT = {
    "an id, which keys and joins need": (
        r".*(_id|_uri|\.(old_invitee|new_invitee|invitee_scheduled_by|owner|user|host))"
    ),
    "what organizers name or publish": (
        r".*\.(event_types|master_pages|ticket_types|membership_tiers|booking_calendars|events|event_details"
        r"|organization_events|scheduling_links|event_tickets|event_guests\.event_tickets?|events\.link)"
        r"\.(name|label|description\w*|subject|slug|url|terms)"
        r"|.*\.(calendar|organization_calendars|managing_calendars)\.description|.*\.payment\.terms"
    ),
    "a name of something that is no person": (
        r".*\.(organization|groups?|teams|user_availability_schedules|contact_lists|routing_forms|webhooks|workflows"
        r"|tags|event_tags|contact_tags|metazone|windows_zone|custom_fields|contact_custom_field_definitions|options)"
        r"\.(name|label|slug|scheduling_url)|.*\.timezones\..*|.*\.(role_name|namespace|fully_qualified_name)"
    ),
    "a question or a choice of a form, not an answer": (
        r".*\.(custom_questions|questions|registration_questions|registration_answers|fields|fields\.options)"
        r"\.(name|label|value|answer_choices)"
    ),
    "a picture of an offer": r".*\.(cover|social)(_image)?_url",
    "where a click came from, as the link says": r".*\.(utm_\w+|utm_params\.\w+|custom_source)",
    "a property of an offer or of an event": (
        r".*\.(events|event_details|organization_events|event_types)\.(timezone|locale|location_\w+|kind_description)"
        r"|.*\.(membership_restriction|ethereum_token_requirements|field_type|result\.value)"
    ),
    "a size or a date": r".*\.(company_size|first_email_date|last_email_date)",
}
"""Fields that are not marked though they are named as if they held something: each with its reason."""


def fields(schema: Mapping[str, Any], *above: str) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """The fields of a schema that have no fields of their own."""
    for name, definition in schema["properties"].items():
        inner = definition
        while "items" in inner:
            inner = inner["items"]
        if "properties" in inner:
            yield from fields(inner, *above, name)
        else:
            yield (*above, name), definition


def marked(schema: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    """Return whether a field, or an object around it, is marked."""
    return any(mark.path == path[: len(mark.path)] for mark in personal_data.marks(schema))


def unmarked() -> Iterator[str]:
    """Every text, list and object that nothing marks, as stream and path, with the tap's name before it."""
    for api in APIS:
        for stream, schema in personal_data.schemas(api.tap).items():
            for path, definition in fields(schema):
                plain = set(definition["type"]) <= {"boolean", "integer", "number", "null"}
                if not plain and definition.get("format") != "date-time" and not marked(schema, path):
                    yield ".".join([api.name, stream, *path])


def test_what_is_named_like_personal_data_is_marked_or_exempt_for_a_reason() -> None:
    names = [name for name in unmarked() if SUSPICIOUS.search(name.rpartition(".")[2])]

    assert [name for name in names if not any(re.fullmatch(pattern, name) for pattern in EXEMPT.values())] == []
    assert [why for why, pattern in EXEMPT.items() if not any(re.fullmatch(pattern, name) for name in names)] == []


def test_fields_that_nobody_knows_yet_count_as_personal() -> None:
    for api in APIS:
        for stream, schema in personal_data.schemas(api.tap).items():
            assert marked(schema, ("_extra",)), stream


@pytest.fixture(scope="module", params=APIS, ids=lambda api: api.name)
def seen(request: pytest.FixtureRequest) -> tuple[Api, frozenset[str], list[Row]]:
    """Each API in turn, who lives at the source, and what the tap writes of all streams."""
    api: Api = request.param
    with Sandbox(scale="tiny", clock=VirtualClock()) as sandbox:
        return api, people(sandbox.world), synced(api, sandbox, selected(api))


def test_nobody_of_the_sandbox_stands_in_a_column_that_is_not_marked_or_in_a_state(
    seen: tuple[Api, frozenset[str], list[Row]],
) -> None:
    api, known, messages = seen
    schemas = personal_data.schemas(api.tap)
    texts: dict[str, list[str]] = defaultdict(list)
    somebody: list[str] = []
    states = [text for message in messages if message["type"] == "STATE" for _, text in leaves({}, message)]
    for stream, found in rows(messages).items():
        for path, text in chain.from_iterable(leaves(schemas[stream], row) for row in found):
            (somebody if marked(schemas[stream], path) else texts[".".join([stream, *path])]).append(text)

    assert len(named(somebody, known)) > 50
    assert {where: named(each, known) for where, each in texts.items() if named(each, known)} == {}
    assert states
    assert named(states, known) == []


def test_catalogs_and_messages_do_not_have_the_marks(seen: tuple[Api, frozenset[str], list[Row]]) -> None:
    api, _, messages = seen
    schemas = [message for message in messages if message["type"] == "SCHEMA"]
    told = json.dumps([schemas, selected(api)])

    assert {message["stream"] for message in schemas} == set(api.all_streams())
    assert "x-personal" not in told
    assert "x-secret" not in told


def test_the_page_and_the_maps_are_those_of_the_schemas() -> None:
    pages = personal_data.pages()

    assert {path: path.read_text(encoding="utf-8") for path in pages} == pages
    assert set(personal_data.MAPS.iterdir()) <= set(pages)
