"""The home page (工作台), with a face for vendors and one for the company."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, render_template

from portal.audits import permissions as audits
from portal.audits.reviews import blind
from portal.calendar.service import load
from portal.dashboards import company, pages, queries
from portal.deadlines.queries import remaining_text
from portal.deadlines.rules import tone
from portal.fees import permissions as fees
from portal.journal import permissions as journal
from portal.kernel import clock
from portal.kernel.access import Permission, signed_in
from portal.kernel.texts import code
from portal.kernel.texts import gettext as _
from portal.kernel.web import actor, db
from portal.materials import permissions as materials
from portal.rectification import permissions as rectification
from portal.scoring import permissions as scoring

bp = Blueprint("dashboards", __name__)


@bp.get("/")
@signed_in
def home() -> str:
    """What is due and what waits, first thing after signing in."""
    return _company() if actor().is_company else _vendor()


def _vendor() -> str:
    session, person, now = db(), actor(), clock.now()
    calendar = load(session)
    sees_work = person.may(materials.VIEW)
    may = {
        "material_request": person.may(materials.DELIVER),
        "rectification": person.may(rectification.ANSWER),
    }
    home = queries.vendor_home(
        session, person.tenant_id, work=sees_work, scores=person.may(scoring.VIEW)
    )
    due, late = pages.due_and_late(home.clocks, now)
    return render_template(
        "dashboards/vendor.html",
        due=due,
        late=late,
        sees_work=sees_work,
        may_deliver=may["material_request"],
        cards=pages.cards(home.clocks, home.works, calendar, now, may=may),
        rows=pages.rows(home.works, home.clocks, calendar, now, may=may),
        words=pages.words(code(), company=False),
        standing=pages.standing(home.months, code()),
    )


@dataclass(frozen=True, slots=True)
class Pile:
    """A number of things that wait, with the page where they are done."""

    title: str
    count: int
    note: str
    url: str
    action: str
    tone: str


def _month_began(now: datetime) -> datetime:
    return clock.at_beijing(clock.beijing(now).date().replace(day=1))


def _piles(found: company.Waiting) -> list[Pile]:
    """What waits, as far as the role does something about it."""
    judged = _("Judged this month: %(count)s", count=found.judged)
    every: tuple[tuple[Permission, Pile], ...] = (
        (
            audits.TAKE_NOTE,
            Pile(
                _("Violations reported to you"),
                found.escalations,
                _("Serious and red-line findings, at once (A5)"),
                "/reviews/escalations",
                _("Read them"),
                "danger",
            ),
        ),
        (
            audits.REVIEW,
            Pile(_("Cases to judge"), found.reviews, judged, "/reviews", _("Listen"), "review"),
        ),
        (
            audits.SEE_FORMS,
            Pile(
                _("Forms for the audit head"),
                found.forms,
                _("Issued when the head confirms (A6)"),
                "/assessments",
                _("Open"),
                "pending",
            ),
        ),
        (
            rectification.MANAGE,
            Pile(
                _("Answers to decide"),
                found.answers,
                _("Rectification notices answered by vendors"),
                "/rectifications",
                _("Decide"),
                "warning",
            ),
        ),
        (
            scoring.COMPUTE,
            Pile(
                _("Scores to issue"),
                found.scores,
                _("Computed, not yet seen by vendors"),
                "/scores",
                _("Open"),
                "info",
            ),
        ),
        (
            fees.CONFIRM,
            Pile(
                _("Statements to confirm"),
                found.statements,
                _("Prepared, waiting for a second person"),
                "/statements",
                _("Check"),
                "pending",
            ),
        ),
    )
    return [pile for permission, pile in every if actor().may(permission)]


def _company() -> str:
    session, person, now = db(), actor(), clock.now()
    calendar = load(session)
    owed = queries.company_clocks(session)
    seen_to = [kind for kind, permission in _OWN.items() if person.may(permission)]
    own = queries.own_clocks(session, seen_to)
    kept = blind.withheld(session, person)
    own = [one for one in own if one.subject_id not in kept.subjects]
    sees_requests, sees_scores = person.may(materials.VIEW), person.may(scoring.VIEW)
    sees_notices = person.may(rectification.VIEW)
    kinds = {"material_request": sees_requests, "rectification": sees_notices}
    owed = [one for one in owed if kinds.get(one.kind)]
    standings = company.standings(session, owed, now)
    works = queries.requests_in_delivery(session) if sees_requests else []
    names = company.vendor_names(standings)
    due, late = pages.due_and_late(owed, now)
    return render_template(
        "dashboards/company.html",
        due=due,
        late=late,
        sees_work=sees_requests or sees_notices,
        sees_scores=sees_scores,
        may_draw=person.may(audits.REVIEW),
        piles=_piles(company.waiting(session, _month_began(now))),
        standings=standings if sees_requests or sees_notices or sees_scores else [],
        rows=pages.rows(works, owed, calendar, now, vendors=names),
        words=pages.words(code(), company=True),
        sees_requests=sees_requests,
        own=[_own(one, calendar, now, names) for one in own[:6]],
        sees_own=bool(seen_to),
        own_count=len(own),
        acts=company.latest_acts(session, but=kept.subjects) if person.may(journal.VIEW) else [],
    )


_OWN: dict[str, Permission] = {
    "finding_form": audits.SEE_REVIEWS,
    "appeal": audits.DECIDE_APPEAL,
    "appeal_last": audits.DECIDE_LAST,
    "rectification_recheck": rectification.MANAGE,
}
"""The kinds of clocks that the company owes, each shown to those who see to it."""


def _own(one: queries.Clock, calendar: Any, now: datetime, names: dict[Any, str]) -> dict[str, Any]:
    """A clock that the company owes: what is to be done, for whom, by when, and where."""
    todo = {
        "finding_form": _("Report the finding (A5)"),
        "appeal": _("Decide the appeal"),
        "appeal_last": _("Decide the appeal at the last"),
        "rectification_recheck": _("Re-check the correction"),
    }
    places = {
        "finding_form": "/assessments/#waiting",
        "rectification_recheck": f"/rectifications/{one.subject_id}",
    }
    present = tone(now, one.due_at, one.target_at)
    return {
        "todo": todo[one.kind],
        "label": one.label,
        "url": places.get(one.kind, f"/appeals/{one.subject_id}"),
        "vendor": names.get(one.tenant_id, ""),
        "due_at": one.due_at,
        "target_at": one.target_at,
        "remaining": remaining_text(calendar.remaining(now, one.due_at)),
        "tone": present.value,
    }
