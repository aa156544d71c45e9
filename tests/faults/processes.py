"""Processes of the portal as the demo starts them, on a test's database, to be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from devserver.demo import CLI
from tests.conftest import ROOT, Portal, environment

WORKER = (*CLI, "worker", "--concurrency", "3")


@dataclass
class Process:
    """A child with its log. SIGKILL reaches it and whatever it started."""

    argv: Sequence[str]
    environ: dict[str, str]
    log: Path
    child: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        with self.log.open("ab") as output:
            self.child = subprocess.Popen(
                self.argv,
                env=self.environ,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait(10)

    def alive(self) -> None:
        """Fail with the log when the child has ended by itself."""
        assert self.child.poll() is None, self.log.read_text()[-3000:]


def environment_of(portal: Portal) -> dict[str, str]:
    """What a process of this test's portal finds in its environment."""
    given = {name: os.environ[name] for name in ("PATH", "HOME", "TZ") if name in os.environ}
    return {
        **given,
        **environment(portal.settings.database_url, Path(portal.settings.data_dir)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def until(what: Callable[[], object], process: Process, seconds: float = 45) -> None:
    """Wait until something is so, while the process lives."""
    deadline = time.monotonic() + seconds
    while not what():
        process.alive()
        assert time.monotonic() < deadline, process.log.read_text()[-3000:]
        time.sleep(0.03)


@contextmanager
def held(url: str, *locks: str) -> Iterator[None]:
    """Hold the locks that these statements take, as the database's administrator."""
    with psycopg.connect(url) as connection:
        for lock in locks:
            connection.execute(lock)
        yield
        connection.rollback()
