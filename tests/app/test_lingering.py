"""The web server's threads stay with a connection for a moment, and harm nobody by it."""

from __future__ import annotations

import http.client
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from tests.faults.processes import Process, until
from tests.ports import free_port

_SERVER = """
from portal.app.lingering import LingeringWorker

HANDED = []


class Counting(LingeringWorker):
    SECONDS = {seconds}

    def enqueue_req(self, conn):
        HANDED.append(conn)
        super().enqueue_req(conn)


def app(environ, start):
    body = environ["wsgi.input"].read() + str(len(HANDED)).encode()
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


@contextmanager
def _serving(folder: Path, *, seconds: float, threads: int) -> Iterator[tuple[int, Process]]:
    (folder / "counting_server.py").write_text(_SERVER.format(seconds=seconds))
    port = free_port()
    argv = [sys.executable, "-m", "gunicorn", "counting_server:app", f"--bind=127.0.0.1:{port}"]
    argv += ["--worker-class=counting_server.Counting", f"--threads={threads}", "--workers=1"]
    argv += [f"--pythonpath={folder}", "--no-control-socket", "--graceful-timeout=5"]
    web = Process(argv, {"PATH": "/usr/bin:/bin"}, folder / "web.log")
    try:
        until(lambda: _answers(port), web)
        yield port, web
    finally:
        web.kill()


def _answers(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        _handed(connection)
        connection.close()
    except OSError:
        return False
    return True


def _handed(connection: http.client.HTTPConnection, body: bytes = b"") -> int:
    """How many requests gunicorn's main thread had handed to threads when this was answered."""
    connection.request("POST", "/", body)
    answer = connection.getresponse()
    assert answer.status == 200
    text = answer.read()
    assert text.startswith(body)
    return int(text[len(body) :])


def test_what_follows_at_once_stays_with_its_thread(tmp_path: Path) -> None:
    """The moment is long here, so that a slow machine still sends its next request within it."""
    with _serving(tmp_path, seconds=30, threads=4) as (port, _web):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        first = _handed(connection)
        bodies = [b"x" * size for size in (0, 10, 100_000, 1)]
        assert [_handed(connection, body) for body in bodies] == [first] * 4
        connection.close()


def test_what_comes_after_the_moment_is_answered_too(tmp_path: Path) -> None:
    """The moment is shorter than the pauses between these: the connection goes back to gunicorn,
    and its next request to a thread again."""
    with _serving(tmp_path, seconds=0.01, threads=4) as (port, web):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        first = _handed(connection)
        until(lambda: _handed(connection) > first, web)
        connection.close()


def test_connections_that_linger_leave_a_thread_for_the_others(tmp_path: Path) -> None:
    with _serving(tmp_path, seconds=30, threads=2) as (port, _web), ExitStack() as stack:
        one, *others = (
            stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)))
            for _ in range(4)
        )
        first = _handed(one)
        # Were the second thread to linger too, these would not be answered in their time.
        found = [_handed(other) for _ in range(3) for other in others]
        assert found == list(range(first + 1, first + 10))
        assert _handed(one) == found[-1], "it still has its thread"


def test_the_server_ends_in_order_while_a_connection_lingers(tmp_path: Path) -> None:
    with _serving(tmp_path, seconds=1, threads=4) as (port, web):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        _handed(connection)
        web.child.terminate()
        assert web.child.wait(20) == 0
        assert "Traceback" not in web.log.read_text()
        connection.close()


def test_a_client_that_goes_away_while_its_thread_waits_leaves_the_server_well(
    tmp_path: Path,
) -> None:
    with _serving(tmp_path, seconds=1.5, threads=2) as (port, web):
        for _ in range(4):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            _handed(connection)
            connection.close()
        # Half a request, then silence: its end is no request.
        with socket.create_connection(("127.0.0.1", port), 10) as half:
            half.sendall(b"POST / HTTP/1.1\r\nHost: here\r\n")
        assert _answers(port)
        assert "Traceback" not in web.log.read_text()
