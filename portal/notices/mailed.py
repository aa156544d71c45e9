"""Which mails were about a paper: noted on its timeline when the mail server has taken them."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.kernel import clock
from portal.notices import timeline
from portal.notices.models import Document, DocumentStep
from portal.notices.rules import StepKind
from portal.notifications.models import Mail, Notification

LOOKED_BACK = timedelta(hours=2)


def note_mails(session: Session, *, limit: int = 500) -> int:
    """Note the mails of the last two hours that led to a paper or to what it is about (company
    scope). Returns how many. Names no address: the account says who, the page shows when."""
    count = 0
    for mail, path in session.execute(_sent(limit)):
        document = _document(session, mail, path)
        if document is None or mail.sent_at is None or _noted(session, document, mail):
            continue
        timeline.mailed(session, document, to="", at=mail.sent_at, account_id=mail.account_id)
        count += 1
    return count


def _sent(limit: int) -> sa.Select[Mail, str]:
    return (
        sa.select(Mail, Notification.path)
        .join(
            Notification,
            sa.and_(Notification.tenant_id == Mail.tenant_id, Notification.id == Mail.order_id),
        )
        .where(Mail.sent_at > clock.now() - LOOKED_BACK)
        .order_by(Mail.sent_at)
        .limit(limit)
    )


def _document(session: Session, mail: Mail, path: str) -> Document | None:
    """The newest paper that the mail's page is, or is about, issued before the mail was written."""
    try:
        named = UUID(urlsplit(path).path.rstrip("/").rsplit("/", 1)[-1])
    except ValueError:
        return None
    return session.scalars(
        sa.select(Document)
        .where(
            Document.tenant_id == mail.tenant_id,
            sa.or_(Document.id == named, Document.subject_id == named),
            Document.issued_at <= mail.created_at,
        )
        .order_by(Document.issued_at.desc())
        .limit(1)
    ).first()


def _noted(session: Session, document: Document, mail: Mail) -> bool:
    return bool(
        session.scalar(
            sa.select(sa.true()).where(
                sa.exists().where(
                    DocumentStep.tenant_id == document.tenant_id,
                    DocumentStep.document_id == document.id,
                    DocumentStep.kind == StepKind.MAILED,
                    DocumentStep.account_id == mail.account_id,
                    DocumentStep.at == mail.sent_at,
                )
            )
        )
    )
