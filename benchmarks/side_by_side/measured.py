"""Runs a pipe of commands and prints what it took, as the operating system counts it.

    python -m side_by_side.measured '{"commands": [["/bin/tap"], ["/bin/target"]], "stdin": …, "stdout": …, …}'

A process of its own, and a small one: a child's peak memory begins with that of the process that starts it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

# What a machine may be set up with, and what would slow some programs down more than others: without kept bytecode each
# start compiles all imports, without a buffer each line is a write, certificates are looked up although HTTP has none.
_UNSET = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def measure(commands: list[list[str]], stdin: str, stdout: str, stderr: str) -> dict[str, Any]:
    """Wall and CPU seconds of the whole pipe with all that it starts, the peak of its largest process, exit codes."""
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    environment = {name: value for name, value in os.environ.items() if name not in _UNSET}
    children = []
    source = os.open(stdin, os.O_RDONLY)
    errors = os.open(stderr, write, 0o644)
    began = time.monotonic()
    for number, command in enumerate(commands):
        last = number == len(commands) - 1
        following, sink = (-1, os.open(stdout, write, 0o644)) if last else os.pipe()
        ends = [(os.POSIX_SPAWN_DUP2, source, 0), (os.POSIX_SPAWN_DUP2, sink, 1), (os.POSIX_SPAWN_DUP2, errors, 2)]
        children.append(os.posix_spawn(command[0], command, environment, file_actions=ends))
        os.close(source)
        os.close(sink)
        source = following
    ended = [os.wait4(child, 0) for child in children]
    wall = time.monotonic() - began
    return {
        "wall": wall,
        "cpu": sum(usage.ru_utime + usage.ru_stime for _, _, usage in ended),
        "peak_mb": max(usage.ru_maxrss for _, _, usage in ended) / 1024,
        "codes": [os.waitstatus_to_exitcode(status) for _, status, _ in ended],
    }


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))  # noqa: T201 - how the figures are told
