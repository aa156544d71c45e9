"""A stored file as gunicorn serves it, with the settings of the demo: whole, in part, its head."""

from __future__ import annotations

import hashlib
import http.client
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from devserver.demo import gunicorn
from devserver.postgres import Cluster
from portal.files.models import StoredFile
from portal.files.service import storage
from portal.journal.models import JournalEntry
from portal.kernel import clock
from portal.kernel.access import Role
from portal.materials.models import Delivery
from tests.conftest import Portal, Template, running_portal
from tests.factories.audits import open_audit
from tests.factories.world import MOMENT, PASSWORD
from tests.faults.processes import Process, environment_of, until
from tests.ports import free_port


@dataclass
class Browser:
    """One kept-alive connection and its cookies."""

    connection: http.client.HTTPConnection
    cookies: dict[str, str]

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: dict[str, str] | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Status, headers and body of one answer."""
        sent = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()), **headers}
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request(method, path, urlencode(body) if body else None, sent)
        answer = self.connection.getresponse()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, answer.headers, answer.read()

    def sign_in(self, email: str) -> None:
        """Begin a session by the form."""
        page = self.ask("/sign-in")[2].decode()
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert token
        form = {"csrf_token": token[1], "email": email, "password": PASSWORD}
        assert self.ask("/sign-in", "POST", form)[0] == 302


@contextmanager
def browsing(port: int) -> Iterator[Browser]:
    """A browser for the block."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        yield Browser(connection, {})


@pytest.fixture(scope="module")
def served(
    cluster: Cluster, template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Portal, int]]:
    """A portal and the port at which gunicorn serves it."""
    folder, port = tmp_path_factory.mktemp("served"), free_port()
    with running_portal(cluster, template, folder / "data") as portal:
        environ = {**environment_of(portal), "PORTAL_ENV": "demo"}
        web = Process(gunicorn(port), environ, folder / "web.log")
        try:
            until(lambda: _answers(port), web)
            yield portal, port
        finally:
            web.kill()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def test_a_recording_is_served_whole_and_in_parts(served: tuple[Portal, int]) -> None:
    portal, port = served
    vendor = portal.world.vendors[0]
    with clock.frozen(MOMENT), portal.session(portal.world.scope) as session:
        audit = open_audit(session, portal.world, vendor, cases=1)
        key, digest = session.execute(
            sa.select(StoredFile.storage_key, StoredFile.sha256)
            .join(Delivery, Delivery.file_id == StoredFile.id)
            .where(Delivery.id == audit.delivery_ids[0])
        ).one()
        with storage().open(key) as stream:
            stored = stream.read()
    with browsing(port) as browser:
        browser.sign_in(vendor.email(Role.OFFICE))
        _look(
            browser, f"/requests/{audit.request_id}/files/{audit.delivery_ids[0]}", stored, digest
        )
    with portal.session(portal.world.scope) as session:
        noted = sa.select(sa.func.count()).where(JournalEntry.action == "materials.file.downloaded")
        assert session.scalar(noted) == 2


def _look(browser: Browser, path: str, stored: bytes, digest: str) -> None:
    status, headers, body = browser.ask(path)
    assert (status, body) == (200, stored)
    assert hashlib.sha256(body).hexdigest() == digest
    assert headers["Content-Length"] == str(len(stored))
    assert headers["Content-Disposition"].startswith("attachment; ")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert headers["Accept-Ranges"] == "bytes"
    tag = headers["ETag"]

    for asked, first, last in (
        ("bytes=0-99", 0, 99),
        ("bytes=1000-", 1000, len(stored) - 1),
        ("bytes=-500", len(stored) - 500, len(stored) - 1),
        (f"bytes={len(stored) - 1}-{len(stored) + 9}", len(stored) - 1, len(stored) - 1),
    ):
        status, headers, body = browser.ask(f"{path}/audio", headers={"Range": asked})
        assert (status, body) == (206, stored[first : last + 1]), asked
        assert headers["Content-Range"] == f"bytes {first}-{last}/{len(stored)}"
        assert headers["Content-Length"] == str(last - first + 1)
        assert headers["Content-Disposition"].startswith("inline; ")
    assert browser.ask(path, headers={"Range": f"bytes={len(stored)}-"})[0] == 416

    status, headers, body = browser.ask(path, "HEAD")
    assert (status, body, headers["Content-Length"]) == (200, b"", str(len(stored)))
    status, _headers, body = browser.ask(path, headers={"If-None-Match": tag})
    assert (status, body) == (304, b"")
    # The connection was kept through all of it: no answer was longer or shorter than it said.
    assert browser.ask("/")[0] == 200


def test_a_built_file_goes_through_the_servers_own_wrapper(served: tuple[Portal, int]) -> None:
    """What the portal takes away for its own files is there for the front end's."""
    _portal, port = served
    with browsing(port) as browser:
        page = browser.ask("/sign-in")[2].decode()
        asset = re.search(r'href="(/static/[^"]+\.css)"', page)
        assert asset
        plain = {"Accept-Encoding": "identity"}
        status, headers, body = browser.ask(asset[1], headers=plain)
        assert status == 200
        assert len(body) == int(headers["Content-Length"]) > 10_000
        status, _headers, part = browser.ask(asset[1], headers={**plain, "Range": "bytes=100-199"})
        assert (status, part) == (206, body[100:200])
