"""Whatever a file does to its decoder, the worker goes on and hears what happened."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from portal.files import sandbox
from portal.files.problems import Problem
from portal.files.sandbox import Limits, Status


@dataclass
class Stranger:
    x: int = 1


class Forged:
    """Pickles into a call of the system's shell."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("echo forged",)


class Looked:
    """Pickles into a look-up on something that is no enumeration."""

    def __reduce__(self) -> tuple[object, ...]:
        return getattr, (Problem, "__init__")


class Member:
    """Pickles into a look-up of a member, as the enumerations of Python 3.11.2 do."""

    def __reduce__(self) -> tuple[object, ...]:
        return getattr, (Status, "TIMEOUT")


def segfault() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def spin() -> None:
    while True:
        pass


def hoard() -> int:
    return len([bytearray(1 << 24) for _ in range(1000)])


def stubborn() -> None:
    """Catches what Python lets it catch and goes on."""
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(60)


def look_around() -> tuple[list[str], dict[str, str], int]:
    fds = [name for name in os.listdir("/proc/self/fd") if int(name) > 3]
    return fds, dict(os.environ), os.getpid()


def fill(path: Path) -> None:
    with path.open("wb") as file:
        while True:
            file.write(bytes(1 << 20))


@pytest.mark.parametrize(
    ("function", "limits", "status"),
    [
        (segfault, Limits(), Status.CRASHED),
        (os.abort, Limits(), Status.CRASHED),
        (spin, Limits(cpu=1, wall=20), Status.TIMEOUT),
        (spin, Limits(cpu=20, wall=0.3), Status.TIMEOUT),
        (stubborn, Limits(wall=0.3), Status.TIMEOUT),
        (hoard, Limits(memory=64 << 20), Status.MEMORY),
        (Stranger, Limits(), Status.CRASHED),
        (Forged, Limits(), Status.CRASHED),
    ],
)
def test_a_bad_end_is_an_outcome(function: object, limits: Limits, status: Status) -> None:
    began = time.monotonic()
    assert callable(function)
    assert sandbox.run(function, limits=limits).status is status
    assert time.monotonic() - began < 45, "it was not waited for: the stubborn one sleeps a minute"
    assert sandbox.run(len, "still there").value == 11


def test_an_exception_is_told_without_its_text() -> None:
    outcome = sandbox.run(int, "13800001234x")
    assert outcome.status is Status.ERROR
    assert outcome.detail == "ValueError"
    assert "1380" not in repr(outcome)


def test_what_is_written_is_bounded(tmp_path: Path) -> None:
    outcome = sandbox.run(fill, tmp_path / "big", limits=Limits(written=4 << 20))
    assert outcome.status is Status.ERROR
    assert (tmp_path / "big").stat().st_size == 4 << 20


def test_the_child_sees_neither_descriptors_nor_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_SECRET", "nobody sees this")
    sandbox.stop()
    fds, environment, pid = sandbox.run(look_around).value or ([], {}, 0)
    assert len(fds) == 1  # the listing's own
    assert pid
    assert pid != os.getpid()
    assert "nobody sees this" not in environment.values()


def test_problems_come_out_whole() -> None:
    assert sandbox.run(Problem, "empty", {"most": 3}).value == Problem("empty", {"most": 3})


def test_members_of_enumerations_come_out_and_nothing_else_is_looked_up() -> None:
    """Debian 12's Python pickles a member as a `getattr` on its class; later ones do not."""
    member: object = sandbox.run(Member).value
    assert member is Status.TIMEOUT
    assert sandbox.run(Looked).status is Status.CRASHED


def test_an_answer_too_large_is_refused() -> None:
    assert sandbox.run(bytes, 1 << 22, limits=Limits(answer=1 << 20)).status is Status.MEMORY


def test_a_dead_server_is_started_again() -> None:
    before = sandbox.run(os.getppid).value
    assert before
    os.kill(before, signal.SIGKILL)
    after = sandbox.run(os.getppid)
    assert after.ok
    assert after.value != before


def test_many_threads_at_once() -> None:
    answers: dict[int, object] = {}

    def ask(number: int) -> None:
        answers[number] = sandbox.run(pow, number, 3).value

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: number**3 for number in range(24)}


def test_only_tasks_that_can_travel() -> None:
    with pytest.raises((pickle.PicklingError, AttributeError)):
        sandbox.run(lambda: 1)
