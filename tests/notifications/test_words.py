"""A message keeps its days and moments as such, and each reader's calendar writes them."""

from __future__ import annotations

from datetime import date, datetime

import pytest
import sqlalchemy as sa
from flask_babel import force_locale

from portal.kernel.access import Role
from portal.kernel.clock import BEIJING
from portal.kernel.phrases import When, phrase, plural
from portal.notifications.models import Notification
from portal.notifications.service import notify, text_of
from tests.conftest import Portal

MOMENT = datetime(2026, 11, 5, 18, 0, tzinfo=BEIJING)


@pytest.mark.parametrize(
    ("value", "locale", "shown"),
    [
        (When(MOMENT), "en", "Soon due: DQ-1, Thu 5 Nov 2026 18:00."),
        (When(MOMENT), "zh_Hans_CN", "2026年11月5日 周四 18:00"),
        (When(MOMENT), "zh_Hant_TW", "2026年11月5日 週四 18:00"),
        (When(date(2026, 11, 6)), "zh_Hans_CN", "2026年11月6日 周五"),
        ("2026-11-05 18:00", "en", "Soon due: DQ-1, 2026-11-05 18:00."),
    ],
    ids=["english", "simplified", "traditional", "a day", "stored as text"],
)
def test_moments_are_read_in_the_readers_language(
    portal: Portal, value: object, locale: str, shown: str
) -> None:
    with portal.session(portal.world.scope) as session:
        notify(
            session,
            tenant_id=portal.world.vendors[0].id,
            roles=(Role.OFFICE,),
            message=phrase("Soon due: %(label)s, %(due)s.", label="DQ-1", due=value),
            path="/",
        )
        session.commit()
        row = session.scalars(sa.select(Notification)).one()
        with portal.app.app_context(), force_locale(locale):
            assert shown in str(text_of(row))


@pytest.mark.parametrize(("items", "said"), [(1, "1 item of DQ-1 is"), (2, "2 items of DQ-1 are")])
def test_a_message_that_counts_is_kept_with_both_its_forms(
    portal: Portal, items: int, said: str
) -> None:
    with portal.session(portal.world.scope) as session:
        notify(
            session,
            tenant_id=portal.world.vendors[0].id,
            roles=(Role.OFFICE,),
            message=plural(
                "%(items)s item of %(number)s is cancelled.",
                "%(items)s items of %(number)s are cancelled.",
                by="items",
                items=items,
                number="DQ-1",
            ),
            path="/",
        )
        session.commit()
        row = session.scalars(sa.select(Notification)).one()
        with portal.app.app_context():
            with force_locale("en"):
                assert str(text_of(row)).startswith(said)
            with force_locale("zh_Hans_CN"):
                assert str(text_of(row)) == f"DQ-1 有 {items} 项已撤销。"
            # As it was stored before messages had two forms: read in every language.
            row.params = {"items": str(items), "number": "DQ-1"}
            with force_locale("zh_Hans_CN"):
                assert str(text_of(row)) == f"DQ-1 有 {items} 项已撤销。"
