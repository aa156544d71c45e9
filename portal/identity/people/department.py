"""The audit department on record (rule A1): members now and before, since when, by whom."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, current_app, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.files.export import ExportColumn, ExportSheet
from portal.files.web import workbook
from portal.identity.labels import ROLE_NAMES, STANDING_NAMES
from portal.identity.people import queries
from portal.identity.people.permissions import MANAGE, SEE_DEPARTMENT
from portal.identity.people.queries import Named
from portal.identity.people.service import note_export
from portal.identity.web import sign_in_session
from portal.kernel.access import guard
from portal.kernel.web import actor

bp = Blueprint("audit_department", __name__, url_prefix="/audit-department")
Answer = str | Response
_YEARS = range(2000, 2101)


def _day() -> date | None:
    """The day that the address asks for; None for none, and for what is no day."""
    try:
        day = date.fromisoformat(request.args.get("on", ""))
    except ValueError:
        return None
    return day if day.year in _YEARS else None


@bp.get("/")
@guard(SEE_DEPARTMENT)
def index() -> Answer:
    """The members now and before, or on one day."""
    day = _day()
    with sign_in_session(current_app) as session_:
        record = queries.audit_department(session_, actor().company_id, day)
    return render_template(
        "identity/people/department.html",
        day=day,
        present=record if day else [one for one in record if one.until is None],
        former=[] if day else [one for one in record if one.until is not None],
        role_names=ROLE_NAMES,
        standings=STANDING_NAMES,
        may_name=actor().may(MANAGE),
        export_url=url_for("audit_department.export", on=day and day.isoformat()),
    )


@bp.get("/export.xlsx")
@guard(SEE_DEPARTMENT)
def export() -> Answer:
    """What the page shows as a workbook; that it was taken is journalled."""
    day = _day()
    with sign_in_session(current_app) as session_:
        record = queries.audit_department(session_, actor().company_id, day)
        note_export(session_, actor=actor())
        session_.commit()
    columns = (
        ExportColumn(_("Name")),
        ExportColumn(_("Role")),
        ExportColumn(_("Since"), "datetime"),
        ExportColumn(_("Named by")),
        ExportColumn(_("Ground or document"), width=40),
        ExportColumn(_("Until"), "datetime"),
        ExportColumn(_("Withdrawn by")),
        ExportColumn(_("Ground of the withdrawal"), width=40),
        ExportColumn(_("Account")),
    )
    notes = [] if day is None else [str(_("As on %(day)s.", day=day.isoformat()))]
    sheet = ExportSheet(_("Audit department"), columns, [_cells(one) for one in record], notes)
    return workbook([sheet], "audit-department")


def _cells(one: Named) -> tuple[object, ...]:
    return (
        one.person,
        str(ROLE_NAMES[one.role]),
        one.since,
        named_by(one),
        one.ground,
        one.until,
        one.withdrawn_by,
        one.withdrawn_ground,
        str(STANDING_NAMES[one.person_status][0]),
    )


def named_by(one: Named) -> str:
    """Who named a person, in the reader's words."""
    if one.by_command:
        return str(_("at the server, by command"))
    return one.named_by or str(_("not on record"))
