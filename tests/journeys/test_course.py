"""After the issue, in a browser: an extension asked and granted, items and requests cancelled, a
case replaced; one's mails and calendar feed; what is kept and held. Each page in every dress."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.cases.models import Case
from portal.kernel import clock
from portal.kernel.access import Role
from portal.notifications.kinds import MailState
from portal.notifications.models import Mail
from tenants.rows import new_id
from tests.factories.materials import add_request
from tests.factories.world import VendorWorld
from tests.journeys.live import Live
from tests.journeys.people import Person
from tests.journeys.rendering import DRESSES, Dress, render_all

pytestmark = [pytest.mark.journey, pytest.mark.usefixtures("nothing_wrong")]
People = Callable[[str], Person]
REASON = "录音服务器故障,已报修"
TITLES = "案件编号,被叫号码,分机号,呼叫时间,通话时长(秒),是否接通"
CALLS = (
    "HC-00002,13800000002,8012,2026-10-30 10:00:00,61,是",
    "HC-00002,13800000002,8012,2026-10-31 10:00:00,0,否",
    "HC-00003,13800000003,8013,2026-10-30 11:00:00,95,是",
)
OMITTED = "HC-00003,13800000003,8013,2026-10-31 16:00:00,45,是"
CONNECTED = ("已接通，应交录音", "2")


@dataclass
class Course:
    """The two requests of the story."""

    first: UUID
    second: UUID


@pytest.fixture(scope="module")
def vendor(live: Live) -> VendorWorld:
    """Whose requests they are."""
    return live.portal.world.vendors[0]


@pytest.fixture(scope="module")
def course(live: Live, vendor: VendorWorld) -> Course:
    """Two call-ups, cases that ended five years ago, and mails that went well and badly."""
    world = live.portal.world
    with live.portal.session(world.scope) as session:
        first = add_request(session, world, vendor, cases=3)
        second = add_request(session, world, vendor, cases=2, first=20)
        session.execute(
            sa.update(Case)
            .where(Case.tenant_id == vendor.id, Case.case_no.in_(("HC-00020", "HC-00021")))
            .values(status="settled", closed_on=date(2021, 11, 1))
        )
        for state, reply in ((MailState.SENT, ""), (MailState.DEAD, "550 5.1.1 no such person")):
            session.add(_mail(vendor, state, reply))
        session.commit()
    return Course(first.id, second.id)


def _mail(vendor: VendorWorld, state: MailState, reply: str) -> Mail:
    made = new_id()
    return Mail(
        tenant_id=vendor.id,
        id=made,
        order_id=new_id(),
        account_id=vendor.people[Role.OFFICE][0],
        kind="work",
        address=vendor.email(Role.OFFICE),
        subject="[委外监督平台] 调取通知 DQ-HC-2026-0001:3 个案",
        text="",
        html="",
        message_id=f"<{made}@example.com>",
        state=state,
        attempts=1,
        created_at=clock.now(),
        next_at=clock.now(),
        reply=reply,
    )


class TestCourse:
    """The steps, in order."""

    def test_1_an_extension_is_asked_and_granted(
        self, live: Live, person: People, vendor: VendorWorld, course: Course
    ) -> None:
        office = person(vendor.email(Role.OFFICE))
        office.open(f"/requests/{course.first}", "request-before")
        box = office.page.locator("#extension")
        box.locator("summary").click()
        box.locator("input[type=date]").fill(f"{clock.today() + timedelta(days=5):%Y-%m-%d}")
        box.locator("textarea").fill(REASON)
        office.press("#extension form button")
        office.look("request-weekend")
        assert "不是工作日" in office.text()
        assert office.page.locator("#extension textarea").input_value() == REASON
        office.page.locator("#extension input[type=date]").fill(
            f"{clock.today() + timedelta(days=3):%Y-%m-%d}"
        )
        office.press("#extension form button")
        assert "尚" in office.text() or "审批" in office.text()
        office.look("request-asked")
        auditor = person(live.portal.world.email(Role.AUDITOR))
        auditor.open(f"/requests/{course.first}", "request-to-decide")
        auditor.page.locator("#extension textarea").fill("故障属实,准予延期")
        auditor.press("#extension button[value=grant]")
        assert "准予延期" in auditor.text()
        office.open(f"/requests/{course.first}", "request-granted")
        assert "故障属实,准予延期" in office.text()

    def test_2_items_and_requests_are_cancelled(
        self, live: Live, person: People, vendor: VendorWorld, course: Course
    ) -> None:
        auditor = person(live.portal.world.email(Role.AUDITOR))
        auditor.open(f"/requests/{course.first}")
        auditor.page.locator("#items input[type=checkbox]").first.check()
        auditor.page.locator("#decide-form textarea").fill("该案已撤案")
        auditor.press("#decide-form button[formaction]")
        auditor.look("request-item-cancelled")
        assert "已撤销" in auditor.text()
        auditor.open(f"/requests/{course.second}")
        change = auditor.page.locator("#change")
        change.locator("summary").last.click()
        change.locator("textarea:visible").fill("下发有误")
        auditor.press("#change form[action$='/cancel'] button")
        auditor.look("request-cancelled")
        office = person(vendor.email(Role.OFFICE))
        office.open(f"/requests/{course.second}", "request-cancelled-vendor")
        assert "下发有误" in office.text()

    @pytest.mark.usefixtures("course")
    def test_3_mails_and_feeds(self, live: Live, person: People, vendor: VendorWorld) -> None:
        office = person(vendor.email(Role.OFFICE))
        office.open("/account", "account")
        office.press("#feed form button")
        office.look("account-feed")
        address = office.page.locator("#feed-address").input_value()
        assert office.status_of(address[address.index("/calendar/") :]) == 200
        admin = person(live.portal.world.email(Role.ADMINISTRATOR))
        admin.open("/mails", "mails")
        assert "550 5.1.1" in admin.text() and "SMTP_URL" in admin.text()
        admin.open("/accounts/")
        admin.press("tbody th a")
        admin.look("people-person")

    def test_4_the_diallers_list_becomes_calls(
        self, live: Live, person: People, vendor: VendorWorld, course: Course, tmp_path: Path
    ) -> None:
        """Imported with the delivery: followed until it is taken; good rows are calls, wrong
        ones are named; the company sees what the vendor's list lacks."""
        office = person(vendor.email(Role.OFFICE))
        place = f"/requests/{course.first}/calls"
        office.open(place, "calls-none")
        self._import(office, tmp_path / "话单.csv", (*CALLS, "HC-00003,呵呵,8012,2026-10-30,1,是"))
        assert office.page.locator(".cards").inner_text().split() == ["话单通话数", "3", *CONNECTED]
        assert "B5" in office.page.locator("details.why tbody").inner_text()
        office.look("calls")
        first = office.page.locator("tbody tr").first
        assert "8012" in first.inner_text() and "缺" in first.locator(".chip").inner_text()
        auditor = person(live.portal.world.email(Role.AUDITOR))
        auditor.open(place)
        self._import(auditor, tmp_path / "外呼.csv", (*CALLS, OMITTED))
        assert auditor.page.locator("tbody .chip", has_text="供应商话单").count() == 1
        auditor.look("calls-company")
        office.open(place)
        assert "供应商话单" not in office.text()
        office.open(f"/requests/{course.first}?show=missing")
        assert office.page.locator("#items time").count() == 3
        auditor.open("/requests/new", "request-new")

    def _import(self, who: Person, path: Path, rows: Sequence[str]) -> None:
        """Import a list, and follow it without a reload of one's own."""
        path.write_bytes("\n".join((TITLES, *rows)).encode("gb18030"))
        taken = who.page.locator("td .chip", has_text="已入库").count()
        who.page.set_input_files("#file", path)
        who.press("#import form button")
        who.until(f"td .chip:has-text('已入库') >> nth={taken}")

    @pytest.mark.usefixtures("course")
    def test_5_what_is_kept_and_held(self, live: Live, person: People) -> None:
        head = person(live.portal.world.email(Role.AUDIT_HEAD))
        head.open("/retention")
        head.page.locator("#holds select[name=vendor]").select_option(index=1)
        head.page.locator("#holds input[name=number]").fill("HC-00020")
        head.page.locator("#holds textarea[name=reason]").fill("客户起诉")
        head.press("#holds form button.btn-primary")
        head.look("retention")
        assert "客户起诉" in head.text()
        admin = person(live.portal.world.email(Role.ADMINISTRATOR))
        admin.open("/schemes/retention", "scheme-retention")
        admin.open("/retention", "retention-admin")
        admin.confirm(f"/retention/delete/{live.portal.world.vendors[0].id}")
        admin.until("td:has-text('清除'), .chip:has-text('已完成')")
        admin.open("/retention", "retention-deleted")

    @pytest.mark.parametrize("dress", DRESSES, ids=str)
    def test_6_every_page_in_every_dress(
        self, pages: list[tuple[Person, list[str]]], dress: Dress
    ) -> None:
        found = render_all(pages, dress)
        assert not found, "\n".join(found)
