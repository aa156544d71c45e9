"""The audit's part of a month, from a draw to the issued assessment forms (A3, A5, A6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from uuid import UUID

import sqlalchemy as sa

from demo.deliveries import deliver
from demo.draws import make_draw
from demo.people import Company, Vendor
from demo.reviews import accept_all, review_all
from demo.stage import Stage
from portal.audits.assessments import hearing
from portal.audits.assessments.queries import finding_rows
from portal.audits.assessments.service import confirm_form, prepare_form
from portal.audits.models import AssessmentForm
from portal.deadlines.service import sweep
from portal.kernel import clock
from portal.kernel.access import system_actor
from portal.kernel.errors import Invalid

AfterForm = Callable[[Vendor, UUID], None]


def run_month(
    stage: Stage, company: Company, day: date, number: int, total: int, after_form: AfterForm
) -> None:
    """Put one draw of a past month on the stage, with all that comes of it."""

    def drawn() -> None:
        for vendor, request_id in make_draw(stage, company, number, total):
            follow(stage, company, vendor, request_id, day, after_form)

    stage.at(stage.moment(day, 10), drawn)


def follow(
    stage: Stage,
    company: Company,
    vendor: Vendor,
    request_id: UUID,
    day: date,
    after_form: AfterForm,
) -> None:
    """What comes of a request: delivered (now and then late), accepted, reviewed, reported."""
    dice = stage.dice
    late = dice.random() > 0.62 + vendor.plan.quality * 0.36
    in_days = 3 if late else dice.choice((1, 1, 2))
    if in_days == 2 or late:
        stage.at(
            stage.moment(stage.after(day, 1), 16),
            lambda: deliver(
                stage, vendor, request_id, share=0.6, unavailable=0.02, hand_over=False
            ),
        )
    delivered = stage.after(day, in_days)
    stage.at(stage.moment(delivered, 11), lambda: deliver(stage, vendor, request_id))
    reviewed = stage.after(delivered, 2)
    stage.at(stage.moment(reviewed, 10), lambda: accept_all(stage, company, request_id))
    stage.at(stage.moment(reviewed, 15), lambda: review_all(stage, company, vendor, request_id))
    formed = stage.after(reviewed, dice.choice((2, 3, 3)))

    def report() -> None:
        form_id = prepare(stage, company, vendor, request_id)
        if form_id is not None:
            stage.at(
                stage.moment(formed, 16),
                lambda: confirm(stage, company, vendor, form_id, after_form),
            )

    stage.at(stage.moment(formed, 11), report)


def prepare(stage: Stage, company: Company, vendor: Vendor, request_id: UUID) -> UUID | None:
    """Prepare the form of a request; None when every case passed."""
    with stage.company(company.id) as session:
        try:
            return prepare_form(
                session,
                tenant_id=vendor.id,
                request_id=request_id,
                partial=True,
                actor=company.actor("auditor"),
            ).id
        except Invalid:
            session.rollback()
            return None


def prepare_all(
    stage: Stage, company: Company, vendors: Iterable[Vendor], made: Mapping[str, UUID]
) -> None:
    """Prepare the forms of several vendors; they wait for the audit head's signature."""
    for vendor in vendors:
        prepare(stage, company, vendor, made[vendor.plan.code])


def confirm(
    stage: Stage, company: Company, vendor: Vendor, form_id: UUID, after_form: AfterForm
) -> None:
    """The audit head confirms and issues a form."""
    with stage.company(company.id) as session:
        form = session.scalars(sa.select(AssessmentForm).where(AssessmentForm.id == form_id)).one()
        actor = company.actor("head")
        for row in hearing.clips_of(finding_rows(session, form)):
            hearing.note_sent(session, form, row, actor=actor)
            with clock.frozen(clock.now() + timedelta(seconds=hearing.clip_seconds(row))):
                hearing.note_heard(session, form, row, actor=actor)
        confirm_form(session, form, actor=actor)
    after_form(vendor, form_id)


def sweep_clocks(stage: Stage, company: Company) -> None:
    """Record what ran out, as the worker does all day."""
    with stage.company(company.id) as session:
        while sweep(session, actor=system_actor(company.id)):
            session.commit()
