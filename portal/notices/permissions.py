"""Who may read issued papers."""

from portal.kernel.access import Role, permission

VIEW = permission(
    "notices:document:view",
    "Read issued papers and their PDFs",
    Role.ADMINISTRATOR,
    Role.AUDITOR,
    Role.AUDIT_HEAD,
    Role.VENDOR_MANAGER,
    Role.FINANCE,
    Role.COMPLAINTS,
    Role.GENERAL_DEPARTMENT,
    Role.GENERAL_MANAGER,
    Role.MANAGER,
    Role.SUPERVISOR,
    Role.TEAM_LEADER,
    Role.OFFICE,
)

READ_CARDS = permission(
    "notices:cards:read",
    "Read papers that print card numbers whole, each time on record (a vendor's people: those"
    " addressed to them)",
    Role.AUDITOR,
    Role.AUDIT_HEAD,
    Role.VENDOR_MANAGER,
    Role.GENERAL_DEPARTMENT,
    Role.GENERAL_MANAGER,
    Role.MANAGER,
    Role.SUPERVISOR,
    Role.TEAM_LEADER,
    Role.OFFICE,
)
ACKNOWLEDGE = permission(
    "notices:document:acknowledge",
    "Acknowledge receipt of a paper, and add the scan of a stamped print",
    Role.MANAGER,
    Role.SUPERVISOR,
    Role.TEAM_LEADER,
)
SEE_SEALS = permission(
    "notices:seal:view",
    "See the company's seals, the papers that bear them and who used them",
    Role.ADMINISTRATOR,
    Role.AUDIT_HEAD,
    Role.VENDOR_MANAGER,
    Role.FINANCE,
    Role.GENERAL_DEPARTMENT,
    Role.GENERAL_MANAGER,
)
GRANT_SEALS = permission(
    "notices:seal:grant",
    "Grant or refuse the use of a seal that somebody else asked for",
    Role.ADMINISTRATOR,
    Role.GENERAL_DEPARTMENT,
    Role.GENERAL_MANAGER,
)
MANAGE_SEALS = permission(
    "notices:seal:manage",
    "Add pictures of seals, say which papers bear one, choose the language of papers",
    Role.ADMINISTRATOR,
)
