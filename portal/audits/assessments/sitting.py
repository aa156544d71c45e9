"""A sitting of the audit head: waiting forms are signed together, each clip heard (A5, A6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.assessments.queries import (
    Addressee,
    FindingRow,
    addressees,
    finding_rows,
    get_form,
    missing,
)
from portal.audits.assessments.service import confirm_form
from portal.audits.models import AssessmentForm, FormState
from portal.journal.service import record
from portal.kernel.access import Actor
from portal.kernel.errors import Invalid, PortalError, Stale
from portal.kernel.phrases import Phrase, phrase
from tenants.models import Tenant

MOST = 20
"""Forms on one page of a sitting."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A form that waits for a signature, with its rows, recipients, and what it still lacks."""

    form: AssessmentForm
    vendor: str
    rows: Sequence[FindingRow]
    addressees: Sequence[Addressee]
    lacking: Sequence[Phrase]


@dataclass(frozen=True, slots=True)
class Refused:
    """A form of the sitting that was not signed, and why."""

    vendor: str
    error: PortalError


def waiting(session: Session, account_id: UUID, only: UUID | None = None) -> list[Waiting]:
    """The forms that wait and that somebody else prepared, the oldest first, or the one of them
    (company scope)."""
    rows = session.execute(
        sa.select(AssessmentForm, Tenant.short_name)
        .join(Tenant, Tenant.id == AssessmentForm.tenant_id)
        .where(AssessmentForm.state == FormState.PREPARED, AssessmentForm.prepared_by != account_id)
        .where(AssessmentForm.id == only if only else sa.true())
        .order_by(AssessmentForm.prepared_at, AssessmentForm.id)
        .limit(MOST)
    ).all()
    made = []
    for form, vendor in rows:
        found = finding_rows(session, form)
        made.append(
            Waiting(
                form,
                vendor,
                found,
                addressees(session, form.tenant_id, found),
                missing(session, form, found),
            )
        )
    return made


def sign(
    session: Session,
    versions: Mapping[UUID, str],
    *,
    actor: Actor,
) -> tuple[list[str], list[Refused]]:
    """Confirm and issue forms in one sitting; `versions`: what the page showed of each. Each
    form stands or falls by itself: returns the numbers issued and what was refused (a form with an
    unheard clip, for one). Raises `Invalid` when none was chosen."""
    if not versions:
        raise Invalid(phrase("No form is chosen."), phrase("Tick the forms to sign."))
    numbers: list[str] = []
    refused: list[Refused] = []
    for form_id, version in versions.items():
        form = get_form(session, form_id, lock=True)
        vendor = session.get_one(Tenant, form.tenant_id).short_name
        try:
            with session.begin_nested():
                if str(form.version) != version:
                    raise Stale(
                        phrase("The form changed since you opened the page."),
                        phrase("Look at it again, then sign."),
                    )
                numbers.append(confirm_form(session, form, actor=actor).number)
        except PortalError as error:
            refused.append(Refused(vendor, error))
    if numbers:
        record(
            session,
            "audits.sitting.signed",
            ("account", actor.account_id),
            actor=actor,
            data={"numbers": numbers},
        )
    return numbers, refused
