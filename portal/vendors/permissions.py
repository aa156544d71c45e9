"""Who sees vendors, their people and contracts."""

from portal.kernel.access import COMPANY_ROLES, Role, permission

VIEW = permission(
    "vendors:vendor:view", "See the vendors, their people and contracts", *sorted(COMPANY_ROLES)
)
VIEW_OWN = permission(
    "vendors:people:view",
    "See one's own organisation's groups, people and contract",
    Role.MANAGER,
    Role.SUPERVISOR,
    Role.TEAM_LEADER,
    Role.OFFICE,
)
