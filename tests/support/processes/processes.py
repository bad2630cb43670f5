"""The tap and the loader as two processes, with the pipe between them in the hands of the test."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from api import settings
from commands import BIN
from tables import SCHEMA

if TYPE_CHECKING:
    import signal
    from collections.abc import Sequence
    from pathlib import Path

    from api import Api
    from sandbox import Sandbox

# The loader's command, which writes every state when it comes.
EAGER = "from target_duckdb import target; target._STATE_EVERY = 0; target.TargetDuckDB.cli()"
PAGE = 4096
MEASURE = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


class Blow(NamedTuple):
    """A signal after so many lines."""

    after: int
    number: signal.Signals


@dataclass(frozen=True)
class Ended:
    """End of a process: exit code, seconds after the signal (0 without one), log."""

    code: int
    seconds: float
    log: str

    @property
    def errors(self) -> list[str]:
        """The lines of level ERROR, without time and logger."""
        return [line.rpartition(" | ")[2] for line in self.log.splitlines() if "| ERROR " in line]


class Process:
    """A command whose log is kept, and which can be told to end."""

    def __init__(self, argv: Sequence[str], log: Path, **pipes: Any) -> None:
        self._log = log
        with log.open("wb") as stderr:
            self.popen = subprocess.Popen(argv, stderr=stderr, **pipes)
        self._seconds = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.popen.kill()
        self.popen.wait()
        for pipe in (self.popen.stdin, self.popen.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()

    def strike(self, number: signal.Signals) -> None:
        """Send a signal, and wait for the end."""
        began = time.monotonic()
        self.popen.send_signal(number)
        self.popen.wait(timeout=20)
        self._seconds = time.monotonic() - began

    def ended(self) -> Ended:
        """Wait for the end, and return it."""
        code = self.popen.wait(timeout=120)
        return Ended(code, self._seconds, self._log.read_text())


class Pipe:
    """`tap | target-duckdb`, from state to state."""

    def __init__(self, api: Api, sandbox: Sandbox, folder: Path, **config: Any) -> None:
        getattr(sandbox, api.name).requests_per_minute = 60_000
        self.folder = folder
        self.state = folder / "state.json"
        self.file = folder / "warehouse.duckdb"
        self.tap = [str(BIN / api.tap.name), f"--config={folder / 'tap.json'}"]
        self.target = [sys.executable, "-c", EAGER, f"--config={folder / 'target.json'}"]
        (folder / "tap.json").write_text(json.dumps(settings(api, sandbox) | {"requests_per_minute": 60_000} | config))
        (folder / "target.json").write_text(
            json.dumps({"filepath": str(self.file), "default_target_schema": SCHEMA, "batch_size_rows": 100})
        )

    def start_tap(self, **pipes: Any) -> Process:
        """The tap, with the last state."""
        resumed = [f"--state={self.state}"] if self.state.exists() else []
        return Process([*self.tap, *resumed], self.folder / "tap.log", **pipes)

    def start_target(self, **pipes: Any) -> Process:
        """The loader."""
        return Process(self.target, self.folder / "target.log", **pipes)

    def run(self, *, tap: Blow | None = None, target: Blow | None = None) -> tuple[Ended, Ended]:
        """A run. The tap is struck while nobody reads what it writes, the target while more could come.

        A tap whose target was struck, and which is not struck itself, finds that nobody reads any more.
        """
        out = self.folder / "states"
        with ExitStack() as stack:
            states = stack.enter_context(out.open("wb"))
            source = stack.enter_context(self.start_tap(stdout=subprocess.PIPE))
            sink = stack.enter_context(self.start_target(stdin=subprocess.PIPE, stdout=states))
            assert source.popen.stdout is not None
            assert sink.popen.stdin is not None
            for pipe in (source.popen.stdout, sink.popen.stdin):  # neither runs far ahead of the other
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PAGE)
            for number, line in enumerate(source.popen.stdout):
                if target and number == target.after:
                    sink.strike(target.number)
                    if tap is None:
                        source.popen.stdout.close()
                        break
                if tap and number == tap.after:
                    source.strike(tap.number)
                with suppress(BrokenPipeError):  # it has been struck
                    sink.popen.stdin.write(line)
                    sink.popen.stdin.flush()
            with suppress(BrokenPipeError):
                sink.popen.stdin.close()
            ended = source.ended(), sink.ended()
        if written := out.read_text().splitlines(keepends=True):
            assert all(line.endswith("\n") and json.loads(line) for line in written)
            self.state.write_text(written[-1])
        return ended


def peak(argv: Sequence[str]) -> float:
    """The most memory that a command has held, in MiB.

    It is started by a small process: a child counts what its parent held when it was forked.
    """
    done = subprocess.run([sys.executable, "-S", "-c", MEASURE, *argv], capture_output=True, text=True, check=True)
    code, kilobytes = map(int, done.stdout.split())
    assert code == 0, done.stderr
    return kilobytes / 1024
