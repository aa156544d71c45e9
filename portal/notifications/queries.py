"""Reads of the mails that were written, for who looks after them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.kernel.paging import Page, Sort, paginate
from portal.notifications.models import Mail


def mail_counts(session: Session) -> dict[str, int]:
    """How many mails are in each state."""
    rows = session.execute(sa.select(Mail.state, sa.func.count()).group_by(Mail.state))
    return {row[0]: row[1] for row in rows}


def list_mails(session: Session, state: str, cursor: str | None) -> Page[Mail]:
    """The mails by cursor, newest first; of one state if `state` is given."""
    statement = sa.select(Mail, Mail.id.label("id"), Mail.created_at.label("sort_key"))
    if state:
        statement = statement.where(Mail.state == state)
    page = paginate(session, statement, Sort(Mail.created_at, Mail.id, True), cursor)
    return page.map(lambda row: row[0])
