"""The web server's worker: a thread stays with its connection for a moment.

gunicorn's own hands a connection back to its main thread after every answer, and the next request
to a thread again: three wakings of threads on other cores, a quarter of what a page of fifty rows
costs. But where one request came the next mostly follows at once: parts of an upload, pieces of a
recording, a proxy's kept connections.
"""

from __future__ import annotations

import select
import threading
from typing import Any

from gunicorn.workers.gthread import ThreadWorker


class LingeringWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threaded worker, a few of whose threads wait a moment for the connection's next
    request.

    A few: in a crowd the main thread finds many requests at one waking, and threads that all wait
    by themselves would only take turns at being woken. At least one thread never waits in vain.
    Everything else (limits of time, draining of bodies, an orderly end) is gunicorn's.
    """

    SECONDS = 0.05
    MOST = 4

    def __init__(self, *args: Any, **given: Any) -> None:
        """As gunicorn's own."""
        super().__init__(*args, **given)
        self._places = threading.Semaphore(min(self.MOST, self.cfg.threads - 1))

    def handle(self, conn: Any) -> Any:
        """Answer the connection's request, and those that follow within the moment. Gives what
        gunicorn's own gives for the last of them."""
        while True:
            result = super().handle(conn)
            if result is not True or not self._asked_again(conn):
                return result

    def _asked_again(self, conn: Any) -> bool:
        """Whether something comes within the moment (a request, or the connection's end). Not at
        the server's end, and only where what was sent can be seen on the socket itself."""
        if self.cfg.is_ssl or conn.is_http2 or conn.parser.unreader.buf.getvalue():
            return False
        if not self.alive or not self._places.acquire(blocking=False):
            return False
        try:
            poll = select.poll()
            poll.register(conn.sock, select.POLLIN)
            return bool(poll.poll(self.SECONDS * 1000))
        finally:
            self._places.release()
