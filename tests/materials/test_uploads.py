"""Uploads under bad conditions: broken off, doubled, refused, foreign, at the same moment."""

from __future__ import annotations

import socket
import threading
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from werkzeug.serving import make_server

from portal.app import background
from portal.files.models import StoredFile
from portal.jobs.models import JobRun
from portal.jobs.service import enqueue, execute
from portal.kernel import clock
from portal.kernel.access import Role
from portal.kernel.errors import Conflict
from portal.materials import answers, uploads
from portal.materials.jobs import check_delivery
from portal.materials.models import Delivery, HandIn, RequestItem, Upload
from tenants.scope import Scope, bound
from tests.conftest import Portal
from tests.factories.materials import CALL, RECORD, Desk, add_request
from tests.factories.world import MOMENT
from tests.files import samples

assert check_delivery


@pytest.fixture
def desk(portal: Portal) -> Desk:
    """The first vendor's office at the desk of a call-up on three cases."""
    with portal.session(portal.world.scope) as session:
        made = add_request(session, portal.world, portal.world.vendors[0])
    return Desk(portal.client(portal.world.vendors[0].email(Role.OFFICE)), made.id)


def item(portal: Portal, desk: Desk, case_no: str = "HC-00001", kind: str = CALL) -> UUID:
    with portal.session(portal.world.scope) as session:
        return session.scalars(
            sa.select(RequestItem.id).where(
                RequestItem.request_id == desk.request_id,
                RequestItem.case_no == case_no,
                RequestItem.kind == kind,
            )
        ).one()


def stored(portal: Portal) -> list[Path]:
    root = Path(portal.settings.data_dir) / "files"
    return [path for path in root.rglob("*") if path.is_file()]


def test_names_find_their_items_or_say_why_not(portal: Portal, desk: Desk) -> None:
    """UX 5: before anything is sent; a number that is nobody's here is not repeated to anyone."""
    found = desk.match(
        ("HC-00001.wav", 10),
        ("13800000002_8012_20261020142233.wav", 10),
        ("13911112222_8012_20261020142233.wav", 10),
        ("holiday.wav", 10),
        ("HC-00001.exe", 10),
        ("HC-00002.wav", 0),
        ("HC-00003.pdf", 10),
        ("desk/HC-00003.mp3", 10),
        listed=[("HC-00003.mp3", 10)],
    )
    assert [row["status"] for row in found] == [
        "matched",
        "matched",
        "unexpected",
        "unmatched",
        "refused",
        "refused",
        "matched",
        "duplicate",
    ]
    assert found[0]["item_id"] == str(item(portal, desk))
    assert found[1]["item_id"] == str(item(portal, desk, "HC-00002"))
    assert found[6]["item_id"] == str(item(portal, desk, "HC-00003", RECORD))
    assert not any("139" in row["message"] + row["item_label"] for row in found)


def test_what_is_refused_leaves_nothing(portal: Portal, desk: Desk) -> None:
    """Empty, too large, a kind the item does not take, another length than announced, a body that
    breaks off: each is said, and nothing is kept."""
    call = item(portal, desk)
    most = portal.settings.max_upload_bytes
    for name, size in (("a.wav", 0), ("a.wav", most + 1), ("a.pdf", 10), ("a.wav", -3)):
        refused = desk.start(name, size, call)
        assert refused.status_code == 422 and refused.get_json()["mend"]
    ticket = desk.start("HC-00001.wav", 1_000, call).get_json()
    wrong = desk.put(ticket, b"x" * 999)
    assert wrong.status_code == 422 and "1000" in wrong.get_json()["error"]
    assert desk.complete(ticket).status_code == 410
    with portal.session(portal.world.scope) as session:
        assert not session.scalars(sa.select(Delivery)).all()
        assert not session.scalars(
            sa.select(StoredFile).where(StoredFile.purpose == "material")
        ).all()
    assert not stored(portal)
    good = desk.put(ticket, b"x" * 1_000)
    assert good.status_code == 200 and desk.complete(ticket).status_code == 200
    assert len(stored(portal)) == 1


