"""The server: it starts and stops at once, sends the world's dates, and is controlled by HTTP and the command line."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest
import requests

from sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Get = Callable[..., requests.Response]

ADMIN = {"Authorization": "Bearer sandbox-admin"}


def test_starting_and_stopping_takes_no_time() -> None:
    spans = []
    for _ in range(3):
        idle = Sandbox(scale="tiny")
        began = time.perf_counter()
        with idle, requests.Session() as session:
            session.get(f"{idle.calendly.api_url}/users/me", headers=ADMIN, timeout=5)
        spans.append(time.perf_counter() - began)
    assert min(spans) < 0.2


def test_answers_are_dated_by_the_world(sandbox: Sandbox, get: Get) -> None:
    assert parsedate_to_datetime(get("/users/me").headers["Date"]) == datetime(2026, 6, 1, 9, tzinfo=UTC)
    sandbox.advance(days=3, seconds=1)
    answer = get("/nowhere")
    assert parsedate_to_datetime(answer.headers["Date"]) == datetime(2026, 6, 4, 9, 0, 1, tzinfo=UTC)
    assert answer.headers["Date"].count("GMT") == 1


def test_what_was_requested_is_on_record(sandbox: Sandbox, get: Get, org: str) -> None:
    get("/groups", organization=org, count=2)
    get("/groups", key="sandbox-member", organization="")
    first, second = sandbox.requests
    assert (first.api, first.method, first.path, first.status) == ("calendly", "GET", "/groups", 200)
    assert first.query == [("organization", org), ("count", "2")]
    assert (first.key, second.key) == ("sandbox-admin", "sandbox-member")
    assert second.query == [("organization", "")]


def test_the_world_moves_by_http(sandbox: Sandbox) -> None:
    address = f"{sandbox.url}/_world"
    before = requests.get(address, timeout=5).json()
    assert (before["now"], before["seed"], before["scale"]) == ("2026-06-01T09:00:00Z", 7, "tiny")
    after = requests.post(f"{address}/advance?days=30&hours=2", timeout=5).json()
    assert after["now"] == "2026-07-01T11:00:00Z"
    assert after["counts"]["meetings"] == len(sandbox.world.meetings)
    truth = requests.get(f"{address}/truth/calendly/scheduled_events", timeout=5).json()
    assert truth == sandbox.truth("calendly", "scheduled_events")
    assert requests.get(f"{address}/requests", timeout=5).json() == []


def test_faults_are_ordered_by_http(sandbox: Sandbox, get: Get) -> None:
    address = f"{sandbox.url}/_world/faults"
    order = {"script": {"path": "/users/me", "kinds": ["503"]}}
    assert requests.post(address, json=order, timeout=5).status_code == 200
    assert [get("/users/me").status_code for _ in range(2)] == [503, 200]
    requests.post(address, json={"randomly": {"rate": 1.0, "kinds": ["500"]}}, timeout=5)
    assert get("/users/me").status_code == 500
    injected = requests.post(address, json={"clear": True}, timeout=5).json()["injected"]
    assert [kind for _, kind in injected] == ["503", "500"]
    assert get("/users/me").status_code == 200


def test_nonsense_by_http_is_refused(sandbox: Sandbox) -> None:
    address = f"{sandbox.url}/_world"
    assert requests.post(f"{address}/advance?weeks=1", timeout=5).status_code == 400
    for span in (
        "days=-1",
        "days=3651",
        "days=3650&seconds=1",
        "hours=-1&days=-1",
        "days=nan",
        "days=inf",
        "days=1e300",
    ):
        refused = requests.post(f"{address}/advance?{span}", timeout=5)
        assert (refused.status_code, "give" in refused.json()["error"]) == (400, True), span
    assert requests.post(f"{address}/faults", json={"break": 1}, timeout=5).status_code == 400
    assert requests.post(f"{address}/faults", data="{", timeout=5).status_code == 400
    assert requests.get(f"{address}/truth/calendly/nothing", timeout=5).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example"},
        {"Host": "rebound.example:{port}"},
        {"Host": "127.0.0.1:1"},
        {"Host": "127.0.0.1"},
        {"Origin": "https://page.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": ""},
    ],
    ids=str,
)
def test_a_web_page_does_not_move_the_world_nor_read_of_it(sandbox: Sandbox, headers: dict[str, str]) -> None:
    headers = {name: text.format(port=sandbox.port) for name, text in headers.items()}
    before = sandbox.world.now

    answers = [
        requests.post(f"{sandbox.url}/_world/advance?days=3", headers=headers, timeout=5),
        requests.post(f"{sandbox.url}/_world/faults", json={"clear": True}, headers=headers, timeout=5),
        *(
            requests.get(f"{sandbox.url}/_world{path}", headers=headers, timeout=5)
            for path in ("", "/requests", "/truth/luma/events")
        ),
    ]

    assert [answer.status_code for answer in answers] == [403] * 5
    assert answers[0].json() == {"error": f"only {sandbox.url} itself may be requested, and not by a web page"}
    assert sandbox.world.now == before


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_moves_the_world_by_either_name(sandbox: Sandbox, host: str) -> None:
    own = f"{host}:{sandbox.port}"

    answer = requests.post(
        f"{sandbox.url}/_world/advance?days=1", headers={"Host": own, "Origin": f"http://{own}"}, timeout=5
    )

    assert answer.status_code == 200


def test_something_happens_before_the_answer_to_the_request_after_so_many_more(sandbox: Sandbox, get: Get) -> None:
    rename = sandbox.world.edit_person
    someone = sandbox.world.seats["owner"]
    sandbox.meanwhile(1, lambda: rename(someone, name="Ada"))
    sandbox.meanwhile(2, lambda: rename(someone, name="Grace"))
    sandbox.meanwhile(3, lambda: rename(someone, name="Emmy"))

    told = [get("/users/me").json()["resource"]["name"] for _ in range(3)]
    sandbox.forget_meanwhile()
    told += [get("/users/me").json()["resource"]["name"] for _ in range(2)]

    assert told[1:] == ["Ada", "Grace", "Grace", "Grace"]
    assert told[0] not in told[1:]


def test_a_world_at_rest_changes_by_what_is_done_to_it_alone(sandbox: Sandbox) -> None:
    world = sandbox.world
    world.rest()
    before = world.version

    sandbox.advance(days=400)
    assert world.version == before

    world.desk.trash(world.book())
    booked = len(sandbox.truth("oncehub", "bookings"))
    sandbox.advance(days=31)
    assert len(sandbox.truth("oncehub", "bookings")) == booked - 1  # destroyed after a month in the trash


def test_a_flowing_world_keeps_pace_with_the_clock() -> None:
    readings = iter(range(0, 1000, 10))
    with Sandbox(scale="tiny", clock=lambda: float(next(readings)), flow=True) as flowing:
        first = requests.get(f"{flowing.url}/_world", timeout=5).json()["now"]
        second = requests.get(f"{flowing.url}/_world", timeout=5).json()["now"]
    assert "2026-06-01T09:00:00Z" < first < second


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A sandbox started from the command line, and its address."""
    command = [sys.executable, "-m", "sandbox", "serve", "--port", "0", "--scale", "tiny", "--rate-limit", "77"]
    ready = tmp_path / "ready"
    with subprocess.Popen(
        [*command, "--ready-file", str(ready)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            assert process.stdout.readline().startswith("sandbox listens on http://127.0.0.1:")
            apis = list(Sandbox(scale="tiny").apis)
            addresses = [process.stdout.readline().split()[1] for _ in apis]
            assert [address.rpartition("/")[2] for address in addresses] == apis
            yield process, ready.read_text(encoding="utf-8").strip()
        finally:
            process.kill()


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_interrupted(served: tuple[subprocess.Popen[str], str], name: signal.Signals) -> None:
    process, url = served
    with requests.Session() as session:
        answer = session.get(f"{url}/calendly/users/me", headers=ADMIN, timeout=5)
        assert answer.headers["X-RateLimit-Limit"] == "77"
        assert answer.headers["Date"].startswith("Mon, 01 Jun 2026 09:00")
        process.send_signal(name)
        out, err = process.communicate(timeout=5)
    assert (process.returncode, out, err) == (0, "", "")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    command = [sys.executable, "-m", "sandbox", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)


def test_a_port_in_use_is_one_clear_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run("serve", "--scale", "tiny", "--port", port)
    assert done.returncode == 1
    choose = "choose another with --port, or make sandbox PORT=…"
    assert done.stderr == f"Error: port {port} cannot be used (Address already in use); {choose}\n"


def test_the_command_explains_itself() -> None:
    assert "serve" in run("--help").stdout
    assert run("serve", "--now", "tomorrow").returncode == 2
    done = run("serve", "--now", "2025-01-01", "--scale", "tiny")
    assert (done.returncode, "cannot go back" in done.stderr) == (1, True)
