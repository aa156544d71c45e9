"""Uploads under bad conditions: broken off, doubled, refused, foreign, at the same moment."""

from __future__ import annotations

import random
import socket
import threading
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from werkzeug.serving import make_server

from portal.app import background
from portal.files.models import StoredFile
from portal.files.parts import LEAST_PART
from portal.files.service import storage
from portal.jobs.models import JobRun
from portal.jobs.service import enqueue, execute
from portal.kernel import clock
from portal.kernel.access import Role
from portal.kernel.errors import Conflict
from portal.materials import abandoned, answers
from portal.materials.models import Delivery, HandIn, RequestItem, Upload
from tenants.scope import Scope, bound
from tests.conftest import Portal
from tests.factories.materials import CALL, RECORD, Desk, add_request
from tests.files import samples

JSON = {"Accept": "application/json"}


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


def stored(portal: Portal) -> list[str]:
    """Keys of the files that are whole."""
    return [key for key, _moment in storage().keys()]  # noqa: SIM118 - not a dictionary


def on_the_way(portal: Portal) -> set[str]:
    """Keys of the files that the store holds parts of."""
    return {one.key for one in storage().unfinished()}


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
        assert refused["status"] == 422 and refused["mend"]
    ticket = desk.start("HC-00001.wav", 1_000, call)
    wrong = desk.put_part(ticket["addresses"]["1"], b"x" * 999)
    assert wrong.status_code == 400 and wrong.get_json()["code"] == "length"
    lacking = desk.complete(ticket)
    assert (lacking["status"], lacking["missing"]) == (409, [1])
    with portal.session(portal.world.scope) as session:
        assert not session.scalars(sa.select(Delivery)).all()
        assert not session.scalars(
            sa.select(StoredFile).where(StoredFile.purpose == "material")
        ).all()
    assert not stored(portal)
    assert desk.put(ticket, b"x" * 1_000).status_code == 200
    assert "status" not in desk.complete(ticket)
    assert len(stored(portal)) == 1 and not on_the_way(portal)


