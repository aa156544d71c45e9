"""The other side of `sandbox`: a warm, single-threaded server that forks one child a task.

Run as `python -m portal.files.forkserver <control socket>`. It imports the decoders once, then
answers each message on the control socket (limits, a work socket, a status pipe) with a fork.
It never reads a file itself. It ends when the worker does: its control socket closes.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import pickle
import resource
import selectors
import signal
import socket
import sys
from typing import Any

TIME_SIGNALS = (int(signal.SIGALRM), int(signal.SIGXCPU))
PRELOAD = (
    "portal.files.inspect",
    "portal.files.audio",
    "portal.files.fingerprint",
    "portal.files.workbook",
)

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_NO_MEMORY = (b"memory allocation of", b"MemoryError", b"bad_alloc")
_OPEN_FILES = 64


def main(control_fd: int) -> None:
    """Serve until the control socket closes."""
    for name in PRELOAD:
        module = importlib.import_module(name)
        if warm := getattr(module, "warm", None):
            warm()
    gc.collect()
    gc.freeze()
    control = socket.socket(fileno=control_fd)
    control.set_inheritable(False)
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is not control:
                    selector.unregister(key.fileobj)
                    _report(*key.data)
                elif not _accept(control, selector):
                    return


def _accept(control: socket.socket, selector: selectors.BaseSelector) -> bool:
    """Fork for one message. False when the worker has gone."""
    message, fds, _, _ = socket.recv_fds(control, 4096, 2)
    if not message:
        return False
    work, status = fds
    errors = os.memfd_create("errors")
    server = os.getpid()
    pid = os.fork()
    if pid == 0:
        _child(json.loads(message), work, errors, server)
    os.close(work)
    watch = os.pidfd_open(pid)
    selector.register(watch, selectors.EVENT_READ, (watch, pid, status, errors))
    return True


def _report(watch: int, pid: int, status: int, errors: int) -> None:
    """Tell the worker how the child ended; it may have stopped listening."""
    _, code = os.waitpid(pid, 0)
    tail = os.pread(errors, 65536, 0)
    report = {
        "exit": os.WEXITSTATUS(code) if os.WIFEXITED(code) else 0,
        "signal": os.WTERMSIG(code) if os.WIFSIGNALED(code) else 0,
        "no_memory": any(word in tail for word in _NO_MEMORY),
    }
    try:
        os.write(status, json.dumps(report).encode())
    except BrokenPipeError:
        pass
    finally:
        for fd in (watch, status, errors):
            os.close(fd)


def _child(limits: dict[str, Any], work: int, errors: int, server: int) -> None:
    """Bound this process, do the one task, leave without any clean-up of the server's."""
    code = 1
    try:
        os.dup2(errors, 2)
        os.dup2(work, 3)
        os.closerange(4, os.sysconf("SC_OPEN_MAX"))
        os.set_inheritable(3, False)
        _bound(limits, server)
        _work(socket.socket(fileno=3))
        code = 0
    except MemoryError:
        os.write(2, b"MemoryError")
    finally:
        os._exit(code)


def _bound(limits: dict[str, Any], server: int) -> None:
    """Limits that the kernel enforces, whatever C code does."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != server:  # it died before the first line took hold
        os._exit(1)
    signal.setitimer(signal.ITIMER_REAL, limits["wall"])
    with open("/proc/self/statm", encoding="ascii") as statm:
        present = int(statm.read().split()[0]) * resource.getpagesize()
    space = present + limits["memory"]
    for what, soft, hard in (
        (resource.RLIMIT_AS, space, space),
        (resource.RLIMIT_CPU, limits["cpu"], limits["cpu"] + 1),
        (resource.RLIMIT_FSIZE, limits["written"], limits["written"]),
        (resource.RLIMIT_NOFILE, _OPEN_FILES, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        resource.setrlimit(what, (soft, hard))


def _work(work: socket.socket) -> None:
    """Read the task, run it, answer (status, value or kind of error, text)."""
    with work.makefile("rb") as stream:
        function, args = pickle.loads(stream.read())  # noqa: S301 - from our own worker
    answer: tuple[str, Any, str]
    try:
        answer = ("ok", function(*args), "")
    except MemoryError:
        answer = ("memory", "MemoryError", "")
    except Exception as error:  # whatever it is, the worker hears of it
        answer = ("error", type(error).__name__, str(error))
    data = pickle.dumps(answer, protocol=pickle.HIGHEST_PROTOCOL)
    try:
        work.sendall(data)
    except BrokenPipeError:  # the worker gave up, or the answer was too large for it
        return


if __name__ == "__main__":
    main(int(sys.argv[1]))
