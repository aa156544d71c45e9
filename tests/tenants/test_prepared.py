"""Reads on the driver's own cursor: what they give, whose rows they see, that plans are kept."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa

from portal.cases.models import Case
from tenants.prepared import Prepared
from tenants.scope import Scope
from tests.conftest import Portal
from tests.factories.cases import add_cases

_C = Case.__table__.c
OF_TENANT = Prepared(
    sa.select(_C.case_no, _C.amount)
    .where(
        _C.tenant_id == sa.bindparam("tenant", None, type_=sa.Uuid()),
        _C.status.in_(("in_hand", "suspended")),
    )
    .order_by(_C.case_no)
)


@pytest.fixture
def filled(portal: Portal) -> Portal:
    with portal.session(portal.world.scope) as session:
        for vendor in portal.world.vendors[:2]:
            add_cases(session, portal.world, vendor, 3)
        session.commit()
    return portal


def test_rows_are_plain_values_in_the_order_of_the_columns(filled: Portal) -> None:
    vendor = filled.world.vendors[0]
    with filled.session(Scope.vendor(vendor.id)) as session:
        rows = OF_TENANT.rows(session, {"tenant": vendor.id})
        entities = session.execute(sa.select(Case.case_no, Case.amount).order_by(Case.case_no))
        assert rows == [tuple(row) for row in entities]
    assert len(rows) == 3 and isinstance(rows[0][1], Decimal)


def test_the_database_hides_what_the_statement_asks_for_wrongly(filled: Portal) -> None:
    mine, other = filled.world.vendors[:2]
    with filled.session(Scope.vendor(mine.id)) as session:
        assert OF_TENANT.rows(session, {"tenant": other.id}) == []


def test_a_fault_is_the_toolkits_own(filled: Portal) -> None:
    with filled.session(filled.world.scope) as session:
        with pytest.raises(sa.exc.DBAPIError):
            OF_TENANT.rows(session, {"tenant": "no id"})
        session.rollback()
        assert OF_TENANT.rows(session, {"tenant": filled.world.vendors[0].id})


def test_plans_outlive_the_rollback_that_ends_each_reading_request(filled: Portal) -> None:
    vendor = filled.world.vendors[0]
    kept = sa.text(
        "select count(*) from pg_prepared_statements where statement like 'SELECT cases.case_no%'"
    )
    for _ in range(8):
        with filled.session(Scope.vendor(vendor.id)) as session:
            OF_TENANT.rows(session, {"tenant": vendor.id})
            held = session.scalar(kept)
    assert held == 1
