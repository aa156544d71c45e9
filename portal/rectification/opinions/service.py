"""Give an opinion; turn it into a notice, or decline it (A10, C2.4)."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.models import AssessmentForm
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.errors import Conflict, NotFound
from portal.kernel.phrases import phrase
from portal.kernel.reasons import reason_of
from portal.notices.numbering import next_number
from portal.notifications.kinds import MessageKind
from portal.notifications.service import notify
from portal.rectification.kinds import OpinionState
from portal.rectification.models import Opinion, Rectification
from portal.rectification.permissions import MANAGE
from portal.rectification.rules import NoticeText, demand_lines
from portal.rectification.service import write_draft
from portal.rectification.words import CONSEQUENCE
from tenants.models import Tenant, TenantKind
from tenants.rows import new_id


def get_opinion(session: Session, opinion_id: UUID, *, lock: bool = False) -> Opinion:
    """An opinion; raises `NotFound`."""
    statement = sa.select(Opinion).where(Opinion.id == opinion_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = session.scalars(statement).first()
    if row is None:
        raise NotFound("opinion")
    return row


def give(
    session: Session,
    *,
    opinion_id: UUID,
    tenant_id: UUID,
    form_id: UUID | None,
    text: NoticeText,
    actor: Actor,
) -> Opinion:
    """Give an opinion, which gets its number; the vendor managers are told. A second call with the
    same id (a double click) returns the one that stands. Raises `NotFound` for an unknown vendor or
    a form that is not the vendor's."""
    known = session.get(Opinion, (tenant_id, opinion_id))
    if known is not None:
        return known
    vendor = session.get(Tenant, tenant_id)
    if vendor is None or vendor.kind != TenantKind.VENDOR:
        raise NotFound("vendor")
    if form_id is not None and session.get(AssessmentForm, (tenant_id, form_id)) is None:
        raise NotFound("assessment form")
    row = Opinion(
        tenant_id=tenant_id,
        id=opinion_id,
        number=next_number(session, tenant_id, "YJ"),
        form_id=form_id,
        state=OpinionState.GIVEN.value,
        level=text.level,
        title=text.title,
        facts=text.facts,
        grounds=text.grounds,
        demands="\n".join(text.demands),
        given_at=clock.now(),
        given_by=actor.account_id,
        given_by_name=actor.name,
        version=1,
    )
    session.add(row)
    session.flush()
    notify(
        session,
        tenant_id=actor.company_id,
        roles=MANAGE.roles,
        message=phrase(
            "The audit gives opinion %(number)s on %(vendor)s.",
            number=row.number,
            vendor=vendor.short_name,
        ),
        path=f"/rectifications/opinions/{row.id}",
        kind=MessageKind.WORK,
    )
    _record(session, "given", row, actor)
    return row


def turn(session: Session, opinion: Opinion, *, actor: Actor) -> Rectification:
    """Make a draft notice of an opinion, with the opinion as its source (C2.4); the vendor manager
    words and issues it. The opinion must be locked. Raises `Conflict` when it is answered."""
    _answer(session, opinion, OpinionState.TURNED, "", actor)
    notice = write_draft(
        session,
        draft_id=new_id(),
        tenant_id=opinion.tenant_id,
        form_id=opinion.form_id,
        text=NoticeText(
            title=opinion.title,
            source="audit",
            level=opinion.level,
            facts=opinion.facts,
            grounds=opinion.grounds,
            demands=demand_lines(opinion.demands),
            consequence=CONSEQUENCE,
            working_days=0,
            source_reference=opinion.number,
        ),
        opinion_id=opinion.id,
        actor=actor,
    )
    _record(session, "turned", opinion, actor)
    _tell_audit(
        session,
        opinion,
        actor,
        phrase("Opinion %(number)s is turned into a notice.", number=opinion.number).msgid,
    )
    return notice


def decline(session: Session, opinion: Opinion, reason: str, *, actor: Actor) -> None:
    """Decline an opinion with a reason that the audit department reads. The opinion must be locked.
    Raises `Conflict` when it is answered, `Invalid` without a reason."""
    _answer(session, opinion, OpinionState.DECLINED, reason_of(reason), actor)
    _record(session, "declined", opinion, actor)
    _tell_audit(
        session,
        opinion,
        actor,
        phrase("Opinion %(number)s is declined, with a reason.", number=opinion.number).msgid,
    )


def _answer(
    session: Session, opinion: Opinion, state: OpinionState, reason: str, actor: Actor
) -> None:
    if opinion.state != OpinionState.GIVEN:
        raise Conflict(
            phrase("This opinion is answered already."),
            phrase("The page shows its present state."),
        )
    opinion.state, opinion.answer = state.value, reason
    opinion.answered_at, opinion.answered_by_name = clock.now(), actor.name
    opinion.version += 1
    session.flush()


def _tell_audit(session: Session, opinion: Opinion, actor: Actor, words: str) -> None:
    notify(
        session,
        tenant_id=actor.company_id,
        roles=(Role.AUDITOR, Role.AUDIT_HEAD),
        message=phrase(words, number=opinion.number),
        path=f"/rectifications/opinions/{opinion.id}",
        kind=MessageKind.OTHER,
    )


def notice_of(session: Session, opinion: Opinion) -> Rectification | None:
    """The notice that was made of an opinion."""
    return session.scalars(
        sa.select(Rectification).where(
            Rectification.tenant_id == opinion.tenant_id, Rectification.opinion_id == opinion.id
        )
    ).first()


def _record(session: Session, verb: str, opinion: Opinion, actor: Actor) -> None:
    record(
        session,
        f"rectification.opinion.{verb}",
        ("opinion", opinion.id),
        actor=actor,
        tenant_id=opinion.tenant_id,
        data={"number": opinion.number, "level": opinion.level},
    )
