"""Uploads to a real S3 store (SeaweedFS): parts go to the store, and what it refuses is refused."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import botocore.auth
import pytest
import sqlalchemy as sa
from botocore.exceptions import EndpointConnectionError

from devserver.postgres import Cluster
from portal.files.models import StoredFile
from portal.files.parts import LEAST_PART, part_of
from portal.files.service import storage
from portal.kernel import clock
from portal.kernel.access import Role
from portal.materials import abandoned, answers
from portal.materials.models import Delivery, RequestItem, Upload
from tenants.scope import Scope
from tests.conftest import Portal, Template, running_portal
from tests.factories.materials import CALL, Desk, add_request
from tests.files import samples, weed


@pytest.fixture(scope="module")
def portal(
    cluster: Cluster, template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Portal]:
    """A portal that keeps its files in SeaweedFS."""
    folder = tmp_path_factory.mktemp("portal")
    with weed.server() as store, running_portal(cluster, template, folder, **vars(store)) as made:
        made.app.config["WTF_CSRF_ENABLED"] = False
        yield made


@pytest.fixture
def desk(portal: Portal) -> Desk:
    """The first vendor's office at the desk of a new call-up on three cases."""
    with portal.session(portal.world.scope) as session:
        first = (session.scalar(sa.text("select count(*) from cases")) or 0) + 1
        made = add_request(session, portal.world, portal.world.vendors[0], first=int(first))
    return Desk(portal.client(portal.world.vendors[0].email(Role.OFFICE)), made.id)


def call_of(portal: Portal, desk: Desk) -> UUID:
    with portal.session(portal.world.scope) as session:
        found = session.scalars(
            sa.select(RequestItem.id).where(
                RequestItem.request_id == desk.request_id, RequestItem.kind == CALL
            )
        ).first()
    assert found is not None
    return found


def deliveries(portal: Portal, desk: Desk) -> list[tuple[str, str, str]]:
    """(state, SHA-256 of the delivery, of the file), in order of delivery."""
    with portal.session(portal.world.scope) as session:
        rows = session.execute(
            sa.select(Delivery.state, Delivery.sha256, StoredFile.sha256)
            .join(StoredFile, StoredFile.id == Delivery.file_id)
            .where(Delivery.request_id == desk.request_id)
            .order_by(Delivery.id)
        )
        return [(row[0], row[1], row[2]) for row in rows]


def test_the_hash_follows_and_the_same_bytes_count_once(
    portal: Portal, desk: Desk, tmp_path: Path
) -> None:
    """The store does not tell the SHA-256: the check sets it, once; a second copy is put aside."""
    call, body = call_of(portal, desk), samples.pcm(tmp_path / "a.wav").read_bytes()
    ticket = desk.start("a.wav", len(body), call)
    assert ticket["addresses"]["1"].startswith(storage().origin), "not through the portal"
    desk.send("a.wav", body, call)
    desk.send("b.wav", body, call)
    assert [row[1] for row in deliveries(portal, desk)] == ["", ""]
    portal.work()
    whole = sha256(body).hexdigest()
    assert deliveries(portal, desk) == [
        ("current", whole, whole),
        ("replaced", whole, whole),
    ]
    vendor = portal.world.vendors[0]
    with (
        portal.session(Scope.vendor(vendor.id)) as session,
        pytest.raises(sa.exc.IntegrityError),
    ):
        session.execute(sa.update(Delivery).values(sha256="0" * 64))


def test_a_hand_in_does_not_wait_for_the_checks(portal: Portal, desk: Desk, tmp_path: Path) -> None:
    """The receipt names each file with its SHA-256, read now if nobody read it before."""
    body = samples.pcm(tmp_path / "a.wav", 3).read_bytes()
    desk.send("a.wav", body, call_of(portal, desk))
    vendor = portal.world.vendors[0]
    actor = vendor.actor(Role.OFFICE, portal.world.company_id)
    with portal.session(Scope.vendor(vendor.id)) as session:
        answers.hand_in(session, desk.request_id, seen_version=1, actor=actor)
        session.commit()
    assert deliveries(portal, desk)[0][1] == sha256(body).hexdigest()


