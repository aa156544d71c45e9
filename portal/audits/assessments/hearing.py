"""Each clip of a form is heard before its signature: the server knows, not the page (A5, A6).

The clip is sent to the audit head by an address of its own, which puts on record when. It counts as
heard when as much time has passed since as a player needs for it, and the head says so (the page's
script does at the clip's end). A form's signature asks for a hearing of each clip by whoever signs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from portal.audits.assessments.queries import FindingRow, finding_rows
from portal.audits.models import AssessmentForm, ClipHearing, FormState
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict, NotFound
from portal.kernel.phrases import phrase, plural
from tenants.rows import new_id

FASTEST = 2
"""Browsers' players offer no greater speed."""
SLACK = timedelta(seconds=1)
"""Passages are noted in whole seconds; a player may stop a little before the end."""


def clips_of(rows: Iterable[FindingRow]) -> list[FindingRow]:
    """The findings that have a clip to hear."""
    return [row for row in rows if row.recording_path]


def clip_seconds(row: FindingRow) -> int:
    """The length of a finding's clip: to the recording's end where the passage has none; 0 when
    nothing tells it."""
    finding = row.finding
    end = finding.clip_to if finding.clip_to is not None else row.call_seconds
    return max((end or 0) - (finding.clip_from or 0), 0)


def takes(row: FindingRow) -> timedelta:
    """The least time between the sending of a clip and its end in a player."""
    return max(timedelta(seconds=clip_seconds(row)) - SLACK, timedelta(0)) / FASTEST


def get_clip(session: Session, form: AssessmentForm, finding_id: UUID) -> FindingRow:
    """A clip of a form that waits for its signature; raises `NotFound`."""
    if form.state == FormState.PREPARED:
        for row in clips_of(finding_rows(session, form)):
            if row.finding.id == finding_id:
                return row
    raise NotFound("clip of a form to sign")


def note_sent(session: Session, form: AssessmentForm, row: FindingRow, *, actor: Actor) -> None:
    """Note that a clip goes out to whoever is about to hear it; the first time counts."""
    session.execute(
        insert(ClipHearing)
        .values(
            tenant_id=form.tenant_id,
            id=new_id(),
            form_id=form.id,
            finding_id=row.finding.id,
            sent_at=clock.now(),
            heard_by=actor.account_id,
            heard_by_name=actor.name,
        )
        .on_conflict_do_nothing()
    )


def note_heard(session: Session, form: AssessmentForm, row: FindingRow, *, actor: Actor) -> None:
    """Put on record that a clip was heard to its end, once.

    Raises `Conflict` when it was not sent to this person, or too short a while ago.
    """
    begun = _of(session, form, actor.account_id).get(row.finding.id)
    if begun is None:
        raise Conflict(
            phrase("This clip was not played yet: case %(case)s.", case=row.finding.case_no),
            phrase("Play it to its end."),
        )
    if begun.heard_at is not None:
        return
    if clock.now() - begun.sent_at < takes(row):
        raise Conflict(
            plural(
                "The clip of case %(case)s lasts %(seconds)s second: it cannot be heard yet.",
                "The clip of case %(case)s lasts %(seconds)s seconds: it cannot be heard yet.",
                by="seconds",
                case=row.finding.case_no,
                seconds=clip_seconds(row),
            ),
            phrase("Play it to its end."),
        )
    begun.heard_at = clock.now()
    session.flush()
    record(
        session,
        "audits.clip.heard",
        ("finding", row.finding.id),
        actor=actor,
        tenant_id=form.tenant_id,
        data={"form": str(form.id), "seconds": clip_seconds(row)},
    )


def _of(session: Session, form: AssessmentForm, account_id: UUID) -> dict[UUID, ClipHearing]:
    rows = session.scalars(
        sa.select(ClipHearing).where(
            ClipHearing.tenant_id == form.tenant_id,
            ClipHearing.form_id == form.id,
            ClipHearing.heard_by == account_id,
        )
    )
    return {row.finding_id: row for row in rows}


def heard_by(
    session: Session, forms: Collection[AssessmentForm], account_id: UUID
) -> dict[UUID, datetime]:
    """When this person heard which findings' clips, in forms as they wait now."""
    rows = session.execute(
        sa.select(ClipHearing.finding_id, ClipHearing.heard_at).where(
            sa.tuple_(ClipHearing.tenant_id, ClipHearing.form_id).in_(
                [(form.tenant_id, form.id) for form in forms]
            ),
            ClipHearing.heard_by == account_id,
            ClipHearing.heard_at.is_not(None),
        )
    )
    return {finding_id: at for finding_id, at in rows if at is not None}


def unheard(
    session: Session, form: AssessmentForm, rows: Iterable[FindingRow], account_id: UUID
) -> list[FindingRow]:
    """The findings of a form whose clip this person did not hear."""
    clips = clips_of(rows)
    heard = heard_by(session, [form], account_id) if clips else {}
    return [row for row in clips if row.finding.id not in heard]


def check_heard(
    session: Session, form: AssessmentForm, rows: Sequence[FindingRow], *, actor: Actor
) -> None:
    """Refuse a signature while a clip of the form was not heard by who signs (`Conflict`)."""
    left = unheard(session, form, rows, actor.account_id)
    if left:
        raise Conflict(
            plural(
                "%(count)s clip of this form was not heard: case %(case)s.",
                "%(count)s clips of this form were not heard: case %(case)s.",
                by="count",
                count=len(left),
                case=left[0].finding.case_no,
            ),
            phrase("Hear each clip beside its clause, then sign."),
        )
