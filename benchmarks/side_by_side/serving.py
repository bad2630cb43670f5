"""The server as the runner sees it: a process with a port."""

from __future__ import annotations

import http.client
import json
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from side_by_side.environments import FOLDER, python

if TYPE_CHECKING:
    from collections.abc import Iterator


class Server:
    """A running server."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.url = f"http://127.0.0.1:{port}"

    def tell(self, word: str) -> Any:
        """`reset`, `count` (from nought), `change` or `report`."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port)
        try:
            connection.request("GET", f"/bench/{word}")
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


@contextmanager
def serving(shape: str, size: int, *options: str) -> Iterator[Server]:
    """A server of one shape and size, with more of its options."""
    command = [python("bench"), "-m", "side_by_side.server", "--shape", shape, "--size", str(size), *options]
    with subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        try:
            if process.stdout is None:
                raise AssertionError
            yield Server(int(process.stdout.readline()))
        finally:
            process.terminate()
