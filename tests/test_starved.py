"""Starved: a full disk, a pipe that nobody reads, a target that takes its time, and memory that stays as it is."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from calendly_api import CALENDLY
from harness import Messages, Warehouse
from luma_api import LUMA
from oncehub_api import ONCEHUB
from processes import PAGE, Pipe, peak
from tables import load, unequal
from tap_common.http.json import decode
from target_duckdb.errors import LoadError
from truth import Judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from api import Api
    from harness import Runner
    from sandbox import Sandbox

pytestmark = pytest.mark.long

FULL = Path("/dev/full")


def recorded(runner: Runner) -> bytes:
    """Return the messages of a run from the last state."""
    messages = Messages()
    tap = runner.build(messages)
    tap.run()
    tap.close()
    runner.warehouse.load(messages.read)
    return b"".join(json.dumps(message).encode() + b"\n" for message in messages.read)


def test_a_tap_whose_output_takes_nothing_says_so_in_one_sentence(api: Api, sandbox: Sandbox, tmp_path: Path) -> None:
    with FULL.open("wb") as full, Pipe(api, sandbox, tmp_path).start_tap(stdout=full) as tap:
        ended = tap.ended()

    assert ended.code == 1
    assert ended.errors[-1].startswith("Standard output cannot be written: No space left on device.")
    assert "Traceback" not in ended.log


LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (131072, 131072))
os.execv(sys.argv[1], sys.argv[1:])
"""
CLOSED = 'exec "$@" >&-'
UNHEARD = 'exec "$@" >/dev/full'
SAID = {
    "a full disk": (
        [sys.executable, "-c", LIMITED],
        "has reached the maximum file size. The batch is rolled back.",
    ),
    "a full disk for the state": (["sh", "-c", UNHEARD, "sh"], "standard output: No space left on device."),
    "a closed output": (["sh", "-c", CLOSED, "sh"], "standard output: it is closed."),
}


@pytest.mark.parametrize("starved", SAID)
def test_a_loader_that_cannot_write_says_so_and_vouches_for_nothing_that_it_has_not_loaded(
    calendly: Runner, sandbox: Sandbox, tmp_path: Path, starved: str
) -> None:
    wrapper, sentence = SAID[starved]
    messages = recorded(calendly)
    load(tmp_path / "whole.duckdb", messages.splitlines(keepends=True))
    pipe = Pipe(CALENDLY, sandbox, tmp_path)
    target = json.loads((tmp_path / "target.json").read_text()) | {"batch_size_rows": 7}
    (tmp_path / "target.json").write_text(json.dumps(target))

    done = subprocess.run([*wrapper, *pipe.target], input=messages, capture_output=True, check=False, timeout=60)

    log = done.stderr.decode()
    assert done.returncode == 1, log
    assert sentence in [line for line in log.splitlines() if "| ERROR " in line][-1]
    assert "Traceback" not in log
    states = done.stdout.splitlines()
    assert bool(states) == (starved == "a full disk")
    calendly.warehouse.state = json.loads(states[-1]) if states else None
    load(pipe.file, recorded(calendly).splitlines(keepends=True))
    assert unequal(pipe.file, tmp_path / "whole.duckdb") == []


def test_a_full_disk_for_the_temporary_files_takes_nothing_from_the_warehouse(
    calendly: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "warehouse.duckdb"
    messages = recorded(calendly).splitlines(keepends=True)
    load(tmp_path / "whole.duckdb", messages)
    whole = tempfile.NamedTemporaryFile
    left = iter(range(30))

    def temporary(**options: Any) -> Any:
        return whole(**options) if next(left, None) is not None else FULL.open("wb")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", temporary)
    with pytest.raises(LoadError, match="No space is left on the disk of"):
        load(file, messages, batch_size_rows=7)
    monkeypatch.undo()

    assert unequal(file, tmp_path / "whole.duckdb") != []
    load(file, messages)
    assert unequal(file, tmp_path / "whole.duckdb") == []


# The mechanism is tap-common's: one tap whose page tokens go stale, and one whose do not.
@pytest.mark.parametrize("api", [CALENDLY, ONCEHUB], ids=lambda api: api.name)
def test_a_target_that_takes_its_time_gets_everything_though_the_api_hangs_up_and_forgets_pages(
    api: Api, sandbox: Sandbox, runner: Runner, tmp_path: Path
) -> None:
    runner.sync()
    Judge(api, sandbox).check(runner)
    slow, ended_early = Warehouse(), 0
    kind = "stale-token" if api.empty_pages else "503"
    sandbox.faults.script(api.listed, ["ok", kind])

    with Pipe(api, sandbox, tmp_path, page_size=5).start_tap(stdout=subprocess.PIPE) as tap:
        assert tap.popen.stdout is not None
        fcntl.fcntl(tap.popen.stdout, fcntl.F_SETPIPE_SZ, PAGE)
        for number, line in enumerate(tap.popen.stdout):
            slow.load([decode(line)])
            if number < 3:
                time.sleep(1)
                ended_early += hang_up(sandbox)
        ended = tap.ended()

    assert ended.code == 0, ended.log
    assert ended_early
    assert [fault for _, fault in sandbox.faults.injected] == [kind]
    assert slow.rows == runner.warehouse.rows
    assert slow.state == runner.warehouse.state


def hang_up(sandbox: Sandbox) -> int:
    """Have the server end all its connections; returns how many there were."""
    server = sandbox._server
    connections = list(server.server_state.connections)
    for connection in connections:
        server.loop.call_soon_threadsafe(connection.transport.abort)
    return len(connections)


@pytest.mark.parametrize(
    ("api", "number"),
    [(CALENDLY, 1_000), (LUMA, 1_000)],
    ids=["calendly", "luma"],
)
def test_four_times_the_rows_take_no_more_memory(
    api: Api, number: int, serve: Callable[..., Sandbox], tmp_path: Path
) -> None:
    peaks = []
    for more in (number, 4 * number):
        sandbox = serve()
        grow(api, sandbox, more)
        peaks.append(peak(Pipe(api, sandbox, tmp_path).tap))

    assert peaks[1] < peaks[0] + 8, peaks


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_200_000_bookings_with_their_invitees_take_less_than_150_mib(
    serve: Callable[..., Sandbox], tmp_path: Path
) -> None:
    sandbox = serve()
    grow(CALENDLY, sandbox, 200_000)

    assert peak(Pipe(CALENDLY, sandbox, tmp_path).tap) < 150


def grow(api: Api, sandbox: Sandbox, number: int) -> None:
    """Have so many bookings, or guests, more."""
    if api is not LUMA:
        for _ in range(number):
            sandbox.world.book()
        return
    gatherings = sandbox.world.gatherings
    for event in islice(cycle([one for one in gatherings.gatherings.values() if one.kinds]), number):
        gatherings.register(event)
