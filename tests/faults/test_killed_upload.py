"""kill -9 of the web server between the moment a file lies whole in its place and the commit.

The row that names the bytes was committed before the first of them came, so nothing is lost when
the desk asks again, and nothing stays behind when it never does.
"""

from __future__ import annotations

import hashlib
import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from benchmarks.desk import Desk, File
from devserver.demo import gunicorn
from devserver.postgres import Cluster
from portal.app import background, orphans
from portal.files.service import storage
from portal.kernel import clock
from portal.kernel.access import Role, system_actor
from portal.materials.models import Delivery, Upload
from tests.conftest import Portal, Template, running_portal
from tests.factories.materials import add_request
from tests.factories.world import PASSWORD
from tests.faults.processes import Process, environment_of, until
from tests.faults.test_served_files import _answers
from tests.files import samples
from tests.ports import free_port


@dataclass
class Killed:
    """A portal whose web server was killed in mid-completion."""

    portal: Portal
    desk: Desk
    ticket: dict[str, object]
    body: bytes

    def upload(self) -> Upload:
        """The upload's row as it stands."""
        with self.portal.session(self.portal.world.scope) as session:
            return session.scalars(sa.select(Upload)).one()

    def deliveries(self) -> list[Delivery]:
        """What counts as delivered."""
        with self.portal.session(self.portal.world.scope) as session:
            return list(session.scalars(sa.select(Delivery)))


def _serve(portal: Portal, folder: Path, port: int) -> Process:
    web = Process(
        gunicorn(port), {**environment_of(portal), "PORTAL_ENV": "demo"}, folder / "web.log"
    )
    until(lambda: _answers(port), web)
    return web


@contextmanager
def _no_rows_taken(portal: Portal) -> Iterator[None]:
    """The table of stored files takes no rows, so that whoever delivers waits before the commit."""
    with psycopg.connect(portal.settings.database_url) as connection:
        connection.execute("lock table stored_files in share mode")
        yield
        connection.rollback()


@pytest.fixture
def killed(cluster: Cluster, template: Template, tmp_path: Path) -> Iterator[Killed]:
    """The bytes lie in their place, the commit never came, and a new web server answers."""
    port = free_port()
    with running_portal(cluster, template, tmp_path / "data") as portal:
        vendor = portal.world.vendors[0]
        with portal.session(portal.world.scope) as session:
            request_id = add_request(session, portal.world, vendor).id
        path = samples.pcm(tmp_path / "HC-00001.wav", 3)
        file = File(path.name, path, path.stat().st_size)
        web = _serve(portal, tmp_path, port)
        try:
            desk = Desk(port, request_id, vendor.email(Role.OFFICE), PASSWORD)
            (found,) = desk.match([file])
            (ticket,) = desk.start([(file, found["item_id"])])
            desk.send_parts(ticket, file)
            state = Killed(portal, desk, ticket, path.read_bytes())
            key = state.upload().storage_key or ""

            def complete() -> None:
                with suppress(OSError, http.client.HTTPException):
                    desk.complete([ticket])

            asking = threading.Thread(target=complete)
            with _no_rows_taken(portal):
                asking.start()
                until(lambda: storage().exists(key), web)
                web.kill()
            asking.join(30)
            web = _serve(portal, tmp_path, port)
            assert state.upload().state == "started" and not state.deliveries()
            assert storage().exists(key)
            yield state
            desk.close()
        finally:
            web.kill()


def test_asked_again_the_file_is_delivered_once(killed: Killed) -> None:
    """The desk never had an answer, asks again, and the bytes are those that were sent."""
    (done,) = killed.desk.complete([killed.ticket])
    (again,) = killed.desk.complete([killed.ticket])
    assert done["delivery_id"] == again["delivery_id"]
    assert not list(storage().unfinished())
    (delivery,) = killed.deliveries()
    assert str(delivery.id) == done["delivery_id"]
    assert delivery.sha256 == hashlib.sha256(killed.body).hexdigest()
    with storage().open(killed.upload().storage_key or "") as stream:
        assert stream.read() == killed.body


def test_never_asked_again_the_bytes_are_swept(killed: Killed) -> None:
    """Two days later nothing lies in the store that no row names, and the upload is given up."""
    portal, key = killed.portal, killed.upload().storage_key or ""
    with clock.frozen(clock.now() + timedelta(hours=23)):
        _sweep(portal)
    assert storage().exists(key), "a desk may still ask within a day"
    with clock.frozen(clock.now() + timedelta(days=2)):
        _sweep(portal)
    assert not storage().exists(key)
    assert killed.upload().state == "abandoned"
    assert not list(storage().unfinished())
    assert not [one for one, _moment in storage().keys()]  # noqa: SIM118 - not a dictionary


def _sweep(portal: Portal) -> None:
    for chore in background.chores(portal.database, portal.world.company_id):
        if chore.name == "sweep abandoned uploads":
            chore.run()
    walker = orphans.OrphanSweep(storage(), system_actor(portal.world.company_id))
    with portal.session(portal.world.scope) as session:
        found = walker.step(session)
        session.commit()
    walker.remove(found)
