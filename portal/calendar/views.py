"""The working-day calendar: its exceptions year by year, and the confirmation."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.calendar import service
from portal.calendar.defaults import announced
from portal.calendar.forms import DayForm
from portal.calendar.permissions import EDIT
from portal.kernel import clock
from portal.kernel.access import guard, signed_in
from portal.kernel.errors import Invalid
from portal.kernel.web import actor, db

bp = Blueprint("calendar", __name__)
FIRST, LAST = 2024, 2060
Answer = str | Response | tuple[str, int]


def _year() -> int:
    text = request.args.get("year", "")
    year = int(text) if text.isdigit() else clock.today().year
    return min(max(year, FIRST), LAST)


def _page(year: int, form: DayForm, status: int = 200) -> Answer:
    calendar = service.load(db())
    confirmed = service.years(db())
    return (
        render_template(
            "calendar/index.html",
            year=year,
            years=sorted({entry.year for entry in confirmed} | {year, clock.today().year + 1}),
            days=service.days_of(db(), year),
            confirmed=next((entry for entry in confirmed if entry.year == year), None),
            announced=announced(year),
            to_confirm=calendar.years_to_confirm(clock.today()),
            may_edit=actor().may(EDIT),
            close=calendar.close_of_business,
            form=form,
        ),
        status,
    )


@bp.get("/calendar")
@signed_in
def index() -> Answer:
    """A year's holidays and make-up days; everybody may see why a deadline falls where it does."""
    return _page(_year(), DayForm(formdata=None))


@bp.post("/calendar/day")
@guard(EDIT)
def set_day() -> Answer:
    """Change one day."""
    form = DayForm()
    if not form.validate_on_submit() or form.day.data is None:
        return _page(_year(), form, 422)
    service.set_day(db(), form.day.data, form.kind.data, form.name.data or "", actor=actor())
    db().commit()
    flash(_("The day is changed. Deadlines already given stay as they are."), "success")
    return redirect(url_for("calendar.index", year=form.day.data.year))


@bp.post("/calendar/confirm")
@guard(EDIT)
def confirm() -> Answer:
    """Confirm a year."""
    text = request.form.get("year", "")
    if not text.isdigit() or not FIRST <= int(text) <= LAST:
        raise Invalid(_("This is not a year."), _("Go back and choose a year."))
    service.confirm_year(db(), int(text), actor=actor())
    db().commit()
    flash(_("%(year)s is confirmed.", year=text), "success")
    return redirect(url_for("calendar.index", year=text))


confirm.menu = set_day.menu = "calendar.index"  # type: ignore[attr-defined]