def test_a_lost_connection_leaves_nothing_half_stored(
    portal: Portal, desk: Desk, tmp_path: Path
) -> None:
    """A real server, and a socket that dies in mid-body; then the same again, whole."""
    body = samples.pcm(tmp_path / "a.wav", 20).read_bytes()
    ticket = desk.start("HC-00001.wav", len(body), item(portal, desk)).get_json()
    cookie = desk.client.get_cookie("session", domain="localhost") or next(
        iter(desk.client._cookies.values())
    )
    server = make_server("127.0.0.1", 0, portal.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        head = (
            f"PUT {ticket['put_url']} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
            f"Cookie: {cookie.key}={cookie.value}\r\nContent-Length: {len(body)}\r\n"
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        with socket.create_connection(("127.0.0.1", server.port)) as line:
            line.sendall(head + body[: len(body) // 2])
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
    assert not stored(portal)
    assert desk.complete(ticket).status_code == 410
    assert desk.put(ticket, body).status_code == 200
    assert desk.complete(ticket).status_code == 200


def test_doubled_steps_have_one_effect(portal: Portal, desk: Desk, tmp_path: Path) -> None:
    """Lost answers and double clicks: start, bytes and completion may all come twice."""
    body = samples.pcm(tmp_path / "a.wav").read_bytes()
    call = item(portal, desk)
    first, second = (desk.start("HC-00001.wav", len(body), call).get_json() for _ in range(2))
    assert first == second
    assert desk.put(first, body).status_code == desk.put(first, body).status_code == 200
    done = [desk.complete(first).get_json()["delivery_id"] for _ in range(2)]
    assert done[0] == done[1]
    assert desk.put(first, body).status_code == 200
    again = desk.send("other name.wav", body, call)
    assert again["delivery_id"] == done[0] and again["message"]
    other = desk.send("HC-00002.wav", body, item(portal, desk, "HC-00002"))
    assert "HC-00001" in other["message"], "the same sound proves one call only"
    portal.work()
    with portal.session(portal.world.scope) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Delivery)) == 2
        checks = session.scalars(sa.select(JobRun).where(JobRun.task.like("materials.%"))).all()
        assert [row.state for row in checks] == ["done", "done"]
        names = session.execute(sa.select(Upload.safe_name, Upload.name_sealed)).all()
    assert len(stored(portal)) == 4 + 1, "two files, two wave forms, and the request's paper"
    assert all(b"HC-0000" not in row.name_sealed for row in names)


def test_a_killed_worker_repeats_without_double_effect(
    portal: Portal, desk: Desk, tmp_path: Path
) -> None:
    """The check runs twice when its worker died after the work: the second finds the result."""
    vendor = portal.world.vendors[0]
    desk.deliver("HC-00001.wav", samples.pcm(tmp_path / "a.wav").read_bytes())
    portal.work()
    with portal.session(Scope.vendor(vendor.id)) as session:
        delivery = session.scalars(sa.select(Delivery)).one()
        before = (delivery.peaks_key, delivery.check_result)
        run = enqueue(
            session,
            "materials.check_delivery",
            {"delivery_id": delivery.id},
            actor=vendor.actor(Role.OFFICE, portal.world.company_id),
        )
        session.commit()
    payload = {"tenant": str(vendor.id), "run": str(run), "login": "vendor"}
    args = {"args": {"delivery_id": str(delivery.id)}}
    execute(portal.database, portal.world.company_id, "materials.check_delivery", payload | args)
    with portal.session(Scope.vendor(vendor.id)) as session:
        delivery = session.scalars(sa.select(Delivery)).one()
        assert (delivery.peaks_key, delivery.check_result) == before


def test_foreign_ids_are_nothing(portal: Portal, desk: Desk, tmp_path: Path) -> None:
    """Another vendor's request, item, upload and file answer like what never was; nothing is
    written."""
    body = samples.pcm(tmp_path / "a.wav").read_bytes()
    call = item(portal, desk)
    ticket = desk.start("HC-00001.wav", len(body), call).get_json()
    sent = desk.deliver("HC-00002.wav", body)
    with portal.session(portal.world.scope) as session:
        own = add_request(session, portal.world, portal.world.vendors[1])
    other = portal.client(portal.world.vendors[1].email(Role.OFFICE))
    nothing = UUID(int=9)

    def answers_of(request_id: UUID, some_item: UUID, upload: str, delivery: str) -> list[object]:
        base = f"/requests/{request_id}"
        asked = [
            other.post(f"{base}/match", json={"files": []}),
            other.post(
                f"{base}/uploads", json={"name": "a.wav", "size": 3, "item_id": str(some_item)}
            ),
            other.put(f"{base}/uploads/{upload}", data=b"abc"),
            other.post(f"{base}/uploads/{upload}/complete", json={}),
            other.post(f"{base}/answer", data={"item": str(some_item), "reason": "not_called"}),
            other.post(f"{base}/items/{some_item}/take-back"),
            other.post(f"{base}/hand-in", data={"version": "1"}),
            other.get(f"{base}/files/{delivery}"),
            other.post(
                f"{base}/files/{delivery}/replace", data={"file": (tmp_path / "a.wav").open("rb")}
            ),
        ]
        return [(answer.status_code, len(answer.data)) for answer in asked]

    gone = str(nothing)
    theirs = answers_of(desk.request_id, call, ticket["upload_id"], sent["delivery_id"])
    assert theirs == answers_of(nothing, nothing, gone, gone)
    assert {status for status, _length in theirs} <= {404, 410}  # type: ignore[misc]
    # Through the own request, too.
    mixed = other.post(
        f"/requests/{own.id}/uploads", json={"name": "a.wav", "size": 3, "item_id": str(call)}
    )
    assert mixed.status_code == 404
    assert other.get(f"/requests/{own.id}/files/{sent['delivery_id']}").status_code == 404
    with portal.session(portal.world.scope) as session:
        tenants = set(session.scalars(sa.select(Upload.tenant_id)))
    assert tenants == {portal.world.vendors[0].id}


def test_hand_ins_at_the_same_moment(portal: Portal, desk: Desk, tmp_path: Path) -> None:
    """Two windows hand in at once: one receipt; the other is told."""
    vendor = portal.world.vendors[0]
    desk.deliver("HC-00001.wav", samples.pcm(tmp_path / "a.wav").read_bytes())
    barrier, outcomes = threading.Barrier(2), []
    actor = vendor.actor(Role.OFFICE, portal.world.company_id)

    def hand_in() -> None:
        with bound(Scope.vendor(vendor.id)), portal.database.session() as session:
            barrier.wait(10)
            try:
                answers.hand_in(session, desk.request_id, seen_version=1, actor=actor)
                session.commit()
                outcomes.append("receipt")
            except Conflict:
                outcomes.append("told")

    threads = [threading.Thread(target=hand_in) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["receipt", "told"]
    with portal.session(portal.world.scope) as session:
        assert session.scalars(sa.select(HandIn.no)).all() == [1]


def test_abandoned_uploads_are_swept(portal: Portal, desk: Desk) -> None:
    """A day later the row is given up and its bytes are gone; completing it begins anew."""
    ticket = desk.start("HC-00001.wav", 3, item(portal, desk)).get_json()
    desk.put(ticket, b"abc")
    assert len(stored(portal)) == 1
    sweep = next(
        chore
        for chore in background.chores(portal.database, portal.world.company_id)
        if chore.name == "sweep abandoned uploads"
    )
    sweep.run()
    assert len(stored(portal)) == 1
    with clock.frozen(clock.now() + uploads.ABANDONED_AFTER + timedelta(minutes=1)):
        sweep.run()
    assert not stored(portal)
    assert desk.complete(ticket).status_code == 410
    assert MOMENT
