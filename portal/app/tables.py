"""Every table of the portal: importing this module maps them all."""

from __future__ import annotations

from portal.audits import models as audits
from portal.audits.appeals import models as appeals
from portal.audits.links import models as links
from portal.audits.reviews import models as reviews
from portal.calendar import models as calendar
from portal.cases import models as cases
from portal.contacts import models as contacts
from portal.deadlines import models as deadlines
from portal.excellence import models as excellence
from portal.fees import models as fees
from portal.files import models as files
from portal.identity import models as identity
from portal.jobs import models as jobs
from portal.journal import models as journal
from portal.materials import models as materials
from portal.notices import models as notices
from portal.notifications import models as notifications
from portal.receipts import models as receipts
from portal.rectification import models as rectification
from portal.retention import models as retention
from portal.schemes import models as schemes
from portal.scoring import models as scoring
from portal.vendors import models as vendors
from portal.vendors.clause_imports import models as clause_imports
from tenants import models as tenants
from tenants.rows import Base, Row

MODULES = (
    tenants,
    journal,
    calendar,
    schemes,
    deadlines,
    jobs,
    files,
    notifications,
    identity,
    notices,
    vendors,
    cases,
    receipts,
    contacts,
    materials,
    audits,
    reviews,
    appeals,
    links,
    rectification,
    excellence,
    scoring,
    fees,
    retention,
    clause_imports,
)
"""The modules with tables, in the order in which the migrations make them."""

METADATA = Base.metadata


def rows() -> dict[str, type[Row]]:
    """Every mapped row class by table name."""
    return {
        str(mapper.local_table.name): mapper.class_  # type: ignore[attr-defined]
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, Row)
    }
