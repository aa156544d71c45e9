"""What is wired to what in the web process: blueprints and subscribers, in tables to be read.

What runs in the background stands in `portal/app/background.py`: the web process does not load
the renderers and decoders that the tasks need.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Flask

from portal.app import feeds, form_links, health, password_links, reminders, service_of_papers
from portal.audits.appeals import views as appeals_views
from portal.audits.appeals.consequences import FindingsCorrected
from portal.audits.assessments import sitting_views
from portal.audits.assessments import views as assessments_views
from portal.audits.crises import views as crises_views
from portal.audits.draws import part_views as draw_part_views
from portal.audits.draws import views as draws_views
from portal.audits.links import views as form_links_views
from portal.audits.links.service import LinkMailed
from portal.audits.reviews import blind, facts_views, opinion_views
from portal.audits.reviews import course_views as review_course_views
from portal.audits.reviews import service as reviews_service
from portal.audits.reviews import views as reviews_views
from portal.calendar import views as calendar_views
from portal.cases import views as cases_views
from portal.cases.imports import views as case_imports_views
from portal.dashboards import views as dashboards_views
from portal.deadlines.service import DeadlineNear, DeadlinePassed, DeadlineUnmet
from portal.excellence import views as excellence_views
from portal.fees import appeals as fees_appeals
from portal.fees import views as fees_views
from portal.identity import views as identity_views
from portal.identity.people import department as audit_department
from portal.identity.people import views as people_views
from portal.identity.people.links import PasswordLinkMailed
from portal.jobs import views as jobs_views
from portal.journal import views as journal_views
from portal.kernel import withheld
from portal.kernel.events import Event, Subscriber, wire
from portal.materials import calls as materials_calls
from portal.materials import changes_views as materials_changes
from portal.materials import desk as materials_desk
from portal.materials import files as materials_files
from portal.materials import views as materials_views
from portal.materials.changes import CasesWithdrawn
from portal.notices import losses, seal_desk
from portal.notices import views as notices_views
from portal.notices.timeline import DocumentUnopened, DocumentUnserved
from portal.notifications import views as messages_views
from portal.receipts import views as receipts_views
from portal.receipts.imports import views as receipt_imports_views
from portal.rectification import appeals as rectification_appeals
from portal.rectification import course_views as rectification_course
from portal.rectification import desk as rectification_desk
from portal.rectification import views as rectification_views
from portal.rectification.opinions import views as opinions_views
from portal.retention import receipts as retention_receipts
from portal.retention import views as retention_views
from portal.schemes import views as schemes_views
from portal.scoring import appeals as scoring_appeals
from portal.scoring import views as scoring_views
from portal.vendors import views as vendors_views
from portal.vendors.clause_imports import views as clause_imports_views

BLUEPRINTS: tuple[Blueprint, ...] = (
    health.bp,
    feeds.bp,
    dashboards_views.bp,
    identity_views.bp,
    people_views.bp,
    audit_department.bp,
    password_links.bp,
    jobs_views.bp,
    journal_views.bp,
    notices_views.bp,
    seal_desk.bp,
    messages_views.bp,
    calendar_views.bp,
    schemes_views.bp,
    vendors_views.bp,
    clause_imports_views.bp,
    cases_views.bp,
    case_imports_views.bp,
    draws_views.bp,
    draw_part_views.bp,
    receipts_views.bp,
    receipt_imports_views.bp,
    materials_views.bp,
    materials_desk.bp,
    materials_files.bp,
    materials_changes.bp,
    materials_calls.bp,
    reviews_views.bp,
    review_course_views.bp,
    opinion_views.bp,
    facts_views.bp,
    assessments_views.bp,
    sitting_views.bp,
    form_links_views.bp,
    form_links.bp,
    appeals_views.bp,
    crises_views.bp,
    rectification_views.bp,
    rectification_desk.bp,
    opinions_views.bp,
    rectification_course.bp,
    excellence_views.bp,
    scoring_views.bp,
    fees_views.bp,
    retention_views.bp,
)

SUBSCRIBERS: dict[type[Event], Sequence[Subscriber]] = {
    DeadlineNear: (reminders.near,),
    DeadlinePassed: (reminders.passed,),
    DeadlineUnmet: (reminders.unmet,),
    CasesWithdrawn: (reviews_service.drop_withdrawn,),
    FindingsCorrected: (
        rectification_appeals.follow,
        scoring_appeals.follow,
        fees_appeals.follow,
    ),
    LinkMailed: (form_links.mail,),
    PasswordLinkMailed: (password_links.mail,),
    DocumentUnopened: (service_of_papers.unopened,),
    DocumentUnserved: (service_of_papers.unserved,),
}


def install(app: Flask) -> None:
    """Register the blueprints, the subscribers, who decides what is withheld from somebody, and
    who knows which files of a paper are gone."""
    wire(SUBSCRIBERS)
    withheld.install(blind.withheld)
    losses.install(retention_receipts.losses)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
