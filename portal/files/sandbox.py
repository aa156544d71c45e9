"""Run a function on somebody else's file in a child process that cannot hurt the worker.

A hostile or broken file may crash a decoder, eat memory or never end. So whatever parses
uploads runs here: in a fork of a small warm server, with limits on address space, processor time,
wall time and written bytes, without the worker's environment and descriptors. A crash or a limit
comes back as an `Outcome`, never as an exception or a dead worker.

The child's answer is not trusted either: it is read with an unpickler that knows only plain
values and the data classes of this slice.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, is_dataclass
from enum import Enum, StrEnum
from typing import Any, Generic, TypeVar

from portal.files import forkserver

T = TypeVar("T")

_GRACE = 5.0
_SERVER_DIED = "the sandbox server died"
_PLAIN = {
    ("builtins", "set"),
    ("builtins", "frozenset"),
    ("builtins", "bytearray"),
    ("datetime", "date"),
    ("datetime", "datetime"),
    ("datetime", "time"),
    ("datetime", "timedelta"),
    ("datetime", "timezone"),
    ("decimal", "Decimal"),
    ("uuid", "UUID"),
}


class Status(StrEnum):
    """How a run in the child ended."""

    OK = "ok"
    ERROR = "error"  # the function raised
    TIMEOUT = "timeout"  # wall or processor time
    MEMORY = "memory"
    CRASHED = "crashed"  # a signal, an abort, an answer that cannot be read


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use. `memory`, `written` in bytes; `cpu`, `wall` in seconds."""

    memory: int = 1 << 30
    cpu: int = 60
    wall: float = 90.0
    written: int = 1 << 30
    answer: int = 1 << 29


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """The answer of a run: `value` where `status` is ok, else `detail` for the log.

    `detail` names the kind of failure only; an exception's own text may quote the file and is
    kept apart in `text`, which must not be logged.
    """

    status: Status
    value: T | None = None
    detail: str = ""
    text: str = field(default="", repr=False)

    @property
    def ok(self) -> bool:
        """Whether the function returned."""
        return self.status is Status.OK


def _member(known: object, name: str) -> Enum:
    """A member of an enumeration by name, and nothing else that `getattr` gives."""
    if isinstance(known, type) and issubclass(known, Enum):
        return known[name]
    raise pickle.UnpicklingError("only members of enumerations are looked up in an answer")


