"""Run a command against an empty database of a private PostgreSQL, and clean up after it.

    python -m devserver.within DIR COMMAND …

The command finds DATABASE_URL and all other settings in its environment. The database is new
for each run; the server and its logins are kept in DIR.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import psycopg

from devserver.carrier import ServerError
from devserver.children import end_in_order
from devserver.postgres import Cluster
from devserver.surroundings import ROOT, variables

_DATABASE = "scratch"


def run(folder: Path, command: list[str]) -> int:
    """Run the command and return its exit code.

    One at a time in each folder: the logins' passwords belong to the whole server.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cluster = Cluster(folder / "postgres", durable=False)
    with (folder / "within.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with cluster.running() as admin:
            _drop(admin)
            environ = variables("test", folder, cluster.url(_DATABASE), os.environ)
            try:
                return subprocess.run(command, env=environ, cwd=ROOT, check=False).returncode
            finally:
                _drop(admin)


def _drop(admin: str) -> None:
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"drop database if exists {_DATABASE} with (force)")


def main() -> int:
    """Read the command line and run; return the exit code."""
    if len(sys.argv) < 3:
        print("usage: python -m devserver.within DIR COMMAND …", file=sys.stderr)
        return 2
    end_in_order()
    try:
        return run(Path(sys.argv[1]), sys.argv[2:])
    except ServerError as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
