"""Reads on the driver's own cursor: what they give, whose rows they see, that plans are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal

import pytest
import sqlalchemy as sa
from psycopg.pq import TransactionStatus
from sqlalchemy.orm import Session

from portal.cases.models import Case
from tenants.driver import KeepingConnection, Query, Rows
from tenants.prepared import Prepared
from tenants.scope import Scope, ScopeError, bound
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


def driver(session: Session) -> KeepingConnection:
    held = session.connection().connection.driver_connection
    assert isinstance(held, KeepingConnection)
    return held


@contextmanager
def trips(session: Session) -> Iterator[list[int]]:
    """How many reads each round trip of the block carries."""
    held, sent = driver(session), list[int]()
    fetch = held.fetch

    def counted(wanted: Sequence[Query], tenant_id: str | None = None) -> list[Rows]:
        sent.append(len(wanted))
        return fetch(wanted, tenant_id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(held, "fetch", counted)
        yield sent


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


KEPT = sa.text(
    "select count(*) from pg_prepared_statements where statement like 'SELECT cases.case_no%'"
)


def test_plans_outlive_the_rollback_that_ends_each_reading_request(filled: Portal) -> None:
    vendor = filled.world.vendors[0]
    for _ in range(8):
        with filled.session(Scope.vendor(vendor.id)) as session:
            OF_TENANT.rows(session, {"tenant": vendor.id})
            held = session.scalar(KEPT)
    assert held == 1


def test_reads_that_are_asked_for_travel_together(filled: Portal) -> None:
    mine, other = filled.world.vendors[:2]
    with filled.session(Scope.vendor(mine.id)) as session:
        first = OF_TENANT.asked(session, {"tenant": mine.id})
        second = OF_TENANT.asked(session, {"tenant": other.id})
        with trips(session) as sent:
            assert len(OF_TENANT.rows(session, {"tenant": mine.id})) == 3
        assert sent == [3], "one trip carries the three"
        with trips(session) as sent:
            assert len(first.rows()) == 3 and second.rows() == []
        assert sent == []


def test_a_transaction_that_reads_nothing_never_begins(filled: Portal) -> None:
    vendor = filled.world.vendors[0]
    with filled.session(Scope.vendor(vendor.id)) as session:
        raw = driver(session)
        assert raw.pgconn.transaction_status == TransactionStatus.IDLE
        assert session.scalar(sa.text("select current_setting('app.tenant_id')")) == str(vendor.id)
        assert raw.pgconn.transaction_status == TransactionStatus.INTRANS
        session.commit()
    with filled.session(filled.world.scope) as session:
        company = str(filled.world.scope.tenant_id)
        assert session.scalar(sa.text("select current_setting('app.tenant_id')")) == company


@pytest.mark.parametrize("ends", ["rollback", "commit"])
def test_the_tenant_goes_with_the_transaction(filled: Portal, ends: str) -> None:
    """The same connection, the next vendor: nothing of the one before is seen."""
    mine, other = filled.world.vendors[:2]
    values = {"tenant": mine.id}
    with filled.session(Scope.vendor(mine.id)) as session:
        first = driver(session)
        assert len(OF_TENANT.rows(session, values)) == 3
        getattr(session, ends)()
        assert len(OF_TENANT.rows(session, values)) == 3, "it begins again, in the same scope"
    with filled.session(Scope.vendor(other.id)) as session:
        assert driver(session) is first
        assert OF_TENANT.rows(session, values) == []


def test_a_read_alone_leaves_no_transaction_and_holds_no_connection(filled: Portal) -> None:
    """Each read by itself, on whichever connection: the tenant is set for it and for no more."""
    mine, other = filled.world.vendors[:2]
    values = {"tenant": mine.id}
    for vendor, found in ((mine, 3), (other, 0), (mine, 3)):
        with filled.session(Scope.vendor(vendor.id)) as session:
            assert len(OF_TENANT.rows(session, values)) == found
            assert not session.in_transaction()
    with filled.session(Scope.vendor(mine.id)) as session:
        raw = driver(session)
        left = raw.pgconn.exec_(
            b"select current_setting('app.tenant_id', true), count(*) from cases group by 1"
        )
        assert left.ntuples == 0, "without its tenant set, the connection sees no row"
        session.rollback()
        assert raw.pgconn.transaction_status == TransactionStatus.IDLE


def test_a_read_within_a_transaction_sees_what_that_has_written(filled: Portal) -> None:
    vendor = filled.world.vendors[0]
    values = {"tenant": vendor.id}
    with filled.session(filled.world.scope) as session:
        assert len(OF_TENANT.rows(session, values)) == 3
        session.execute(sa.update(Case).values(status="settled").where(Case.tenant_id == vendor.id))
        assert OF_TENANT.rows(session, values) == []
        session.rollback()
        assert len(OF_TENANT.rows(session, values)) == 3


def test_a_read_in_another_scope_than_the_sessions_is_refused(filled: Portal) -> None:
    mine, other = filled.world.vendors[:2]
    with filled.session(Scope.vendor(mine.id)) as session:
        pass
    with bound(Scope.vendor(other.id)), pytest.raises(ScopeError, match="may not read"):
        OF_TENANT.rows(session, {"tenant": mine.id})


def test_what_the_server_forgot_is_prepared_again(filled: Portal) -> None:
    """psycopg clears all statements of the server when a savepoint is rolled back."""
    vendor = filled.world.vendors[0]
    values = {"tenant": vendor.id}
    with filled.session(filled.world.scope) as session:
        for _ in range(6):
            session.execute(sa.text("select 1"))
        OF_TENANT.rows(session, values)
        with pytest.raises(sa.exc.DBAPIError), session.begin_nested():
            session.execute(sa.text("select 1 / 0"))
        assert len(OF_TENANT.rows(session, values)) == 3


def test_one_bad_read_among_several_says_so_and_harms_no_later_one(filled: Portal) -> None:
    vendor = filled.world.vendors[0]
    with filled.session(filled.world.scope) as session:
        before = OF_TENANT.asked(session, {"tenant": vendor.id})
        with pytest.raises(sa.exc.DBAPIError, match="invalid input syntax"):
            OF_TENANT.rows(session, {"tenant": "no id"})
        kept = session.scalar(KEPT)
        assert len(before.rows()) == 3, "what travelled with it is asked again"
        assert session.scalar(KEPT) == kept, "and the plan that was made for it serves"
