"""What a page shows of the extensions of a clock: those made, the one that waits, the forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_wtf import FlaskForm
from sqlalchemy.orm import Session

from portal.deadlines import extensions
from portal.deadlines.forms import AskForm, ExtensionForm
from portal.deadlines.models import Extension
from portal.deadlines.queries import extensions_of
from portal.deadlines.rules import ExtensionState
from portal.deadlines.words import EXTENSION_STATES
from portal.kernel import clock


@dataclass(frozen=True, slots=True)
class ExtensionBox:
    """For `components/extension.html`. `all`: the newest first; `ask`, `decide`: the forms;
    `due_at`: of the clock that the reader may ask more time of, None where there is none."""

    all: tuple[Extension, ...]
    waiting: Extension | None
    ask: FlaskForm
    decide: FlaskForm
    may_decide: bool
    due_at: datetime | None

    @property
    def may_ask(self) -> bool:
        """Whether the reader may ask for more time now."""
        return self.due_at is not None

    @property
    def overdue(self) -> bool:
        """Whether the clock that the waiting one is about has run out meanwhile."""
        return self.waiting is not None and self.waiting.old_due_at < clock.now()

    @property
    def states(self) -> Mapping[str, Any]:
        """What the states are called."""
        return EXTENSION_STATES


def extension_box(
    session: Session,
    subject: tuple[UUID, UUID, str],
    given: Mapping[str, FlaskForm],
    *,
    may_ask: bool,
    may_decide: bool,
) -> ExtensionBox:
    """The extensions of a subject's clocks: `subject` is its tenant, id and kind of clock.

    `given`: the forms that were posted and refused, by the names "ask" and "extension". `may_ask`
    and `may_decide`: whether the reader may, as far as the subject goes.
    """
    tenant_id, subject_id, kind = subject
    found = tuple(extensions_of(session, tenant_id, subject_id))
    waiting = next((one for one in found if one.state == ExtensionState.ASKED), None)
    asks = may_ask and waiting is None
    row = extensions.running(session, tenant_id, subject_id, kind) if asks else None
    decide = given.get("extension")
    if decide is None:
        until = clock.beijing(waiting.wanted_at).date() if waiting else None
        decide = ExtensionForm(formdata=None, prefix="extension-", data={"until": until})
    return ExtensionBox(
        found,
        waiting,
        given.get("ask") or AskForm(formdata=None, prefix="ask-"),
        decide,
        may_decide and waiting is not None,
        row.due_at if row is not None else None,
    )
