"""The web server's worker: a thread stays with its connection for a moment.

gunicorn's own hands a connection back to its main thread after every answer, and the next request
to a thread again: three wakings of threads on other cores, a quarter of what a page of fifty rows
costs. But where one request came the next mostly follows at once: parts of an upload, pieces of a
recording, a proxy's kept connections.
"""

from __future__ import annotations

import select
from typing import Any

from gunicorn.workers.gthread import ThreadWorker


class LingeringWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threaded worker, whose threads wait a moment for the connection's next request.

    They do so only while there are fewer open connections than threads, so that at least one thread
    never waits in vain. Everything else (limits of time, draining of bodies, an orderly end) is
    gunicorn's.
    """

    SECONDS = 0.05

    def handle(self, conn: Any) -> Any:
        """Answer the connection's request, and those that follow within the moment. Gives what
        gunicorn's own gives for the last of them."""
        while True:
            result = super().handle(conn)
            if result is not True or not self._may_linger(conn) or not self._asked(conn):
                return result

    def _may_linger(self, conn: Any) -> bool:
        """Not at the server's end, not while threads are scarce, and only where what was sent can
        be seen on the socket itself."""
        plain = not (self.cfg.is_ssl or conn.is_http2 or conn.parser.unreader.buf.getvalue())
        return plain and self.alive and self.nr_conns < self.cfg.threads

    def _asked(self, conn: Any) -> bool:
        """Whether something comes within the moment (a request, or the connection's end)."""
        poll = select.poll()
        poll.register(conn.sock, select.POLLIN)
        return bool(poll.poll(self.SECONDS * 1000))
