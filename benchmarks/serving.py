"""A web server as bin/demo starts it, a browser's session, and what processes cost.

CPU is read from the kernel's process clocks, so that what else runs on the machine is not counted
(though it does slow caches down).
"""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import psycopg

from benchmarks.place import FOLDER, HOST, Place
from devserver.demo import THREADS, WORKER_CLASS
from devserver.surroundings import ROOT

_READY_SECONDS = 60
_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


@dataclass
class Server:
    """A running gunicorn."""

    port: int
    process: subprocess.Popen[bytes]
    workers: list[int] = field(default_factory=list)

    def cpu(self) -> float:
        """Seconds of CPU that its workers have used."""
        return sum(cpu_of(pid) for pid in self.workers)


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used, all its threads together."""
    return time.clock_gettime((~pid << 3) | 2)


def memory_of(pid: int) -> float:
    """A process's proportional share of memory (PSS) in megabytes."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    assert found
    return int(found[1]) / 1024


@contextmanager
def serving(application: str, environ: Mapping[str, str], *, workers: int = 1) -> Iterator[Server]:
    """Run gunicorn with threads, as bin/demo does; stopped at the block's end."""
    port = free_port()
    log = FOLDER / "log" / f"{application.partition(':')[0]}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "gunicorn", application, f"--bind={HOST}:{port}"]
    argv += [f"--workers={workers}", f"--worker-class={WORKER_CLASS}", f"--threads={THREADS}"]
    argv += ["--graceful-timeout=5", "--no-control-socket", f"--chdir={ROOT}"]
    with log.open("wb") as output:
        process = subprocess.Popen(argv, env=dict(environ), cwd=ROOT, stdout=output, stderr=output)
        server = Server(port, process)
        try:
            _await(server, workers, log)
            yield server
        finally:
            process.terminate()
            process.wait()


def _await(server: Server, workers: int, log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise RuntimeError(f"the web server ended; see {log}")
        try:
            connection = http.client.HTTPConnection(HOST, server.port, timeout=_READY_SECONDS)
            connection.request("GET", "/")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.05)
            continue
        server.workers = [int(pid) for pid in children.read_text().split()]
        if len(server.workers) == workers:
            time.sleep(1)
            return
    raise RuntimeError(f"the web server did not answer; see {log}")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


class Browser:
    """One connection that is kept alive, with its cookies."""

    def __init__(self, port: int) -> None:
        """Nothing is sent yet."""
        self._connection = http.client.HTTPConnection(HOST, port, timeout=60)
        self.cookies: dict[str, str] = {}

    def close(self) -> None:
        """Close the connection; a later request opens it anew."""
        self._connection.close()

    def send(
        self, method: str, path: str, form: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Status and body of a request; cookies are kept."""
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        body = None
        if form is not None:
            body = urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):
            # The server closes a connection that was idle for some seconds.
            self._connection.close()
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
        text = answer.read().decode()
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = line.split(";", 1)[0].partition("=")
            self.cookies[name] = value
        return answer.status, text

    def get(self, path: str) -> str:
        """The page at `path`; anything but 200 is an error."""
        status, text = self.send("GET", path)
        if status != 200:
            raise RuntimeError(f"{path} answered {status}")
        return text

    def sign_in(self, email: str, password: str) -> None:
        """Sign in through the page, as people do."""
        token = _TOKEN.search(self.get("/sign-in"))
        assert token
        form = {"csrf_token": token[1], "email": email, "password": password, "next": "/"}
        status, _text = self.send("POST", "/sign-in", form)
        if status != 302:
            raise RuntimeError(f"{email} could not sign in: {status}")


@dataclass(frozen=True)
class Cost:
    """CPU milliseconds of one request, and how long it took."""

    application: float
    database: float
    elapsed: float

    @property
    def total(self) -> float:
        """Application and database."""
        return self.application + self.database


class Meter:
    """Measures what pages cost a server and the database behind it."""

    def __init__(self, place: Place, server: Server) -> None:
        """The database's side counts every client's backend on the benchmark's database."""
        self._server = server
        self._place = place

    def _backends(self) -> list[int]:
        with psycopg.connect(self._place.admin_url, autocommit=True) as connection:
            rows = connection.execute(
                "select pid from pg_stat_activity where datname = %s"
                " and backend_type = 'client backend'",
                (self._place.database,),
            ).fetchall()
        return [pid for (pid,) in rows]

    def cost(
        self, browser: Browser, path: str, *, rounds: int = 7, each: int = 40, warm: int = 30
    ) -> Cost:
        """The median of `rounds` of `each` requests one after the other, after `warm` more."""
        for _ in range(warm):
            browser.get(path)
        backends = self._backends()
        found = []
        for _round in range(rounds):
            began = time.perf_counter()
            app, data = self._server.cpu(), sum(map(cpu_of, backends))
            for _ in range(each):
                browser.get(path)
            app, data = self._server.cpu() - app, sum(map(cpu_of, backends)) - data
            elapsed = time.perf_counter() - began
            found.append(Cost(*(1000 * x / each for x in (app, data, elapsed))))
        return sorted(found, key=lambda cost: cost.total)[len(found) // 2]