class _Answer(pickle.Unpickler):
    """Reads plain values, and data classes and enumerations of `portal.files`."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        """Refuse every global but the known ones."""
        if (module_name, global_name) == ("builtins", "getattr"):
            return _member  # by which Python 3.11.2, Debian 12's, pickles an enumeration's member
        if (module_name, global_name) in _PLAIN:
            return super().find_class(module_name, global_name)
        if module_name.startswith("portal.files.") and "." not in global_name:
            found = getattr(sys.modules.get(module_name), global_name, None)
            if isinstance(found, type) and (is_dataclass(found) or issubclass(found, Enum)):
                return found
        raise pickle.UnpicklingError(f"{module_name}.{global_name} is not allowed in an answer")


class _Server:
    """The warm fork server of this process: started when first needed, again if it dies."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = 0
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, limits: Limits, work: socket.socket, status: int) -> None:
        """Have a child forked that talks on `work`; its end is told on `status`."""
        message = json.dumps(
            {
                "memory": limits.memory,
                "cpu": limits.cpu,
                "wall": limits.wall,
                "written": limits.written,
            }
        ).encode()
        with self._lock:
            for attempt in (1, 2):
                control = self._running(fresh=attempt == 2)
                try:
                    socket.send_fds(control, [message], [work.fileno(), status])
                except OSError:
                    if attempt == 2:
                        raise
                else:
                    return

    def stop(self) -> None:
        """End the server. A later run starts another."""
        with self._lock:
            self._drop()

    def _running(self, *, fresh: bool) -> socket.socket:
        if self._owner != os.getpid():  # forked since: the server belongs to the parent
            self._control, self._process, self._owner = None, None, os.getpid()
        if fresh or (self._process is not None and self._process.poll() is not None):
            self._drop()
        if self._control is None:
            self._control, self._process = _start()
        return self._control

    def _drop(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._control, self._process = None, None


def _start() -> tuple[socket.socket, subprocess.Popen[bytes]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(part for part in sys.path if part) or os.curdir,
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",  # a server with threads must not fork
        "TMPDIR": os.environ.get("TMPDIR", "/tmp"),  # noqa: S108 - the system's own default
    }
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - our interpreter, our module
            [sys.executable, "-m", forkserver.__name__, str(theirs.fileno())],
            env=environment,
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
    return ours, process


_server = _Server()


def run(function: Callable[..., T], *args: Any, limits: Limits | None = None) -> Outcome[T]:
    """Call `function(*args)` in a bounded child and return what became of it.

    `function` is a top-level function of an importable module; arguments can be pickled; the
    result consists of plain values and data classes of `portal.files`. Safe to call from
    several threads. Overhead: about 10 ms once the server is warm, 0.5 s for the first call.
    """
    limits = limits or Limits()
    payload = pickle.dumps((function, args), protocol=pickle.HIGHEST_PROTOCOL)
    outcome: Outcome[T] = _run_once(payload, limits)
    if outcome.detail == _SERVER_DIED:  # killed from outside: nothing the file did, most likely
        outcome = _run_once(payload, limits)
    return outcome


def _run_once(payload: bytes, limits: Limits) -> Outcome[Any]:
    ours, theirs = socket.socketpair()
    status_read, status_write = os.pipe()
    with ours, os.fdopen(status_read, "rb") as status:
        try:
            _server.ask(limits, theirs, status_write)
        finally:
            theirs.close()
            os.close(status_write)
        ours.settimeout(limits.wall + _GRACE)
        try:
            answer = _converse(ours, payload, limits.answer)
        except TimeoutError:
            _server.stop()  # the kernel's alarm did not come: something is very wrong
            return Outcome(Status.TIMEOUT, detail="no end in time")
        if len(answer) > limits.answer:
            return Outcome(Status.MEMORY, detail="the answer is too large")
        ours.close()
        report = status.read()
    return _judge(answer, report)


def stop() -> None:
    """End this process's sandbox server (tests, clean shutdown)."""
    _server.stop()


def _converse(work: socket.socket, payload: bytes, most: int) -> bytes:
    """Send the task, then read the answer until the child is gone or said more than `most`."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        work.sendall(payload)
        work.shutdown(socket.SHUT_WR)
    parts: list[bytes] = []
    size = 0
    with contextlib.suppress(ConnectionResetError):
        while size <= most and (part := work.recv(1 << 20)):
            parts.append(part)
            size += len(part)
    return b"".join(parts)


def _judge(answer: bytes, report: bytes) -> Outcome[Any]:
    """The outcome, from the child's own words and from how the server saw it end."""
    ending = _ending(report)
    if ending is not None:
        return ending
    try:
        said = _Answer(io.BytesIO(answer)).load()
        status, value, text = Status(said[0]), said[1], str(said[2])
    except Exception as error:  # a forged answer may raise anything
        return Outcome(Status.CRASHED, detail=f"unreadable answer: {type(error).__name__}")
    if status is Status.OK:
        return Outcome(status, value)
    return Outcome(status, detail=str(value)[:200], text=text[:2000])


def _ending(report: bytes) -> Outcome[Any] | None:
    """How the child came to a bad end, or None if it left in order."""
    if not report:
        return Outcome(Status.CRASHED, detail=_SERVER_DIED)
    end = json.loads(report)
    if end["signal"] in forkserver.TIME_SIGNALS:
        return Outcome(Status.TIMEOUT, detail=f"signal {end['signal']}")
    if end["no_memory"]:
        return Outcome(Status.MEMORY, detail="allocation failed")
    if end["signal"] or end["exit"]:
        return Outcome(Status.CRASHED, detail=f"signal {end['signal']}, exit {end['exit']}")
    return None
