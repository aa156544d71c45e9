"""Long-running children of one command: started together, watched, and stopped together."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType

from devserver.surroundings import ROOT

_STOP_SECONDS = 15
_LOG_LINES = 25


class ChildEnded(Exception):
    """A child ended that should have gone on; the text shows the end of its log."""


class Child:
    """A process of its own session, so that Ctrl-C reaches only who stops it in good order."""

    def __init__(
        self, name: str, argv: Sequence[str], environ: Mapping[str, str], log: Path
    ) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            # setpriv: should we be killed outright, the kernel ends the child too.
            self.process = subprocess.Popen(
                ["/usr/bin/setpriv", "--pdeathsig", "TERM", "--", *argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environ),
                cwd=ROOT,
                start_new_session=True,
            )

    def check(self) -> None:
        """Raise ChildEnded if the process is no longer there."""
        code = self.process.poll()
        if code is not None:
            tail = "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-_LOG_LINES:])
            raise ChildEnded(f"{self.name} ended (exit code {code}). From {self.log}:\n{tail}")

    def wait(self, seconds: float) -> bool:
        """Wait for the end at most so long; return whether it came."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


class Children:
    """A context in which children run; leaving it stops them all."""

    def __init__(self) -> None:
        self._all: list[Child] = []

    def __enter__(self) -> Children:
        """Enter with no child yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ask all children to stop, and end those that do not in time."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for child in self._all:
            child.process.terminate()
        for child in self._all:
            if not child.wait(_STOP_SECONDS):
                os.killpg(child.process.pid, signal.SIGKILL)
                child.process.wait()

    def start(self, name: str, argv: Sequence[str], environ: Mapping[str, str], log: Path) -> Child:
        """Start a child, its output going to ``log``."""
        child = Child(name, argv, environ, log)
        self._all.append(child)
        return child

    def watch(self) -> None:
        """Wait until a child ends, which is always an error: raise ChildEnded."""
        poll = select.poll()
        descriptors = [os.pidfd_open(child.process.pid) for child in self._all]
        try:
            for descriptor in descriptors:
                poll.register(descriptor, select.POLLIN)
            poll.poll()
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        for child in self._all:
            child.wait(0)
            child.check()


def end_in_order() -> None:
    """Turn the signals that end this process into KeyboardInterrupt.

    Ctrl-C too: a script's background process would otherwise have inherited to ignore it.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
