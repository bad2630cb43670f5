from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

LOOK = """
import gc, json, os, sys
from tap_common.cli.process import tuned_process

def look():
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return [type(sys.stdout.buffer).__name__, list(gc.get_threshold()), cores]

before = look()
with tuned_process():
    during = look()
    sys.stdout.write("within\\n")
    reached = os.fstat(1).st_size
print(json.dumps([before, during, look(), reached]))
"""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_run_writes_much_at_once_on_one_core_and_leaves_all_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, unbuffered: str
) -> None:
    out = tmp_path_factory.mktemp("out") / "out"
    with out.open("wb") as file:
        environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
        subprocess.run([sys.executable, "-c", LOOK], stdout=file, env=environment, check=True)

    first, told = out.read_text(encoding="utf-8").splitlines()
    before, during, after, reached = json.loads(told)
    assert first == "within"
    assert reached == 0
    assert during[0] == "BufferedWriter"
    assert during[1][0] > before[1][0]
    assert len(during[2]) == min(1, len(before[2]))
    assert set(during[2]) <= set(before[2])
    assert after == before
