"""The vendor's check of facts: what it is asked, its answer, more time for it, and telling the
company of it.

Nothing here reads a review: a vendor sees only the frozen copy that was made for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.permissions import REVIEW
from portal.audits.reviews.models import FactCheck
from portal.audits.reviews.rules import CheckState
from portal.audits.reviews.stages import ANSWERERS, CLOCK
from portal.deadlines import extensions
from portal.deadlines import service as deadlines
from portal.deadlines.models import Extension
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.paging import Page, Sort, paginate
from portal.kernel.phrases import Phrase, When, phrase
from portal.notifications.kinds import MessageKind
from portal.notifications.service import notify
from tenants.models import Tenant

ANSWER = 2000


def get_check(session: Session, check_id: UUID, *, lock: bool = False) -> FactCheck:
    """A check of facts that this scope sees; raises `NotFound`."""
    statement = sa.select(FactCheck).where(FactCheck.id == check_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = session.scalars(statement).first()
    if row is None:
        raise NotFound("check of facts")
    return row


def neighbours(session: Session, row: FactCheck) -> tuple[FactCheck | None, FactCheck | None]:
    """The check of the same case that was asked before this one, and the one after it."""
    former = session.get(FactCheck, (row.tenant_id, row.replaces_id)) if row.replaces_id else None
    later = session.scalars(
        sa.select(FactCheck).where(
            FactCheck.tenant_id == row.tenant_id,
            FactCheck.review_id == row.review_id,
            FactCheck.replaces_id == row.id,
        )
    ).first()
    return former, later


def list_checks(
    session: Session, cursor: str | None = None, *, but: Sequence[UUID] = ()
) -> Page[FactCheck]:
    """The checks of facts that this scope sees, newest first; none of the reviews `but`."""
    statement = sa.select(
        FactCheck, FactCheck.issued_at.label("sort_key"), FactCheck.id.label("id")
    )
    if but:
        statement = statement.where(FactCheck.review_id.not_in(but))
    page = paginate(session, statement, Sort(FactCheck.issued_at, FactCheck.id, True), cursor)
    return page.map(lambda row: row[0])


def answer(session: Session, check_id: UUID, *, agreed: bool, text: str, actor: Actor) -> FactCheck:
    """The vendor says whether the facts are right, once. An objection says what is wrong.

    An answer after the working day still counts while the case is not judged. `Invalid` for an
    objection without words, `Conflict` when it was answered or the case is judged.
    """
    row = get_check(session, check_id, lock=True)
    if row.state != CheckState.ASKED:
        raise Conflict(
            phrase(
                "This check of facts was answered already or taken back, or its case is judged."
            ),
            phrase("What you have to say against the verdict goes into an appeal."),
        )
    if not agreed and not text.strip():
        raise Invalid(phrase("Say which facts are wrong."), phrase("Write what happened instead."))
    row.state, row.agreed, row.answer = CheckState.ANSWERED.value, agreed, text.strip()[:ANSWER]
    row.answered_at = clock.now()
    row.answered_by, row.answered_by_name = actor.account_id, actor.name
    row.version += 1
    session.flush()
    in_time = deadlines.close(session, row.tenant_id, row.id, at=clock.now(), kind=CLOCK)
    record(
        session,
        "audits.facts.answered",
        (CLOCK, row.id),
        actor=actor,
        tenant_id=row.tenant_id,
        data={"case_no": row.case_no, "agreed": agreed, "in_time": in_time},
    )
    return row


def ask_extension(
    session: Session, check_id: UUID, *, wanted: date | None, reason: str, actor: Actor
) -> Extension:
    """Ask for more time to check the facts, until the close of business of `wanted` (vendor's
    scope). `Conflict` when it is answered, or its time is over."""
    row = _asked(get_check(session, check_id, lock=True))
    made = extensions.ask(
        session,
        extensions.running(session, row.tenant_id, row.id, CLOCK),
        wanted=wanted,
        reason=reason,
        actor=actor,
    )
    _record(session, "audits.facts.extension.asked", row, actor, until=made.wanted_at)
    return made


def grant_extension(
    session: Session,
    check_id: UUID,
    extension_id: UUID,
    *,
    until: date | None,
    note: str,
    actor: Actor,
) -> Extension:
    """Grant an extension (company scope): the case waits for the vendor until the new date."""
    row = _asked(get_check(session, check_id, lock=True))
    done = extensions.grant(
        session, row.tenant_id, row.id, extension_id, until=until, note=note, actor=actor
    )
    row.due_at = done.deadline.due_at
    row.version += 1
    session.flush()
    _record(session, "audits.facts.extension.granted", row, actor, until=row.due_at)
    _tell_vendor(
        session,
        row,
        phrase(
            "You have until %(due)s to check the facts of case %(case)s.",
            case=row.case_no,
            due=When(row.due_at),
        ),
    )
    return done.extension


def refuse_extension(
    session: Session, check_id: UUID, extension_id: UUID, *, note: str, actor: Actor
) -> Extension:
    """Refuse an extension with the reason; the clock stays as it was."""
    row = _asked(get_check(session, check_id, lock=True))
    done = extensions.refuse(session, row.tenant_id, row.id, extension_id, note=note, actor=actor)
    _record(session, "audits.facts.extension.refused", row, actor)
    _tell_vendor(
        session,
        row,
        phrase(
            "No more time to check the facts of case %(case)s: it stays due %(due)s.",
            case=row.case_no,
            due=When(row.due_at),
        ),
    )
    return done


def _asked(row: FactCheck) -> FactCheck:
    if row.state != CheckState.ASKED:
        raise Conflict(
            phrase("This check of facts was answered already, or its case is judged."),
            phrase("Reload the page to see the present state."),
        )
    return row


def _tell_vendor(session: Session, row: FactCheck, message: Phrase) -> None:
    notify(
        session,
        tenant_id=row.tenant_id,
        roles=ANSWERERS,
        message=message,
        path=f"/fact-checks/{row.id}",
        kind=MessageKind.WORK,
    )


def _record(session: Session, action: str, row: FactCheck, actor: Actor, **data: datetime) -> None:
    record(
        session,
        action,
        (CLOCK, row.id),
        actor=actor,
        tenant_id=row.tenant_id,
        data={"case_no": row.case_no, **{name: at.isoformat() for name, at in data.items()}},
    )


def announce(session: Session, *, actor: Actor, limit: int = 100) -> int:
    """Tell auditors of answers that nobody was told of yet (company scope), each once; how many.
    A vendor's own session cannot write to the company's inbox."""
    rows = session.execute(
        sa.select(FactCheck, Tenant.short_name)
        .join(Tenant, Tenant.id == FactCheck.tenant_id)
        .where(FactCheck.state == CheckState.ANSWERED, FactCheck.told_at.is_(None))
        .order_by(FactCheck.answered_at)
        .limit(limit)
        .with_for_update(of=FactCheck, skip_locked=True)
    ).all()
    for row, vendor in rows:
        row.told_at = clock.now()
        notify(
            session,
            tenant_id=actor.company_id,
            roles=REVIEW.roles,
            message=_told(row, vendor),
            path=f"/reviews/{row.review_id}",
            kind=MessageKind.WORK,
        )
    session.flush()
    return len(rows)


_AGREED = phrase("%(vendor)s finds the facts of case %(case)s right.")
_OBJECTED = phrase("%(vendor)s objects to the facts of case %(case)s.")


def _told(row: FactCheck, vendor: str) -> Phrase:
    words = _AGREED if row.agreed else _OBJECTED
    return phrase(words.msgid, vendor=vendor, case=row.case_no)
