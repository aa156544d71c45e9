"""A private PostgreSQL for the demo, the tests and the benchmarks.

    python -m devserver.postgres start|stop|status|url|remove --data DIR

The server listens on a Unix socket only. Every process that uses it holds a shared lock while
it does; the last one out stops the server, and a process that was killed lets go of its lock by
dying. ``start`` keeps the server running without a user until ``stop``.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import secrets
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from devserver import carrier, postmaster, sockets
from devserver.carrier import Account, ServerError

SUPERUSER = "postgres"
# For a checkout that the server's user cannot enter; only ever used by root.
_SYSTEM_PLACE = Path("/var/lib/portal-devserver")
_INITDB = (
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    f"--username={SUPERUSER}",
)
_SETTINGS = {
    "listen_addresses": "",
    "port": str(sockets.PORT),
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "200",
}
# Nothing in a test database is worth a disk flush; a crash only costs the next run an initdb.
_THROWAWAY_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Cluster:
    """A PostgreSQL whose locks, password and (where possible) data lie in one folder.

    With ``durable=False`` the server forgoes every flush to disk: for tests.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder.resolve()
        self._durable = durable

    @contextmanager
    def running(self) -> Iterator[str]:
        """Start the server unless it runs, and yield the superuser's URL.

        The caller's shared lock keeps the server up until the block ends; the last process to
        leave stops it. Raises ServerError when the server cannot be had.
        """
        owner = os.getpid()
        self._make_folder()
        with self._lock_file("users.lock") as users:
            with self._gate():
                self._start()
                fcntl.flock(users, fcntl.LOCK_SH)
            try:
                yield self.url()
            finally:
                # A forked child leaves this block too, but it never came in.
                if os.getpid() == owner:
                    with self._gate():
                        fcntl.flock(users, fcntl.LOCK_UN)
                        self._stop_if_unused(users)

    def start(self) -> str:
        """Start the server, keep it running without users, and return the superuser's URL."""
        self._make_folder()
        with self._gate():
            self._start()
            self._kept.touch(mode=0o600)
        return self.url()

    def stop(self) -> bool:
        """Stop the server, or leave that to the last of its users; return whether it stopped."""
        if not self.folder.exists():
            return True
        with self._gate(), self._lock_file("users.lock") as users:
            self._kept.unlink(missing_ok=True)
            return self._stop_if_unused(users)

    def remove(self) -> None:
        """Stop the server and delete all its data.

        Raises ServerError while another process uses the server.
        """
        if not self.folder.exists():
            return
        with self._gate(), self._lock_file("users.lock") as users:
            self._kept.unlink(missing_ok=True)
            if not self._stop_if_unused(users):
                raise ServerError(
                    f"The database in {self.folder} is in use by another process. Stop that "
                    "process (bin/demo or a test run) first."
                )
            if self._place_file.exists() and self._place != self.folder:
                shutil.rmtree(self._place)
            for path in self.folder.iterdir():
                # Another process may be waiting at a lock; it must find the same file.
                if path.is_dir():
                    shutil.rmtree(path)
                elif path.suffix != ".lock":
                    path.unlink()

    def is_running(self) -> bool:
        """Tell whether the server accepts connections."""
        if not self._place_file.exists():
            return False
        state = postmaster.read(self._data, self.name)
        return state is not None and state.ready

    def url(self, database: str = "postgres") -> str:
        """Return the superuser's URL of a database of the running server.

        Raises ServerError when the server does not run.
        """
        state = postmaster.read(self._data, self.name) if self._place_file.exists() else None
        if state is None:
            raise ServerError(f"No PostgreSQL runs in {self.folder}.")
        host = quote(state.socket_folder, safe="")
        return f"postgresql://{SUPERUSER}:{self._password()}@/{database}?host={host}&port={sockets.PORT}"

    @property
    def name(self) -> str:
        """The cluster's random name, which every one of its processes shows in its title."""
        return self._place_file.read_text().splitlines()[1]

    # --- where things are

    @property
    def _kept(self) -> Path:
        return self.folder / "kept-running"

    @property
    def _place_file(self) -> Path:
        return self.folder / "place"

    @property
    def _place(self) -> Path:
        """Where the server's own files are: here, or where its user can reach them."""
        return self.folder / self._place_file.read_text().splitlines()[0]

    @property
    def _socket_note(self) -> Path:
        return self.folder / "socket-folder"

    @property
    def _data(self) -> Path:
        return self._place / "data"

    def _password(self) -> str:
        path = self.folder / "superuser.password"
        try:
            return path.read_text().strip()
        except FileNotFoundError:
            raise ServerError(
                f"{path} is gone and nobody else knows the password. Start over with --reset "
                "(or: python -m devserver.postgres remove), which deletes the data."
            ) from None

    # --- locks

    @contextmanager
    def _lock_file(self, name: str) -> Iterator[int]:
        descriptor = os.open(self.folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _gate(self) -> Iterator[None]:
        """Let one process at a time start, stop or count."""
        with self._lock_file("gate.lock") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            yield

    # --- starting

    def _make_folder(self) -> None:
        if not self.folder.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            # The server's user must pass through; what is secret in here has its own mode.
            self.folder.chmod(0o711)

    def _start(self) -> None:
        self._choose_place()
        account = carrier.server_account(self._data)
        state = postmaster.settle(self._data, self.name)
        if state is not None:
            return
        programs = carrier.binaries(account, self._place)
        if not self._data.exists():
            self._init(programs, account)
        self._check_version(programs)
        postmaster.clear_foreign_lock(self._data)
        log = self._log(account)
        folder = sockets.prepare(self._place / "run", self._socket_note, account)
        done = carrier.run(
            [
                str(programs / "pg_ctl"),
                f"--pgdata={self._data}",
                f"--log={log}",
                f"--options={self._server_options(folder)}",
                "--wait",
                "--timeout=60",
                "start",
            ],
            account,
        )
        if done.returncode != 0:
            tail = "\n".join(log.read_text("utf-8", "replace").splitlines()[-15:])
            raise ServerError(
                f"PostgreSQL did not start in {self._data}:\n{done.stdout}\n{tail}".rstrip()
            )

    def _choose_place(self) -> None:
        if self._place_file.exists():
            return
        account = carrier.server_account(self.folder / "data")
        name = f"portal-{secrets.token_hex(6)}"
        place = "."
        if not carrier.can_use(self.folder, account):
            place = str(_SYSTEM_PLACE / name)
            Path(place).mkdir(parents=True)
            for path in (_SYSTEM_PLACE, Path(place)):
                path.chmod(0o711)
        unfinished = self.folder / "place.new"
        unfinished.write_text(f"{place}\n{name}\n")
        unfinished.rename(self._place_file)

    def _init(self, programs: Path, account: Account | None) -> None:
        """Make the data folder whole or not at all: it gets its name when it is complete."""
        unfinished = self._place / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        carrier.give(unfinished, account)
        password = secrets.token_urlsafe(32)
        with tempfile.NamedTemporaryFile("w", dir=self._place) as file:
            file.write(password)
            file.flush()
            carrier.give(Path(file.name), account)
            flags = [] if self._durable else ["--no-sync"]
            done = carrier.run(
                [
                    str(programs / "initdb"),
                    f"--pgdata={unfinished}",
                    f"--pwfile={file.name}",
                    *_INITDB,
                    *flags,
                ],
                account,
            )
        if done.returncode != 0:
            raise ServerError(f"initdb failed in {unfinished}:\n{done.stdout}".rstrip())
        _write_secret(self.folder / "superuser.password", password)
        unfinished.rename(self._data)

    def _check_version(self, programs: Path) -> None:
        made_by = (self._data / "PG_VERSION").read_text().strip()
        ours = carrier.run([str(programs / "postgres"), "--version"], None).stdout
        major = ours.rsplit(maxsplit=1)[-1].split(".", maxsplit=1)[0]
        if made_by != major:
            raise ServerError(
                f"{self._data} was made by PostgreSQL {made_by}; the programs here are "
                f"PostgreSQL {major}. Start over with --reset, which deletes the data."
            )

    def _log(self, account: Account | None) -> Path:
        """Return the server's log, keeping the one of the start before beside it."""
        folder = self._place / "log"
        if not folder.exists():
            folder.mkdir(mode=0o700)
            carrier.give(folder, account)
        log = folder / "postgres.log"
        if log.exists():
            log.replace(folder / "postgres.1.log")
        return log

    def _server_options(self, socket_folder: Path) -> str:
        """Return the server's command-line options, quoted for the shell that pg_ctl uses."""
        quoted = str(socket_folder).replace('"', '""')
        settings = {
            **_SETTINGS,
            "cluster_name": self.name,
            "unix_socket_directories": f'"{quoted}"',
            **({} if self._durable else _THROWAWAY_SETTINGS),
        }
        return " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())

    # --- stopping

    def _stop_if_unused(self, users: int) -> bool:
        """Stop the server unless somebody uses it or it is to be kept; the gate is held."""
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        if self._kept.exists():
            return False
        if self._place_file.exists():
            self._stop_server()
        return True

    def _stop_server(self) -> None:
        if postmaster.settle(self._data, self.name) is None:
            return
        account = carrier.server_account(self._data)
        pg_ctl = str(carrier.binaries(account, self._place) / "pg_ctl")
        told = ""
        for mode in ("fast", "immediate"):
            done = carrier.run(
                [pg_ctl, f"--pgdata={self._data}", f"--mode={mode}", "--timeout=30", "stop"],
                account,
            )
            if done.returncode == 0:
                sockets.discard(self._socket_note)
                return
            told = done.stdout
        raise ServerError(f"PostgreSQL in {self._data} did not stop:\n{told}".rstrip())


def _write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{text}\n")
    unfinished.rename(path)


def main(arguments: list[str] | None = None) -> int:
    """Carry out one command; return the exit code (3: ``status`` of a server that is down)."""
    parser = argparse.ArgumentParser(
        prog="python -m devserver.postgres", description="A private PostgreSQL."
    )
    parser.add_argument("command", choices=("start", "stop", "status", "url", "remove"))
    parser.add_argument("--data", required=True, type=Path, metavar="DIR", help="its folder")
    parser.add_argument(
        "--throwaway", action="store_true", help="start without flushing to disk, for tests"
    )
    chosen = parser.parse_args(arguments)
    cluster = Cluster(chosen.data, durable=not chosen.throwaway)
    try:
        return _carry_out(chosen.command, cluster)
    except ServerError as error:
        print(error, file=sys.stderr)
        return 1


def _carry_out(command: str, cluster: Cluster) -> int:
    match command:
        case "start":
            cluster.start()
            print(f"PostgreSQL runs in {cluster.folder}.")
        case "stop":
            stopped = cluster.stop()
            print("Stopped." if stopped else "In use; the last process that uses it stops it.")
        case "url":
            print(cluster.url())
        case "remove":
            cluster.remove()
            print(f"Removed {cluster.folder}.")
        case _:
            running = cluster.is_running()
            print("running" if running else "stopped")
            return 0 if running else 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
