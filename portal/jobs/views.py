"""The progress of one's own background work."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response

from portal.jobs.labels import label_of
from portal.jobs.models import RunState
from portal.jobs.queries import get_run
from portal.jobs.service import error_of
from portal.kernel.access import signed_in
from portal.kernel.web import actor, db, is_htmx, local_path

bp = Blueprint("jobs", __name__)


@bp.get("/jobs/<uuid:run_id>")
@signed_in
def show(run_id: UUID) -> str | Response:
    """The progress bar of a run; htmx asks for it every second until the run has ended.

    Done, it leads to the page that `next` names: the page that showed the bar, with the result.
    """
    run = get_run(db(), run_id, actor())
    following = local_path(request.args.get("next"), "")
    if is_htmx() and run.state == RunState.DONE and following:
        answer = make_response("")
        answer.headers["HX-Redirect"] = following
        return answer
    template = "jobs/_progress.html" if is_htmx() else "jobs/show.html"
    return render_template(
        template, run=run, error=error_of(run), label=label_of(run.task), following=following
    )
