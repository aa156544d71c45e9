"""Set the demo up as far as it is not, and serve it until Ctrl-C.

    python -m devserver.demo [--port N] [--reset] [--no-serve]

``bin/demo`` calls it when everything is installed. Settings may be overridden by environment
variables; DATABASE_URL names an outside PostgreSQL.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from demo import authority
from demo.people import COMPANY
from devserver import outside
from devserver.carrier import ServerError
from devserver.children import Child, ChildEnded, Children, end_in_order
from devserver.postgres import Cluster
from devserver.surroundings import ROOT, variables

FOLDER = ROOT / "var" / "demo"
HOST = "127.0.0.1"
CLI = [sys.executable, "-m", "portal.app.cli"]
_DEMO = [sys.executable, "-m", "demo"]
_READY_SECONDS = 60
THREADS = 128
WORKER_CLASS = "portal.app.lingering.LingeringWorker"


class StepFailed(Exception):
    """A step of the set-up failed; its own output has said why."""


class Demo:
    """The demo's folder, and how far its database is set up."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self._stamps = FOLDER / "stamps.json"

    def set_up(self, database: str) -> None:
        """Make logins, tables and the demo company, whatever of these is not there yet.

        ``database`` identifies the database that the stamps speak of.
        """
        with _only_one(FOLDER / "setup.lock"):
            done = self._read_stamps(database)
            code = _code_hash()
            if done.get("code") != code:
                self._step("Database logins", [*CLI, "bootstrap-db"])
                self._step("Tables", [*CLI, "migrate"])
            if not done.get("data"):
                self._step("Demo company (takes a while, once)", [*_DEMO, "data"])
            if done.get("code") != code or not done.get("data"):
                sign_ins = self._output([*_DEMO, "sign-ins"])
                (FOLDER / "sign-ins.txt").write_text(sign_ins)
                stamps = {"database": database, "code": code, "data": True}
                self._stamps.write_text(json.dumps(stamps))

    def serve(self, port: int) -> None:
        """Run the web server and the worker until Ctrl-C.

        Raises ChildEnded when one of them ends by itself.
        """
        with Children() as children:
            web = children.start("The web server", gunicorn(port), self.environ, _log("web"))
            worker = [*CLI, "worker"]
            children.start("The worker", worker, self.environ, _log("worker"))
            _await_page(web, port)
            print(f"\n{self.sign_ins()}\n  http://{HOST}:{port}/   (Ctrl-C stops it)\n", flush=True)
            children.watch()

    def sign_ins(self) -> str:
        """Return who can sign in, one of each role."""
        return (FOLDER / "sign-ins.txt").read_text()

    def _read_stamps(self, database: str) -> dict[str, object]:
        try:
            stamps: dict[str, object] = json.loads(self._stamps.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return stamps if stamps.get("database") == database else {}

    def _step(self, title: str, command: list[str]) -> None:
        started = time.monotonic()
        print(f"==> {title} …", flush=True)
        if subprocess.run(command, env=dict(self.environ), cwd=ROOT, check=False).returncode:
            raise StepFailed(
                f"'{command[-1]}' failed (see above). When that is mended, run bin/demo again; "
                "bin/demo --reset starts over with an empty database."
            )
        print(f"    done in {time.monotonic() - started:.1f} s", flush=True)

    def _output(self, command: list[str]) -> str:
        done = subprocess.run(
            command,
            env=dict(self.environ),
            cwd=ROOT,
            check=False,
            stdout=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            raise StepFailed(f"'{command[-1]}' failed (see above).")
        return done.stdout


def gunicorn(port: int) -> list[str]:
    """The command that serves the demo."""
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "wsgi:app",
        f"--bind={HOST}:{port}",
        "--workers=1",
        f"--worker-class={WORKER_CLASS}",
        f"--threads={THREADS}",
        "--graceful-timeout=5",
        "--no-control-socket",
        f"--chdir={ROOT}",
        "--name=portal-demo",
    ]


def _log(name: str) -> Path:
    return FOLDER / "log" / f"{name}.log"


def _await_page(web: Child, port: int) -> None:
    """Wait until the first page is served, or raise ChildEnded."""
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        web.check()
        connection = http.client.HTTPConnection(HOST, port, timeout=_READY_SECONDS)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
            return
        except OSError:
            web.wait(0.05)
        finally:
            connection.close()
    raise ChildEnded(f"The web server did not answer within {_READY_SECONDS} s; see {web.log}")


def _code_hash() -> str:
    """Return a hash of all code that shapes the database: after a change, it is brought up."""
    digest = hashlib.sha256()
    for folder in ("migrations", "portal", "tenants"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(f"{path.relative_to(ROOT)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Let one process at a time set up."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _database(cluster: Cluster) -> Iterator[tuple[str, str]]:
    """Yield the administrator's URL, and a name for what the stamps speak of."""
    given = os.environ.get("DATABASE_URL", "")
    if given:
        outside.check(given)
        yield given, hashlib.sha256(given.encode()).hexdigest()
        return
    with cluster.running():
        yield cluster.url("portal"), cluster.name


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ServerError(
                f"Port {port} of {HOST} cannot be had ({error.strerror}). Is the demo running "
                f"already? Else choose another: bin/demo --port {port + 1}"
            ) from None


def _reset(cluster: Cluster) -> None:
    if os.environ.get("DATABASE_URL"):
        raise ServerError(
            "--reset does not delete a database of your own (DATABASE_URL). Drop it by hand, "
            "or unset DATABASE_URL."
        )
    print("==> Deleting the demo's data", flush=True)
    cluster.remove()
    for path in FOLDER.iterdir() if FOLDER.exists() else ():
        if path.is_dir() and path != cluster.folder:
            shutil.rmtree(path)
        elif path.is_file() and path.name != "setup.lock":
            path.unlink()


def _run(port: int, *, reset: bool, serve: bool) -> None:
    cluster = Cluster(FOLDER / "postgres")
    if serve:
        _check_port(port)
    if reset:
        _reset(cluster)
    with _database(cluster) as (url, name):
        demo = Demo(
            variables(
                "demo",
                FOLDER,
                url,
                os.environ,
                PORTAL_BASE_URL=f"http://{HOST}:{port}",
                PORTAL_TRUSTED_HOSTS=f"{HOST},localhost",
                **authority.settings(FOLDER / "signing", COMPANY[1]),
            )
        )
        demo.set_up(name)
        if serve:
            demo.serve(port)
        else:
            print(demo.sign_ins())


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; return the exit code."""
    parser = argparse.ArgumentParser(prog="bin/demo", description="The portal with demo data.")
    parser.add_argument("--port", type=int, default=8000, metavar="N", help="default: 8000")
    parser.add_argument("--reset", action="store_true", help="delete the demo's data first")
    parser.add_argument("--no-serve", action="store_true", help="set up, but do not serve")
    chosen = parser.parse_args(arguments)
    end_in_order()
    try:
        _run(chosen.port, reset=chosen.reset, serve=not chosen.no_serve)
    except KeyboardInterrupt:
        print("\nStopped. bin/demo starts it again with its data.")
    except (ServerError, StepFailed, ChildEnded) as error:
        print(f"\nbin/demo: {error}", file=sys.stderr)
        return 1
    except PermissionError as error:
        print(
            f"\nbin/demo: {error}\nThe demo's folder belongs to another user: run bin/demo as "
            f"that user, or delete {FOLDER} first.",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
