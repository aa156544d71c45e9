"""A message keeps its days and moments as such, and each reader's calendar writes them."""

from __future__ import annotations

from datetime import date, datetime

import pytest
import sqlalchemy as sa
from flask_babel import force_locale

from portal.kernel.access import Role
from portal.kernel.clock import BEIJING
from portal.kernel.phrases import When, phrase
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
