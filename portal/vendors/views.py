"""Pages of vendors, and of one's own organisation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template

from portal.identity.labels import ROLE_NAMES
from portal.kernel.access import Role, guard
from portal.kernel.web import actor, db
from portal.vendors import queries
from portal.vendors.permissions import VIEW, VIEW_OWN

bp = Blueprint("vendors", __name__)


def _role_name(role: str) -> str:
    return str(ROLE_NAMES[Role(role)])


@bp.get("/vendors")
@guard(VIEW)
def index() -> str:
    """Every vendor."""
    return render_template("vendors/index.html", vendors=queries.list_vendors(db()))


@bp.get("/vendors/<uuid:vendor_id>")
@guard(VIEW)
def show(vendor_id: UUID) -> str:
    """One vendor: what stands on papers, its people, contracts and projects."""
    vendor = queries.get_vendor(db(), vendor_id)
    return render_template("vendors/show.html", vendor=vendor, role_name=_role_name, own=False)


@bp.get("/people")
@guard(VIEW_OWN)
def mine() -> str:
    """One's own organisation, as the company has it on record (A2)."""
    vendor = queries.get_vendor(db(), actor().tenant_id)
    return render_template("vendors/show.html", vendor=vendor, role_name=_role_name, own=True)


_show: Any = show
_show.menu = "vendors.index"
