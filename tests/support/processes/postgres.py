"""A PostgreSQL server of a test's own, and the Singer target that loads into it."""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from loaded import ROOT, Loader, Row
from targets import declare, declared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loaded import Project

OWNER = "warehouse"
"""The superuser; who can open the socket may be it."""
_numbers = count(1)


class UnavailableError(Exception):
    """There is no PostgreSQL, or no target for it, and why."""


@dataclass(frozen=True)
class Server:
    """A server that listens on a Unix socket in its own folder, and nowhere else."""

    binaries: Path
    folder: Path

    def query(self, database: str, *statements: str) -> list[str]:
        """The lines that statements answer with.

        Raises:
            CalledProcessError: The server refused one.
        """
        commands = [f"--command={statement}" for statement in statements]
        done = subprocess.run(
            [self.binaries / "psql", "-XAtq", f"--host={self.folder}", f"--username={OWNER}", database, *commands],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout.splitlines()

    def create_database(self) -> str:
        """The name of a new database."""
        name = f"warehouse_{next(_numbers)}"
        self.query("postgres", f"create database {name}")
        return name


@contextmanager
def served() -> Iterator[Server]:
    """A server, which is stopped and removed in any case. Its time zone is not UTC, as it is not on many machines.

    Raises:
        UnavailableError: There can be none here.
    """
    binaries = _binaries()
    if binaries is None:
        raise UnavailableError("PostgreSQL is not installed")
    # Not in pytest's folder: no other user may enter that, and the name of a socket is short.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    as_user: dict[str, Any] = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        user = _unprivileged()
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c TimeZone=America/New_York"
    options += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    data = f"--pgdata={folder / 'data'}"

    def control(*command: str) -> subprocess.CompletedProcess[str]:
        program, *arguments = command
        with (folder / "said").open("w+") as said:  # a file: the server would keep a pipe open
            done = subprocess.run(
                [binaries / program, data, *arguments],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=100,
                **as_user,
            )
            said.seek(0)
            return subprocess.CompletedProcess(command, done.returncode, said.read())

    try:
        for step in (
            ["initdb", f"--username={OWNER}", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"],
            ["pg_ctl", "-w", f"--log={folder / 'log'}", f"--options={options}", "start"],
        ):
            done = control(*step)
            if done.returncode:
                raise UnavailableError(f"PostgreSQL does not start: {' '.join(done.stdout.split())[-300:]}")
        yield Server(binaries, folder)
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            control("pg_ctl", "-w", "--mode=immediate", "stop")
        shutil.rmtree(folder)


def _binaries() -> Path | None:
    """Return the folder of the newest server's programs: Debian's, or one on the path."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda path: int(path.parent.name) if path.parent.name.isdigit() else 0)
    program = shutil.which("initdb")
    return Path(program).resolve().parent if program else None


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise UnavailableError("PostgreSQL does not run as root, and there is no other user")


@dataclass(frozen=True)
class Postgres(Loader):
    """The target for PostgreSQL, and one of a server's databases, made by the test."""

    base: ClassVar[str] = "target-postgres"
    server: Server
    database: str

    @property
    @override
    def settings(self) -> dict[str, Any]:
        url = f"postgresql+psycopg://{OWNER}@/{self.database}?host={self.server.folder}&options=-ctimezone%3DUTC"
        return {"sqlalchemy_url": url, "hard_delete": self.hard_delete}

    @override
    def tables(self, schema: str) -> dict[str, list[Row]]:
        found = f"select table_name from information_schema.tables where table_schema = '{schema}'"  # noqa: S608 - our own name
        names = self.server.query(self.database, found)
        selects = [
            f"select json_build_array('{name}', to_jsonb(t)) from {schema}.{name} t"  # noqa: S608 - our own names
            for name in names
        ]
        tables: dict[str, list[Row]] = {name: [] for name in names}
        for line in self.server.query(self.database, *selects) if names else ():
            name, row = json.loads(line)
            tables[name].append(row)
        return tables


def install(project: Project) -> None:
    """Declare the target as the page says, and have it where the project's other loaders are.

    The second time there is nothing to do, and no network is needed.

    Raises:
        UnavailableError: It cannot be installed.
    """
    declare(project, "postgres.meltano.yml")
    loaders = ROOT / ".meltano" / "loaders"
    version = declared("target-postgres")["pip_url"].split()[0].partition("==")[2]
    with (loaders / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        pattern = f"target-postgres/venv/lib/*/site-packages/meltanolabs_target_postgres-{version}.dist-info"
        if list(loaders.glob(pattern)):
            return
        done = project.meltano("install", "loader", "target-postgres")
        if done.returncode:
            raise UnavailableError(f"target-postgres cannot be installed: {' '.join(done.stderr.split())[-300:]}")
