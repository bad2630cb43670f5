"""Warnings about a selection that may be a mistake."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from apis import APIS
from tap_common.cli.connection_check import check_streams
from tap_common.errors import SettingsError

if TYPE_CHECKING:
    from api import Api
    from harness import Runner

USUAL, WORDS = "streams selected by default", "what people wrote or said"


def said(runner: Runner, caplog: pytest.LogCaptureFixture) -> list[str]:
    """The warnings of a run about its selection, before it reads."""
    caplog.clear()
    tap = runner.build()
    tap.check_key()
    tap.close()
    return [record.getMessage() for record in caplog.records if USUAL in record.message or WORDS in record.message]


def with_words(api: Api) -> list[str]:
    """The streams that are off, and have a column that is marked as what people wrote."""
    streams = api.tap(config={}, validate_config=False).streams
    off = [kind.name for kind in api.tap.stream_types if not kind.selected_by_default]
    return [name for name in off if '"x-personal": "words"' in json.dumps(streams[name].schema)]


def test_of_the_default_selection_nothing_is_said(runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    assert said(runner, caplog) == []


def test_where_most_of_what_is_on_by_default_is_off_its_first_names_are_said(
    api: Api, runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    usual = api.default_streams()
    half = usual[: len(usual) // 2 + len(usual) % 2]
    runner.select = lambda name, _default: name in half
    assert said(runner, caplog) == []

    off = [name for name in usual if name not in half[1:]]
    runner.select = lambda name, _default: name in half[1:]
    [sentence] = said(runner, caplog)

    assert sentence.startswith(f"Of the {len(usual)} {USUAL}, {len(off)} are not selected: ")
    assert [name for name in off if f"`{name}`" in sentence] == off[:5]
    assert (f" and {len(off) - 5} more." in sentence) is (len(off) > 5)
    assert f"`{api.tap.env_prefix()}_SELECT`" in sentence
    assert "\n" not in sentence


def test_streams_of_what_people_wrote_are_named_where_they_are_on(
    api: Api, runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    runner.select = lambda _name, _default: True
    words = with_words(api)

    told = said(runner, caplog)

    assert len(told) == bool(words)
    assert [name for name in api.all_streams() if any(f"`{name}`" in sentence for sentence in told)] == words


def test_a_stream_of_which_no_text_is_read_is_not_named(calendly: Runner, caplog: pytest.LogCaptureFixture) -> None:
    calendly.select = lambda name, default: default or name == "contact_notes"
    tap = calendly.build()
    for breadcrumb, entry in tap.streams["contact_notes"].metadata.items():
        entry.selected = breadcrumb not in {("properties", "title"), ("properties", "body")}
    tap.streams["contact_notes"].selected = True
    tap.check_key()
    tap.close()

    assert WORDS not in caplog.text


def test_the_streams_with_what_people_wrote_are_these() -> None:
    assert {api.name: with_words(api) for api in APIS} == {
        "calendly": ["contact_notes", "meeting_recap_transcripts", "outgoing_communications"],
        "luma": ["event_blasts", "organization_events"],
        "oncehub": [],
        "savvycal": [],
    }


@pytest.mark.parametrize(
    ("patterns", "hint"),
    [
        (["!contacts.*"], "Its patterns (`!contacts.*`) only exclude"),
        (["!contacts.*"], "`meltano --environment=prod select tap-calendly--sales --clear`"),
        (["contact.*"], "Its patterns (`contact.*`) match no stream of this tap"),
        (["*.*", "!*.*"], "or exclude what they match"),
        ([f"!{letter}.*" for letter in "abcdefgh"], "`!e.*` and 3 more"),
    ],
)
def test_where_nothing_is_selected_meltano_s_patterns_tell_why(
    calendly: Runner, monkeypatch: pytest.MonkeyPatch, patterns: list[str], hint: str
) -> None:
    monkeypatch.setitem(os.environ, "MELTANO_EXTRACT__SELECT", json.dumps(patterns))
    monkeypatch.setitem(os.environ, "MELTANO_EXTRACTOR_NAME", "tap-calendly--sales")
    monkeypatch.setitem(os.environ, "MELTANO_ENVIRONMENT", "prod")
    calendly.select = lambda _name, _default: False
    tap = calendly.build()

    with pytest.raises(SettingsError) as refused:
        check_streams(tap, print)
    tap.close()

    assert hint in str(refused.value)