def test_a_lost_connection_leaves_nothing_half_stored(
    portal: Portal, desk: Desk, tmp_path: Path
) -> None:
    """A real server, and a socket that dies in mid-part; then the same again, whole."""
    body = samples.pcm(tmp_path / "a.wav", 20).read_bytes()
    ticket = desk.start("HC-00001.wav", len(body), item(portal, desk))
    server = make_server("127.0.0.1", 0, portal.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        head = (
            f"PUT {ticket['addresses']['1']} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode()
        with socket.create_connection(("127.0.0.1", server.port)) as line:
            line.sendall(head + body[: len(body) // 2])
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
    assert not stored(portal)
    assert desk.complete(ticket)["missing"] == [1]
    assert desk.put(ticket, body).status_code == 200
    assert "status" not in desk.complete(ticket)
    (key,) = stored(portal)
    with storage().open(key) as kept:
        assert kept.read() == body


def test_an_upload_goes_on_where_it_broke_off(portal: Portal, desk: Desk) -> None:
    """UX 5: chosen again, the file lacks only the parts that did not come; one that was changed
    since begins anew, so that parts of two files never meet."""
    body = random.Random(3).randbytes(2 * LEAST_PART + 5)
    call = item(portal, desk)
    first = desk.start("HC-00001.wav", len(body), call, modified=1)
    assert (first["parts"], first["received"]) == (3, [])
    for number in (2, 3):
        part = body[(number - 1) * LEAST_PART : number * LEAST_PART]
        assert desk.put_part(first["addresses"][str(number)], part).status_code == 200
    again = desk.start("HC-00001.wav", len(body), call, modified=1)
    assert again["upload_id"] == first["upload_id"] and again["received"] == [2, 3]
    assert list(again["addresses"]) == ["1"]
    listed = desk.client.get(again["url"])
    assert listed.mimetype == "application/xml" and listed.text.count("<PartNumber>") == 2
    changed = desk.start("HC-00001.wav", len(body), call, modified=2)
    assert changed["upload_id"] != first["upload_id"] and changed["received"] == []
    assert desk.complete(first)["status"] == 410
    fresh = desk.client.post(f"{changed['url']}/addresses", json={"parts": [2]}).get_json()
    assert list(fresh["addresses"]) == ["2"]
    assert desk.put(changed, body).status_code == 200
    assert desk.client.post(changed["url"], data="<x/>").status_code == 200
    with portal.session(portal.world.scope) as session:
        assert session.scalars(sa.select(Delivery.sha256)).all() == [sha256(body).hexdigest()]
    assert desk.complete(changed)["delivery_id"], "asked again, the answer is the same"


@pytest.mark.parametrize("step", [timedelta(minutes=-40), timedelta(hours=6)], ids=["back", "on"])
def test_a_clock_that_steps_loses_nothing(portal: Portal, desk: Desk, step: timedelta) -> None:
    """Addresses signed by the other time are refused in words, those signed now are taken;
    what was received stays."""
    body, call = random.Random(4).randbytes(LEAST_PART + 5), item(portal, desk)
    first = desk.start("HC-00001.wav", len(body), call)
    assert desk.put_part(first["addresses"]["2"], body[LEAST_PART:]).status_code == 200
    with clock.frozen(clock.now() + step):
        refused = desk.put_part(first["addresses"]["1"], body[:LEAST_PART])
        assert (refused.status_code, refused.get_json()["code"]) == (403, "expired")
        assert refused.get_json()["error"]
        desk = Desk(portal.client(portal.world.vendors[0].email(Role.OFFICE)), desk.request_id)
        again = desk.start("HC-00001.wav", len(body), call)
        assert again["upload_id"] == first["upload_id"] and again["received"] == [2]
        assert desk.put(again, body).status_code == 200
        assert "status" not in desk.complete(again)
    with portal.session(portal.world.scope) as session:
        assert session.scalars(sa.select(Delivery.sha256)).all() == [sha256(body).hexdigest()]


def test_a_cancelled_upload_is_gone(portal: Portal, desk: Desk) -> None:
    """Its parts are removed; cancelled twice is as good as once; a delivered file stays."""
    call = item(portal, desk)
    ticket = desk.start("HC-00001.wav", 3, call)
    desk.put(ticket, b"abc")
    assert len(on_the_way(portal)) == 1
    assert [desk.client.delete(ticket["url"]).status_code for _ in range(2)] == [204, 204]
    assert not on_the_way(portal) and desk.complete(ticket)["status"] == 410
    other = desk.start("HC-00001.wav", 3, call)
    desk.put(other, b"abc")
    assert "status" not in desk.complete(other)
    assert desk.client.delete(other["url"]).status_code == 204
    assert len(stored(portal)) == 1


def test_the_hand_in_says_what_is_still_on_its_way(portal: Portal, desk: Desk) -> None:
    """On the page and in the part of it that is read anew while files arrive."""
    call, page = item(portal, desk), f"/requests/{desk.request_id}"
    here = desk.start("HC-00001.wav", 3, call)
    desk.put(here, b"abc")
    desk.complete(here)
    ticket = desk.start("HC-00001_2.wav", 4, call)
    for goes, shown in ((True, 1), (False, 0)):
        if not goes:
            desk.client.delete(ticket["url"])
        whole = desk.client.get(page).text
        part = desk.client.get(f"{page}/items", headers={"HX-Request": "true"}).text
        assert [text.count("不计入本次提交") for text in (whole, part)] == [shown] * 2


def test_doubled_steps_have_one_effect(portal: Portal, desk: Desk, tmp_path: Path) -> None:
    """Lost answers and double clicks: start, bytes and completion may all come twice."""
    body = samples.pcm(tmp_path / "a.wav").read_bytes()
    call = item(portal, desk)
    first, second = (desk.start("HC-00001.wav", len(body), call) for _ in range(2))
    assert first["upload_id"] == second["upload_id"]
    assert desk.put(first, body).status_code == desk.put(first, body).status_code == 200
    done = [desk.complete(first)["delivery_id"] for _ in range(2)]
    assert done[0] == done[1]
    late = desk.put(first, b"x" * len(body))
    assert late.status_code == 410, "what is delivered takes no more parts"
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
    ticket = desk.start("HC-00001.wav", len(body), call)
    sent = desk.deliver("HC-00002.wav", body)
    with portal.session(portal.world.scope) as session:
        own = add_request(session, portal.world, portal.world.vendors[1])
    other = portal.client(portal.world.vendors[1].email(Role.OFFICE))
    nothing = UUID(int=9)

    def announced(some_item: UUID) -> dict[str, object]:
        return {"name": "a.wav", "size": 3, "item_id": str(some_item)}

    def answers_of(
        request_id: UUID, some_item: UUID, upload: str, delivery: str
    ) -> list[tuple[int, int]]:
        base = f"/requests/{request_id}"
        asked = [
            other.post(f"{base}/match", json={"files": []}),
            other.post(f"{base}/uploads", json={"files": [announced(some_item)]}),
            other.get(f"{base}/uploads/{upload}", headers=JSON),
            other.post(f"{base}/uploads/{upload}", headers=JSON),
            other.delete(f"{base}/uploads/{upload}", headers=JSON),
            other.post(f"{base}/uploads/{upload}/addresses", json={"parts": [1]}),
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
    assert {status for status, _length in theirs} <= {404, 410}
    # Through the own request, too.
    mixed = other.post(f"/requests/{own.id}/uploads", json={"files": [announced(call)]})
    assert [one["status"] for one in mixed.get_json()["files"]] == [404]
    foreign = {"uploads": [ticket["upload_id"], gone]}
    ended = other.post(f"/requests/{own.id}/uploads/complete", json=foreign).get_json()["files"]
    assert ended[0] | {"upload_id": gone} == ended[1]
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
    ticket = desk.start("HC-00001.wav", 3, item(portal, desk))
    desk.put(ticket, b"abc")
    assert len(on_the_way(portal)) == 1
    sweep = next(
        chore
        for chore in background.chores(portal.database, portal.world.company_id)
        if chore.name == "sweep abandoned uploads"
    )
    sweep.run()
    assert len(on_the_way(portal)) == 1
    with clock.frozen(clock.now() + abandoned.ABANDONED_AFTER + timedelta(minutes=1)):
        sweep.run()
    assert not on_the_way(portal)
    assert desk.complete(ticket)["status"] == 410
