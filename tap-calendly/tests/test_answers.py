"""Refusals and answers that Calendly documents in more than one way, or leaves open."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
from singer_sdk.exceptions import RetriableAPIError

from calendly_api import CALENDLY
from sandbox.calendly.text import uri
from tap_calendly.client import _lacks_scope
from tap_calendly.transcript import transcript
from tap_common.errors import AccessError
from truth import Judge

if TYPE_CHECKING:
    from harness import Runner
    from sandbox import Sandbox


@pytest.fixture
def calendly(runner: Runner) -> Runner:
    """Every stream."""
    runner.select = lambda _name, _default: True
    return runner


@pytest.fixture
def api() -> Any:
    """The one API of this page."""
    return CALENDLY


def answer(body: bytes, kind: str = "", status: int = 200) -> requests.Response:
    response = requests.Response()
    response.status_code, response._content = status, body
    if kind:
        response.headers["Content-Type"] = kind
    return response


# Notes


def test_the_notes_of_ten_contacts_are_requested_in_one_parameter(calendly: Runner, sandbox: Sandbox) -> None:
    calendly.sync()

    requested = [dict(one.query) for one in sandbox.requests if one.path == "/notes"]
    sizes = [len(query["contact"].split(",")) for query in requested]
    assert max(sizes) == 10
    assert sum(sizes) == len(sandbox.world.contacts)
    Judge(CALENDLY, sandbox).check(calendly, ["contact_notes"])


@pytest.mark.parametrize("switch", ["forbidden", "hidden"])
def test_a_contact_that_is_not_accessible_costs_its_own_notes_alone(
    calendly: Runner, sandbox: Sandbox, switch: str
) -> None:
    noted = next(iter(sandbox.world.contact_notes.values())).contact
    getattr(sandbox.calendly, switch).add(uri("contacts", noted))

    calendly.sync()

    assert {row["contact"] for row in calendly.warehouse.rows["contact_notes"].values()} >= {
        uri("contacts", note.contact)
        for note in sandbox.world.contact_notes.values()
        if note.contact is not noted and note.author is sandbox.world.seats["owner"]
    }
    Judge(CALENDLY, sandbox).check(calendly, ["contact_notes"])


def test_notes_that_were_read_stay_when_their_contact_is_not_accessible_any_more(
    calendly: Runner, sandbox: Sandbox
) -> None:
    calendly.sync()
    before = dict(calendly.warehouse.rows["contact_notes"])
    for contact in sandbox.world.contacts.values():
        sandbox.calendly.forbidden.add(uri("contacts", contact))

    calendly.sync()

    assert before
    assert calendly.warehouse.rows["contact_notes"] == before


# Scopes

SCOPES: list[tuple[Any, bool]] = [
    ({"title": "Insufficient scope"}, True),
    ({"title": "Insufficient Scope", "message": "x"}, True),
    ({"title": "InsufficientScopeError"}, True),
    ({"name": "InsufficientScopeError"}, True),
    ({"message": "InsufficientScopeError: the token"}, True),
    ({"errors": [{"type": "InsufficientScopeError"}]}, True),
    ({"details": [{"parameter": "x", "code": "InsufficientScopeError"}]}, True),
    ({"error": {"code": "insufficient_scope"}}, True),
    ({"title": "Permission Denied", "required_scopes": ["contacts:read"]}, True),
    ({"details": {"required_scopes": "contacts:read"}}, True),
    ("InsufficientScopeError", True),
    ({"title": "Permission Denied", "required_scopes": []}, False),
    ({"title": "Permission Denied", "message": "Please upgrade"}, False),
    ([], False),
    ({}, False),
]


@pytest.mark.parametrize(("body", "lacks"), SCOPES, ids=lambda value: json.dumps(value)[:40])
def test_a_scope_that_is_lacking_is_known_wherever_the_refusal_names_it(body: Any, *, lacks: bool) -> None:
    assert _lacks_scope(answer(json.dumps(body).encode(), status=403)) is lacks


def test_a_refusal_that_is_no_json_may_name_the_scope_too() -> None:
    assert _lacks_scope(answer(b"InsufficientScopeError", status=403))
    assert not _lacks_scope(answer(b"<html>Forbidden", status=403))
    assert not _lacks_scope(answer(b"", status=403))


@pytest.mark.parametrize("told", ["required_scopes", "title", "type", "details", "error"])
def test_a_lacking_scope_ends_the_run_with_its_name_before_anything_is_written(
    runner: Runner, sandbox: Sandbox, told: str
) -> None:
    sandbox.calendly.scope_refusal = told
    runner.config["api_key"] = "sandbox-narrow"

    with pytest.raises(AccessError, match="lacks the scope `contacts:read`"):
        runner.sync()

    assert runner.warehouse.rows == {}


# Transcripts


def test_a_transcript_of_plain_text_is_kept_as_text(calendly: Runner, sandbox: Sandbox) -> None:
    sandbox.calendly.transcripts = "text"

    calendly.sync()

    found = [row["transcript"] for row in calendly.warehouse.rows["meeting_recap_transcripts"].values()]
    assert len(found) == len(sandbox.truth("calendly", "meeting_recap_transcripts"))
    assert all(isinstance(text, str) and text.startswith("[0] ") for text in found)


@pytest.mark.parametrize("form", ["empty", "none"])
def test_an_empty_transcript_is_a_row_without_words(calendly: Runner, sandbox: Sandbox, form: str) -> None:
    sandbox.calendly.transcripts = form

    calendly.sync()

    rows = list(calendly.warehouse.rows["meeting_recap_transcripts"].values())
    assert len(rows) == len(sandbox.truth("calendly", "meeting_recap_transcripts")) > 0
    assert {row["transcript"] for row in rows} == {None}
    assert {row["recap_uri"] for row in rows} <= {uri for (uri,) in calendly.warehouse.rows["meeting_recaps"]}


JSON = "application/json"
TRANSCRIPTS: list[tuple[bytes, str, Any]] = [
    (b"", "", None),
    (b" \n", "text/plain", None),
    (b"[00:01] Ada: hello", "text/plain", "[00:01] Ada: hello"),
    ("Ad\u00e9: \u201chi\u201d".encode(), "text/plain", "Ad\u00e9: \u201chi\u201d"),
    (b"\xef\xbb\xbfAda: hello", "", "Ada: hello"),
    (b"WEBVTT\n\n1", "text/vtt", "WEBVTT\n\n1"),
    (b"2026", "text/plain", "2026"),
    (b"null", "text/plain", "null"),
    (b"Ada: hello", JSON, "Ada: hello"),
    (b'"hello"', JSON, "hello"),
    (b'{"resource": {"text": "hello"}}', JSON, {"text": "hello"}),
    (b'{"resource": null}', JSON, None),
    (b'{"resource": ""}', JSON, ""),
    (b'{"resource": {}}', JSON, {}),
    (b'\xef\xbb\xbf{"resource": "hello"}', JSON, "hello"),
    (b'{"segments": []}', JSON, {"segments": []}),
    (b'[{"text": "hello"}]', JSON, [{"text": "hello"}]),
]


@pytest.mark.parametrize(("body", "kind", "kept"), TRANSCRIPTS, ids=lambda value: repr(value)[:30])
def test_a_transcript_is_kept_in_whichever_form_it_comes(body: bytes, kind: str, kept: Any) -> None:
    assert transcript(answer(body, kind)) == kept


@pytest.mark.parametrize("fault", ["html", "truncated", "empty-json"])
def test_an_answer_that_is_broken_is_no_transcript_and_is_requested_again(
    calendly: Runner, sandbox: Sandbox, fault: str
) -> None:
    sandbox.faults.script("/transcript$", [fault] * 2)

    calendly.sync()

    Judge(CALENDLY, sandbox).check(calendly, ["meeting_recap_transcripts"])


def test_a_list_without_content_is_never_an_empty_list(calendly: Runner, sandbox: Sandbox) -> None:
    sandbox.faults.script("/contacts$", ["ok", *["204"] * 5])

    with pytest.raises(RetriableAPIError, match="204"):
        calendly.sync()
