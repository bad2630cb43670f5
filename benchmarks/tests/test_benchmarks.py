"""The benchmarks' judgement: figures, results that are wrong, goals, and the page. No time is measured here."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from side_by_side import outputs, page
from side_by_side.data import Calendar
from side_by_side.figures import Figures, all_arrived, at_the_limit, fewest, floor, judge, middle, ratio, spread
from side_by_side.measured import measure
from side_by_side.source import Limit, Source
from side_by_side.works import WORKS

BENCHMARKS = Path(__file__).parent.parent
RIGHT = [("rows", "a"), ("rows", "b")]


def took(wall: float, **more: Any) -> dict[str, Any]:
    return {"wall": wall, "cpu": wall, "peak_mb": 50.0, "wrong": "", **more}


def entry(program: str, *runs: dict[str, Any], step: str = "") -> dict[str, Any]:
    return {"program": program, "step": step, "runs": list(runs)}


def work(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": "flat",
        "title": "Rows",
        "size": 2,
        "note": "",
        "date": "2026-01-01",
        "entries": list(entries),
        **more,
    }


def written(folder: Path, *keys: str) -> Path:
    rows = [{"type": "RECORD", "stream": "rows", "record": {"id": key}} for key in keys]
    lines = [{"type": "SCHEMA", "stream": "rows", "schema": {}}, *rows, {"type": "STATE", "value": {}}]
    (folder / "stdout").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return folder


def test_a_figure_is_the_median_with_the_least_and_the_most() -> None:
    taken = entry("one", took(3), took(1), took(8))

    assert middle(taken, "wall") == 3
    assert spread(taken, "wall") == (1, 8)


@pytest.mark.parametrize(
    ("keys", "code", "fault"),
    [
        ("ba", 0, ""),
        ("a", 0, "1 rows instead of 2"),
        ("abb", 0, "3 rows instead of 2"),
        ("aa", 0, "other rows"),
        ("ac", 0, "other rows"),
        ("ab", 1, "failed (exit code 1)"),
    ],
)
def test_a_result_that_lacks_repeats_or_exchanges_a_row_is_wrong(
    tmp_path: Path, keys: str, code: int, fault: str
) -> None:
    found = outputs.summary(outputs.identified(outputs.singer(written(tmp_path, *keys))))

    assert outputs.verdict(found, outputs.summary(RIGHT), [0, code]) == fault


@pytest.mark.parametrize(
    ("wall", "met", "margin"), [(4, True, "20% below"), (5, True, "0% below"), (6, False, "20% above")]
)
def test_a_goal_is_met_up_to_its_bound(wall: float, met: bool, margin: str) -> None:  # noqa: FBT001 - a case
    judged = judge(ratio("wall", "ours", "peer", 0.5), work(entry("ours", took(wall)), entry("peer", took(10))))

    assert (judged.met, judged.margin) == (met, margin)


def test_a_fast_wrong_answer_meets_no_goal() -> None:
    fast = entry("ours", took(1), took(1, wrong="1 rows instead of 2"))
    judged = judge(ratio("wall", "ours", "peer", 0.5), work(fast, entry("peer", took(10))))

    assert not judged.met
    assert "1 rows instead of 2" in judged.margin


def test_a_goal_without_its_peer_is_not_met() -> None:
    judged = judge(ratio("wall", "ours", "peer", 0.5), work(entry("ours", took(1))))

    assert (judged.met, judged.value, judged.margin) == (False, None, "not measured")


def test_the_least_time_under_a_limit_is_that_of_whole_windows() -> None:
    assert [floor(requests, 100, 12) for requests in (1, 100, 101, 505)] == [0, 0, 12, 60]
    taken = work(entry("ours", took(66, requests=506, refused=1)), limit=100, window=12)
    assert at_the_limit("ours", 1.05).value(Figures(taken)) == pytest.approx(1.1)


def test_fewest_requests_are_compared_with_those_who_see_every_change() -> None:
    taken = work(
        entry("ours", took(1, requests=20, missed=0), step="second"),
        entry("blind", took(1, requests=10, missed=3), step="second"),
        entry("whole", took(1, requests=25, missed=0), step="second"),
    )

    assert judge(fewest("ours", "second"), taken).value == 0.8
    assert judge(all_arrived("ours", "second"), taken).met
    assert judge(all_arrived("blind", "second"), taken).margin == "by 3"


def test_ten_changes_show_in_rows_that_did_not_show_them_before() -> None:
    calendar = Calendar(300)
    before = rows_of(calendar)
    changes = [(change.kind, [list(mark) for mark in change.marks]) for change in calendar.change()]

    assert sum(missing for _, missing in outputs.arrived(before, changes).values()) == 10
    assert not any(seen for seen, _ in outputs.arrived(before, changes).values())
    assert all(seen == all_ for seen, all_ in outputs.arrived(rows_of(calendar), changes).values())


def rows_of(calendar: Calendar) -> list[tuple[str, bytes]]:
    events = [("scheduled_events", event.body) for event in calendar.events]
    return events + [("event_invitees", row) for event in calendar.events for row in event.invitees]


def test_the_server_pages_and_filters_by_start_alone() -> None:
    calendar = Calendar(250)
    source = Source("calendly", 250, None)
    since = calendar.events[100].start

    pages = [
        json.loads(source.answer(f"/scheduled_events?min_start_time={since}&page_token={at}".encode())[1])
        for at in (100, 200)
    ]

    assert [len(found["collection"]) for found in pages] == [100, 50]
    assert [found["pagination"]["next_page_token"] for found in pages] == ["200", None]
    assert source.answer(b"/scheduled_events?min_updated_at=2026-01-01")[0] == 400
    assert source.requests == 3


def test_the_server_refuses_what_is_beyond_the_limit_and_counts_it() -> None:
    source = Source("flat", 1, Limit(2, 3600))

    assert [source.answer(b"/rows")[0] for _ in range(3)] == [200, 200, 429]
    assert (source.requests, source.refused) == (3, 1)


def test_a_pipe_is_measured_whole(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("one\ntwo\n")
    python = [sys.executable, "-ISc"]
    loud, failing = "print(open(0).read().upper(), end='')", "print(open(0).read(), end=''); raise SystemExit(3)"
    commands = [[*python, loud], [*python, failing]]

    taken = measure(commands, *(str(tmp_path / name) for name in ("in", "out", "err")))

    assert (tmp_path / "out").read_text() == "ONE\nTWO\n"
    assert taken["codes"] == [0, 3]
    assert taken["cpu"] > 0 < taken["peak_mb"]


def test_all_programs_declare_the_same_columns() -> None:
    declared = json.loads((BENCHMARKS / "programs/schemas.json").read_text())
    made = runpy.run_path(str(BENCHMARKS / "programs/template.py"))

    assert {"flat": made["ROW"], "nested": made["EVENT"], "invitee": made["INVITEE"]} == declared


def test_a_reason_stays_with_its_missed_goal_when_the_page_is_made_again() -> None:
    goal = WORKS[3].goals[0].text
    results = {
        "machine": {},
        "versions": {},
        "works": [work(entry("tap_common", took(9)), entry("template tap", took(10)))],
    }

    assert f"| {goal} | 0.9 | **missed**, 170% above | it rained |" in page.text(results, {"flat": {goal: "it rained"}})


@pytest.mark.skipif(not page.RESULTS.exists(), reason="`make bench` has not been run")
def test_the_page_is_what_the_numbers_make() -> None:
    assert page.PAGE.read_text() == page.text(json.loads(page.RESULTS.read_text()), page.reasons())
