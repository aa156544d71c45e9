"""A vendor manager and a vendor at the pages of rectification notices."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from PIL import Image

from portal.kernel import clock
from portal.kernel.access import Role
from portal.rectification.models import Rectification
from tenants.rows import new_id
from tests.conftest import Portal

FRIDAY = datetime(2026, 11, 6, 2, 0, tzinfo=UTC)
"""Friday 6 November 2026, 10:00 in Beijing: a weekend lies ahead."""
DUE = clock.at_beijing(date(2026, 11, 11), 18)
"""Ordinary, three working days: Monday, Tuesday, Wednesday; close of business."""
TEXTS = {
    "cause": "组长未复核催收记录。",
    "correction": "已逐条补录并重新培训。",
    "prevention": "每日抽查并留痕。",
    "person_treatment": "停岗培训两日。",
    "done_on": "2026-11-06",
}


def png() -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "navy").save(out, "PNG")
    return out.getvalue()


def download(client: FlaskClient, path: str) -> bytes:
    """A file of the portal."""
    answer = client.get(path)
    try:
        return bytes(answer.data)
    finally:
        answer.close()


@dataclass
class Desk:
    """A portal with both sides signed in."""

    portal: Portal
    company: FlaskClient
    vendor: FlaskClient

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        """Both sides sign in anew at another moment (sessions expire meanwhile)."""
        before = self.company, self.vendor
        with clock.frozen(moment):
            world = self.portal.world
            self.company = self.portal.client(world.email(Role.VENDOR_MANAGER))
            self.vendor = self.portal.client(world.vendors[0].email(Role.MANAGER))
            yield
        self.company, self.vendor = before

    @property
    def vendor_id(self) -> UUID:
        return self.portal.world.vendors[0].id

    def draft(self, **changes: Any) -> UUID:
        """Write a draft through the form; returns its id."""
        draft_id = new_id()
        values = {
            "draft_id": str(draft_id),
            "vendor": str(self.vendor_id),
            "source": "audit",
            "source_reference": "JH-HC-2026-0001",
            "level": "ordinary",
            "title": "催收记录不完整",
            "facts": "抽查十件个案，三件催收记录缺要素。",
            "grounds": "《不规范催收处罚条例》第102条",
            "demands": "1、补录三件个案的催收记录\n2. 对相关人员重新培训\n\n",
            "consequence": "逾期未整改的，按第605条处理。",
            "working_days": "",
            **changes,
        }
        answer = self.company.post("/rectifications/new", data=values)
        assert answer.status_code == 302, answer.text
        return draft_id

    def row(self, notice_id: UUID) -> Rectification:
        with self.portal.session(self.portal.world.scope) as session:
            return session.scalars(
                sa.select(Rectification).where(Rectification.id == notice_id)
            ).one()

    def act(self, notice_id: UUID, verb: str, **data: Any) -> Any:
        """A company act on the present state."""
        data.setdefault("version", self.row(notice_id).version)
        return self.company.post(f"/rectifications/{notice_id}/{verb}", data=data)

    def issued(self, **changes: Any) -> UUID:
        notice_id = self.draft(**changes)
        if self.grade(notice_id, "refuse", "已另案处理。").status_code not in (302, 409):
            raise AssertionError("the repetition could not be decided")
        assert self.act(notice_id, "issue").status_code == 302
        return notice_id

    def grade(self, notice_id: UUID, decision: str, reason: str) -> Any:
        """Decide on a repetition; 409 when there is none."""
        return self.company.post(
            f"/rectifications/{notice_id}/repetition",
            data={
                "decision": decision,
                "repetition-version": self.row(notice_id).version,
                "repetition-reason": reason,
            },
        )

    def answer(self, notice_id: UUID, act: str, **changes: Any) -> Any:
        """The vendor's form on the present draft."""
        page = self.vendor.get(f"/rectifications/{notice_id}").text
        found = re.search(r'name="version" type="hidden" value="(\d+)"', page)
        version = found.group(1) if found else "0"
        return self.vendor.post(
            f"/rectifications/{notice_id}/answer",
            data={"version": version, "act": act, **TEXTS, **changes},
            content_type="multipart/form-data",
        )


@pytest.fixture
def desk(portal: Portal) -> Desk:
    with clock.frozen(FRIDAY):
        world = portal.world
        return Desk(
            portal,
            portal.client(world.email(Role.VENDOR_MANAGER)),
            portal.client(world.vendors[0].email(Role.MANAGER)),
        )


@pytest.fixture(autouse=True)
def friday() -> Any:
    with clock.frozen(FRIDAY):
        yield
