"""The vendor's answer: kept as a draft, proved by files, submitted once a round (C2.4)."""

from __future__ import annotations

from typing import IO
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.deadlines import service as deadlines
from portal.files.evidence import keep_checked
from portal.files.models import StoredFile
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Invalid, NotFound, Stale
from portal.kernel.phrases import phrase
from portal.rectification.kinds import RectificationState as State
from portal.rectification.models import Answer, Evidence, Rectification
from portal.rectification.queries import CLOCK
from portal.rectification.rules import AnswerText, check_answer, check_open, moved
from tenants.rows import new_id

MOST_FILES = 30


def answer_of(session: Session, notice: Rectification) -> Answer | None:
    """The answer of the present round, draft or submitted."""
    return session.scalars(
        sa.select(Answer)
        .where(
            Answer.tenant_id == notice.tenant_id,
            Answer.rectification_id == notice.id,
            Answer.round == notice.round,
        )
        .execution_options(populate_existing=True)
    ).first()


def save_answer(
    session: Session, notice: Rectification, text: AnswerText, *, seen_version: int, actor: Actor
) -> Answer:
    """Keep the answer as a draft. The notice must be locked by the caller.

    `seen_version` is the draft's version that the form was opened on, 0 when there was none.
    Raises `Conflict` when the notice waits for no answer, `Stale` when somebody else wrote.
    """
    check_open(notice.state)
    row = answer_of(session, notice)
    if (row.version if row else 0) != seen_version:
        raise Stale(
            phrase("The draft was saved from another window since you opened the page."),
            phrase("What you typed is still here. Compare, then save again."),
        )
    if row is None:
        row = Answer(
            tenant_id=notice.tenant_id,
            id=new_id(),
            rectification_id=notice.id,
            round=notice.round,
            state="draft",
            version=0,
        )
        session.add(row)
    row.cause, row.correction, row.prevention = text.cause, text.correction, text.prevention
    row.person_treatment, row.done_on = text.person_treatment, text.done_on
    row.by_name, row.saved_at = actor.name, clock.now()
    row.version += 1
    session.flush()
    return row


def add_evidence(
    session: Session, answer: Answer, name: str, stream: IO[bytes], *, actor: Actor
) -> bool:
    """Check a file at once and keep it beside a draft. False when the same bytes are there
    already. Raises `RefusedFile`."""
    held = _held(session, answer)
    if len(held) >= MOST_FILES:
        raise Invalid(
            phrase("An answer takes at most %(most)s files.", most=MOST_FILES),
            phrase("Combine several into one PDF."),
        )
    stored = keep_checked(
        session,
        name,
        stream,
        tenant_id=answer.tenant_id,
        purpose="rectification_evidence",
        held=held,
        actor=actor,
    )
    if stored is None:
        return False
    session.add(
        Evidence(
            tenant_id=answer.tenant_id,
            id=new_id(),
            answer_id=answer.id,
            file_id=stored.id,
            added_at=clock.now(),
        )
    )
    session.flush()
    return True


def _held(session: Session, answer: Answer) -> set[str]:
    """The SHA-256 of the files beside an answer."""
    return set(
        session.scalars(
            sa.select(StoredFile.sha256)
            .join(
                Evidence,
                sa.and_(
                    Evidence.tenant_id == StoredFile.tenant_id, Evidence.file_id == StoredFile.id
                ),
            )
            .where(Evidence.tenant_id == answer.tenant_id, Evidence.answer_id == answer.id)
        )
    )


def remove_evidence(session: Session, notice: Rectification, evidence_id: UUID) -> None:
    """Take a file away from the draft. Raises `NotFound`, or `Conflict` after submission."""
    check_open(notice.state)
    answer = answer_of(session, notice)
    row = None
    if answer is not None:
        row = session.scalars(
            sa.select(Evidence).where(
                Evidence.tenant_id == notice.tenant_id,
                Evidence.id == evidence_id,
                Evidence.answer_id == answer.id,
            )
        ).first()
    if row is None:
        raise NotFound("evidence")
    stored = session.get(StoredFile, (row.tenant_id, row.file_id))
    session.delete(row)
    if stored is not None:
        stored.state = "deleted"
    session.flush()


def submit_answer(session: Session, notice: Rectification, *, actor: Actor) -> Answer:
    """Submit the draft of the present round: the moment counts, in time or late.

    Raises `Conflict` when it is submitted already, `Invalid` when a part is missing.
    """
    state = moved(notice.state, State.ANSWERED)
    row = answer_of(session, notice)
    if row is None:
        check_answer(AnswerText("", "", "", "", None), clock.today())
        raise NotFound("answer")
    check_answer(
        AnswerText(row.cause, row.correction, row.prevention, row.person_treatment, row.done_on),
        clock.today(),
    )
    now = clock.now()
    row.in_time = deadlines.close(session, notice.tenant_id, notice.id, at=now, kind=CLOCK)
    row.state, row.submitted_at, row.saved_at = "submitted", now, now
    row.by_name = actor.name
    row.version += 1
    notice.state = state.value
    notice.version += 1
    session.flush()
    record(
        session,
        "rectification.answer.submitted",
        ("rectification", notice.id),
        actor=actor,
        tenant_id=notice.tenant_id,
        data={"number": notice.number, "round": notice.round, "in_time": row.in_time},
    )
    return row
