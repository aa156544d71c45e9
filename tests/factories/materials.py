"""Material requests for tests: cases, a request on them, and a browser that delivers files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
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

    def start(self, name: str, size: int, item_id: object) -> Any:
        """The answer to a start."""
        return self.client.post(
            f"/requests/{self.request_id}/uploads",
            json={"name": name, "path": name, "size": size, "item_id": str(item_id)},
        )

    def put(self, ticket: dict[str, Any], body: bytes, **extra: Any) -> Any:
        """The answer to the bytes."""
        return self.client.put(
            ticket["put_url"], data=body, headers=ticket.get("headers", {}), **extra
        )

    def complete(self, ticket: dict[str, Any]) -> Any:
        """The answer to a completion."""
        return self.client.post(ticket["complete_url"], json={"upload_id": ticket["upload_id"]})

    def send(self, name: str, body: bytes, item_id: object) -> dict[str, Any]:
        """A whole upload; returns the completion's answer."""
        started = self.start(name, len(body), item_id)
        assert started.status_code == 200, started.text
        ticket = started.get_json()
        sent = self.put(ticket, body)
        assert sent.status_code == 200, sent.text
        done = self.complete(ticket)
        assert done.status_code == 200, done.text
        answer: dict[str, Any] = json.loads(done.text)
        return answer

    def deliver(self, name: str, body: bytes) -> dict[str, Any]:
        """Match by name, then send: what a person does who drops a file."""
        (found,) = self.match((name, len(body)))
        assert found["status"] == "matched", found
        return self.send(name.rsplit("/", 1)[-1], body, found["item_id"])


def _described(files: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    return [
        {"key": f"f{number}", "name": path.rsplit("/", 1)[-1], "path": path, "size": size}
        for number, (path, size) in enumerate(files)
    ]