def test_parts_meet_their_own_address_only(portal: Portal, desk: Desk) -> None:
    """Another part, length, tenant, signature or time: refused by the store, nothing is kept."""
    body = random.Random(7).randbytes(LEAST_PART + 100)
    ticket = desk.start("long.wav", len(body), call_of(portal, desk))
    address = ticket["addresses"]["2"]
    last = body[LEAST_PART:]
    query = parse_qs(urlsplit(address).query)
    sign = query["X-Amz-Signature"][0]
    assert "content-length" in query["X-Amz-SignedHeaders"][0]
    other = portal.world.vendors[1].id
    for wrong, data in (
        (address, last + b"x"),
        (address, last[:-1]),
        (address.replace("partNumber=2", "partNumber=1"), last),
        (address.replace(sign, sign[:-1] + ("0" if sign[-1] != "0" else "1")), last),
        (address.replace(str(portal.world.vendors[0].id), str(other)), last),
        (address.replace("X-Amz-Expires=3600", "X-Amz-Expires=360000"), last),
    ):
        answer = desk.put_part(wrong, data)
        assert answer.status_code in (400, 403), (wrong, answer.status_code)
    again = desk.start("long.wav", len(body), call_of(portal, desk))
    assert again["upload_id"] == ticket["upload_id"] and again["received"] == []
    assert desk.put_part(address, last).status_code == 200
    assert desk.complete(ticket)["missing"] == [1]
    again = desk.start("long.wav", len(body), call_of(portal, desk))
    assert again["received"] == [2] and list(again["addresses"]) == ["1"]
    assert desk.put(again, body[:LEAST_PART]).status_code == 200
    assert "status" not in desk.complete(ticket)
    assert "status" not in desk.complete(ticket), "completed twice is as good as once"


def test_an_address_is_over_when_its_time_is(
    portal: Portal, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rightly signed, two hours ago: the store refuses it; one signed now for the same upload goes
    on. Nor is one taken once the upload is complete, or for another upload's file."""
    call, signed = call_of(portal, desk), botocore.auth.get_current_datetime
    ticket = desk.start("old.wav", 3, call)
    with portal.session(portal.world.scope) as session:
        upload = session.get_one(Upload, (portal.world.vendors[0].id, UUID(ticket["upload_id"])))
        key, reference = upload.storage_key or "", upload.store_reference
    monkeypatch.setattr(
        botocore.auth, "get_current_datetime", lambda *how: signed(*how) - timedelta(hours=2)
    )
    old = storage().part_address(key, reference, 3, part_of(3, 1))
    monkeypatch.undo()
    refused = desk.put_part(old, b"abc")
    assert refused.status_code == 403 and "expired" in refused.text, refused.text
    ticket = desk.start("old.wav", 3, call)
    assert ticket["received"] == []
    right = ticket["addresses"]["1"]
    other = desk.start("other.wav", 3, call)["addresses"]["1"]
    elsewhere = other.replace(urlsplit(other).path, urlsplit(right).path)
    assert desk.put_part(elsewhere, b"abc").status_code == 403
    assert desk.put_part(right, b"abc").status_code == 200
    done = desk.complete(ticket)
    assert desk.put_part(right, b"xyz").status_code == 404
    assert (
        desk.client.get(f"/requests/{desk.request_id}/files/{done['delivery_id']}").data == b"abc"
    )


def test_given_up_uploads_leave_nothing(portal: Portal, desk: Desk) -> None:
    """Cancelled, and abandoned for two days: the store forgets their parts."""
    call = call_of(portal, desk)
    before = {one.key for one in storage().unfinished()}
    first, second = desk.start("c.wav", 3, call), desk.start("d.wav", 3, call)
    for ticket in (first, second):
        desk.put(ticket, b"abc")
    assert len({one.key for one in storage().unfinished()} - before) == 2
    assert desk.client.delete(first["url"]).status_code == 204
    with (
        clock.frozen(clock.now() + timedelta(days=2)),
        portal.session(portal.world.scope) as session,
    ):
        actor = portal.world.actor(Role.AUDITOR)
        given_up = abandoned.sweep(session, actor=actor)
        session.commit()
        abandoned.forget(given_up)
    assert not {one.key for one in storage().unfinished()} - before


def test_a_range_of_a_file_in_the_store(portal: Portal, desk: Desk, tmp_path: Path) -> None:
    """A download goes through the portal as an attachment, whole or a part of it."""
    body = samples.pcm(tmp_path / "a.wav", 5).read_bytes()
    done = desk.send("e.wav", body, call_of(portal, desk))
    path = f"/requests/{desk.request_id}/files/{done['delivery_id']}"
    whole = desk.client.get(path)
    assert whole.data == body
    assert whole.headers["Content-Disposition"].startswith("attachment")
    part = desk.client.get(path, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.data) == (206, body[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(body)}"


def test_a_store_that_is_down_is_said(
    portal: Portal, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with what to do, and no row of an upload that could never be sent."""
    call = call_of(portal, desk)

    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", _down)
    answer = desk.start("f.wav", 3, call)
    assert answer["status"] == 503 and answer["mend"]
    monkeypatch.undo()
    assert "status" not in desk.start("f.wav", 3, call)


def _down(*_: object, **__: object) -> None:
    raise EndpointConnectionError(endpoint_url="the store")
