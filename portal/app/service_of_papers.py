"""What follows when a vendor does not open a paper: the vendor manager is told, and where the
contract says so the paper counts as served (视为送达)."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.phrases import phrase
from portal.notices import timeline
from portal.notices.models import Document
from portal.notices.rules import OPENING_DAYS
from portal.notices.timeline import DocumentUnopened, DocumentUnserved
from portal.notifications.service import notify
from portal.vendors.models import Contract


def unopened(session: Session, event: DocumentUnopened, actor: Actor) -> None:
    """Tell the vendor manager, and note the service that the contract provides."""
    document = event.document
    notify(
        session,
        tenant_id=actor.company_id,
        roles=(Role.VENDOR_MANAGER,),
        message=phrase(
            "Paper %(number)s was not opened within one working day.", number=document.number
        ),
        path=f"/papers/{document.id}",
    )
    if timeline.days_to_serve(document) <= OPENING_DAYS:
        _serve(session, document, actor)


def unserved(session: Session, event: DocumentUnserved, actor: Actor) -> None:
    """Note the service that the contract provides after the days that the paper states."""
    _serve(session, event.document, actor)


def _serve(session: Session, document: Document, actor: Actor) -> None:
    number = _contract_that_serves(session, document.tenant_id)
    if number is not None:
        timeline.served(session, document, ground=number, actor=actor)


def _contract_that_serves(session: Session, tenant_id: UUID) -> str | None:
    """The number of the contract in force today, if it counts unopened papers as served."""
    today = clock.today()
    contract = session.scalars(
        sa.select(Contract)
        .where(
            Contract.tenant_id == tenant_id,
            Contract.starts_on <= today,
            Contract.ends_on >= today,
        )
        .order_by(Contract.starts_on.desc())
        .limit(1)
    ).first()
    return contract.number if contract is not None and contract.served_if_unopened else None
