"""Who may do what in the audit (A1, A5, A6)."""

from __future__ import annotations

from portal.kernel.access import VENDOR_ROLES, Role, permission

SEE_REVIEWS = permission(
    "audits:review:see",
    "See the review desk: drawn cases, their materials and findings",
    Role.AUDITOR,
    Role.AUDIT_HEAD,
)
REVIEW = permission(
    "audits:review:judge",
    "Listen, mark, write findings and judge a case",
    Role.AUDITOR,
    Role.AUDIT_HEAD,
)
SEE_FACTS = permission(
    "audits:facts:see",
    "See the checks of facts that a vendor was asked for (a vendor: its own)",
    Role.AUDITOR,
    Role.AUDIT_HEAD,
    *(VENDOR_ROLES - {Role.AGENT}),
)
ANSWER_FACTS = permission(
    "audits:facts:answer",
    "Say for the vendor whether the facts of a case are right",
    Role.MANAGER,
    Role.SUPERVISOR,
    Role.OFFICE,
)
PREPARE_FORM = permission(
    "audits:form:prepare",
    "Prepare a daily audit assessment form",
    Role.AUDITOR,
    Role.AUDIT_HEAD,
)
CONFIRM_FORM = permission(
    "audits:form:confirm",
    "Confirm and issue an assessment form that somebody else prepared",
    Role.AUDIT_HEAD,
)
SEE_FORMS = permission(
    "audits:form:see",
    "See assessment forms (a vendor: those issued to it)",
    Role.AUDITOR,
    Role.AUDIT_HEAD,
    Role.VENDOR_MANAGER,
    Role.GENERAL_DEPARTMENT,
    Role.GENERAL_MANAGER,
    *(VENDOR_ROLES - {Role.AGENT}),
)
SEE_ESCALATIONS = permission(
    "audits:escalation:see",
    "See what was reported to the general manager's office at once",
    Role.GENERAL_MANAGER,
    Role.AUDIT_HEAD,
    Role.AUDITOR,
    Role.VENDOR_MANAGER,
)
TAKE_NOTE = permission(
    "audits:escalation:note",
    "Note for the general manager's office that a report was seen",
    Role.GENERAL_MANAGER,
)
HANDLE_CRISIS = permission(
    "audits:crisis:handle",
    "Record the steps of crisis handling",
    Role.GENERAL_MANAGER,
    Role.AUDIT_HEAD,
)
DECIDE_CRISIS = permission(
    "audits:crisis:decide",
    "Begin crisis handling, say that there is none, and close it",
    Role.GENERAL_MANAGER,
)
APPEAL = permission(
    "audits:appeal:raise",
    "Appeal a finding for the vendor",
    Role.MANAGER,
    Role.SUPERVISOR,
    Role.TEAM_LEADER,
)
SEE_APPEALS = permission(
    "audits:appeal:see",
    "See appeals and their decisions (a vendor: its own)",
    Role.AUDITOR,
    Role.AUDIT_HEAD,
    Role.VENDOR_MANAGER,
    Role.FINANCE,
    Role.GENERAL_DEPARTMENT,
    Role.GENERAL_MANAGER,
    *(VENDOR_ROLES - {Role.AGENT}),
)
DECIDE_APPEAL = permission(
    "audits:appeal:decide",
    "Decide an appeal of a finding that somebody else found",
    Role.AUDITOR,
    Role.AUDIT_HEAD,
)
DECIDE_LAST = permission(
    "audits:appeal:last",
    "Decide an appeal at the last, for the general department",
    Role.GENERAL_DEPARTMENT,
)
HAND_LINK = permission(
    "audits:link:make",
    "Make a one-time link to a form's page for a person responsible without an account",
    Role.AUDITOR,
    Role.AUDIT_HEAD,
    Role.VENDOR_MANAGER,
    Role.MANAGER,
    Role.SUPERVISOR,
    Role.TEAM_LEADER,
)
