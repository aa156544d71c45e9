"""Whether a PostgreSQL server process lives, judged without trusting what a crash left behind.

A killed server leaves ``postmaster.pid``; its process id may by now be another program's. Every
process of our servers carries the cluster's name in its command line, which everybody may read.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devserver.carrier import ServerError

# Lines of postmaster.pid, from 0: process id, data folder, start, port, socket folder, …
_PID_LINE = 0
_SOCKET_LINE = 4
_STATUS_LINE = 7
_START_SECONDS = 60
_ORPHAN_SECONDS = 10
_POLL_MILLISECONDS = 50


@dataclass(frozen=True)
class State:
    """A living server: its process, where its socket is, and whether it takes connections."""

    pid: int
    socket_folder: str
    ready: bool
    stopping: bool


def read(data: Path, cluster_name: str) -> State | None:
    """Return the state of the server of a data folder, or None when it does not live."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    if not lines or not _is_ours(int(lines[_PID_LINE]), cluster_name):
        return None
    # A server that is just starting has not written all lines yet.
    status = lines[_STATUS_LINE].strip() if len(lines) > _STATUS_LINE else "starting"
    sockets = lines[_SOCKET_LINE] if len(lines) > _SOCKET_LINE else ""
    return State(int(lines[_PID_LINE]), sockets, status == "ready", status == "stopping")


def settle(data: Path, cluster_name: str) -> State | None:
    """Wait until the server is either ready or gone, and return its state or None.

    Whoever was starting or stopping it may have been killed half-way. When the server's main
    process is dead, its children are waited for: a new one must not start beside them.

    Raises ServerError when neither comes about.
    """
    state = read(data, cluster_name)
    waited = 0
    while state is not None and not state.ready:
        if waited > _START_SECONDS * 1000:
            raise ServerError(
                f"PostgreSQL (process {state.pid}) has been starting or stopping for over "
                f"{_START_SECONDS} s. Look at its log, or end that process."
            )
        _wait_for_end(state.pid, _POLL_MILLISECONDS)
        waited += _POLL_MILLISECONDS
        state = read(data, cluster_name)
    if state is None:
        _outlive_orphans(cluster_name)
    return state


def clear_foreign_lock(data: Path) -> None:
    """Remove lock files whose process id has passed to another program since a crash.

    PostgreSQL clears the locks of dead processes itself, and refuses to start when the id lives.
    Only to be called when ``settle`` found no server.
    """
    lock = data / "postmaster.pid"
    try:
        lines = lock.read_text().splitlines()
    except FileNotFoundError:
        return
    if lines and not Path(f"/proc/{int(lines[_PID_LINE])}").exists():
        return
    lock.unlink()
    if len(lines) > _SOCKET_LINE:
        for socket_lock in Path(lines[_SOCKET_LINE]).glob(".s.PGSQL.*.lock"):
            socket_lock.unlink()


def _is_ours(pid: int, cluster_name: str) -> bool:
    return cluster_name.encode() in _command_line(pid)


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _children(cluster_name: str) -> Iterator[int]:
    """Yield the server's child processes, known by the title that PostgreSQL gives them."""
    title = f"postgres: {cluster_name}: ".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and _command_line(int(entry.name)).startswith(title):
            yield int(entry.name)


def _outlive_orphans(cluster_name: str) -> None:
    """Wait for children of a dead server to notice, and end those that do not."""
    for pid in _children(cluster_name):
        if not _wait_for_end(pid, _ORPHAN_SECONDS * 1000):
            os.kill(pid, signal.SIGQUIT)
            if not _wait_for_end(pid, _ORPHAN_SECONDS * 1000):
                raise ServerError(
                    f"Process {pid} of a PostgreSQL that was killed does not end. End it by "
                    f"hand (kill -9 {pid}) and try again."
                )


def _wait_for_end(pid: int, milliseconds: int) -> bool:
    """Wait for a process, of whatever parent, to end; return whether it did."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(milliseconds))
    finally:
        os.close(descriptor)
