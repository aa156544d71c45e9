"""Material requests for tests: cases, a request on them, and a browser that delivers files."""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask.testing import FlaskClient

from portal.kernel.access import Role
from portal.materials import service
from portal.materials.models import MaterialRequest
from portal.materials.rules import Wanted
from portal.materials.scheme import wanted_by_default
from tenants.database import ScopedSession
from tests.factories.cases import add_cases
from tests.factories.world import MOMENT, VendorWorld, World

RECORD, CALL, VISIT = "collection_record", "call_recording", "visit_recording"


def draw_facts(cases: int) -> dict[str, Any]:
    """What a vendor is told of its own share of a draw."""
    return {
        "method": "hmac-drbg-sha256/1",
        "drawn_at": MOMENT.isoformat(),
        "population": 1_000,
        "quota": cases,
        "population_hash": sha256(b"population").hexdigest(),
        "seed": sha256(b"seed").hexdigest(),
    }


def add_request(
    session: ScopedSession,
    world: World,
    vendor: VendorWorld,
    *,
    cases: int = 3,
    first: int = 1,
    draw_id: UUID | None = None,
    wanted: Sequence[Wanted] | None = None,
) -> MaterialRequest:
    """New cases of a vendor and a request on them (company scope, committed): a draw's when
    `draw_id` is given, else a call-up."""
    case_ids = add_cases(session, world, vendor, cases, first=first)
    made = service.issue_request(
        session,
        tenant_id=vendor.id,
        manner="draw" if draw_id else "ad_hoc",
        draw_id=draw_id,
        reason="" if draw_id else "客户来电反映催收不当,核查通话。",
        period="2026-11",
        draw_facts=draw_facts(cases) if draw_id else {},
        wanted=wanted or wanted_by_default(session, MOMENT.date()),
        case_ids=case_ids,
        actor=world.actor(Role.AUDITOR),
    )
    session.commit()
    return made


@dataclass
class Desk:
    """The upload desk's three steps, as the browser's script takes them."""

    client: FlaskClient
    request_id: UUID

    def match(self, *files: tuple[str, int], listed: Sequence[tuple[str, int]] = ()) -> list[Any]:
        """Where files of these paths and sizes would go."""
        answer = self.client.post(
            f"/requests/{self.request_id}/match",
            json={"files": _described(files), "listed": _described(listed)},
        )
        assert answer.status_code == 200, answer.text
        found: list[Any] = answer.get_json()["files"]
        return found

    def start(self, name: str, size: int, item_id: object, modified: int | None = None) -> Any:
        """The answer for one file that is announced: its ticket, or a refusal with `status`."""
        (answer,) = self.start_all([(name, size, item_id)], modified)
        return answer

    def start_all(
        self, files: Sequence[tuple[str, int, object]], modified: int | None = None
    ) -> list[Any]:
        """The answers for files announced together."""
        told = [
            {
                "key": f"f{number}",
                "name": name,
                "path": name,
                "size": size,
                "item_id": str(item_id),
                "modified": modified,
            }
            for number, (name, size, item_id) in enumerate(files)
        ]
        answer = self.client.post(f"/requests/{self.request_id}/uploads", json={"files": told})
        assert answer.status_code == 200, answer.text
        found: list[Any] = answer.get_json()["files"]
        return found

    def put_part(self, address: str, body: bytes) -> Any:
        """The answer to a part's bytes, from the portal or from the store."""
        if address.startswith("/"):
            return self.client.put(address, data=body, content_type="application/octet-stream")
        return _put_there(address, body)

    def put(self, ticket: dict[str, Any], body: bytes) -> Any:
        """The answer to the last part; every part that is missing is sent."""
        size, answer = ticket["part_size"], None
        for number, address in ticket["addresses"].items():
            part = body[(int(number) - 1) * size : int(number) * size]
            answer = self.put_part(address, part)
            if answer.status_code != 200:
                break
        return answer

    def complete(self, ticket: dict[str, Any]) -> Any:
        """The answer for one completed file; a refusal has `status`."""
        (answer,) = self.complete_all([ticket])
        return answer

    def complete_all(self, tickets: Sequence[dict[str, Any]]) -> list[Any]:
        """The answers for files completed together."""
        answer = self.client.post(
            f"/requests/{self.request_id}/uploads/complete",
            json={"uploads": [ticket["upload_id"] for ticket in tickets]},
        )
        assert answer.status_code == 200, answer.text
        found: list[Any] = answer.get_json()["files"]
        return found

    def send(self, name: str, body: bytes, item_id: object) -> dict[str, Any]:
        """A whole upload; returns the completion's answer."""
        ticket = self.start(name, len(body), item_id)
        assert "status" not in ticket, ticket
        sent = self.put(ticket, body)
        assert sent is None or sent.status_code == 200, sent.text
        done: dict[str, Any] = self.complete(ticket)
        assert "status" not in done, done
        return done

    def deliver(self, name: str, body: bytes) -> dict[str, Any]:
        """Match by name, then send: what a person does who drops a file."""
        (found,) = self.match((name, len(body)))
        assert found["status"] == "matched", found
        return self.send(name.rsplit("/", 1)[-1], body, found["item_id"])


@dataclass(frozen=True)
class Answered:
    """What a store answered."""

    status_code: int
    text: str


def _put_there(address: str, body: bytes) -> Answered:
    """PUT to a store on this machine."""
    place = urlsplit(address)
    assert place.hostname is not None
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
    try:
        connection.request("PUT", f"{place.path}?{place.query}", body)
        answer = connection.getresponse()
        return Answered(answer.status, answer.read().decode())
    finally:
        connection.close()


def _described(files: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    return [
        {"key": f"f{number}", "name": path.rsplit("/", 1)[-1], "path": path, "size": size}
        for number, (path, size) in enumerate(files)
    ]
