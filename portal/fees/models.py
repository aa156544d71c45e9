"""Fee statements (费用结算单) (C7)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tenants.rows import Base, IssuedRow, PrivateRow, id_index, one_of, tenant_fk

MONEY = sa.Numeric(14, 2)


class StatementState(StrEnum):
    """prepared (may be computed anew) → confirmed by finance (issued to the vendor)."""

    PREPARED = "prepared"
    CONFIRMED = "confirmed"


class Statement(IssuedRow, Base):
    """What is owed to a vendor for a month under a contract."""

    __tablename__ = "statements"
    __table_args__ = (
        one_of("state", StatementState),
        tenant_fk("contract_id", "contracts"),
        tenant_fk("score_id", "scores"),
        tenant_fk("document_id", "documents"),
        sa.UniqueConstraint("tenant_id", "contract_id", "period"),
        sa.UniqueConstraint("tenant_id", "number"),
        sa.Index("ix_statements_period", "period", "id"),
        id_index("statements"),
    )

    number: Mapped[str | None]
    contract_id: Mapped[UUID]
    period: Mapped[str]
    score_id: Mapped[UUID]
    state: Mapped[str]
    factor: Mapped[Decimal] = mapped_column(sa.Numeric(6, 4))
    commission: Mapped[Decimal] = mapped_column(MONEY)
    deductions: Mapped[Decimal] = mapped_column(MONEY)
    rewards: Mapped[Decimal] = mapped_column(MONEY)
    payable: Mapped[Decimal] = mapped_column(MONEY)
    net: Mapped[Decimal] = mapped_column(MONEY)
    tax: Mapped[Decimal] = mapped_column(MONEY)
    result: Mapped[dict[str, Any]] = mapped_column(JSONB)
    prepared_at: Mapped[datetime]
    prepared_by: Mapped[UUID]
    prepared_by_name: Mapped[str]
    confirmed_at: Mapped[datetime | None]
    confirmed_by_name: Mapped[str | None]
    document_id: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(default=1)


class StatementLine(IssuedRow, Base):
    """One line with its reason: commission, deduction, reward, reversal."""

    __tablename__ = "statement_lines"
    __table_args__ = (
        tenant_fk("statement_id", "statements", ondelete="CASCADE"),
        sa.UniqueConstraint("tenant_id", "statement_id", "position"),
    )

    statement_id: Mapped[UUID]
    position: Mapped[int]
    kind: Mapped[str]
    reason: Mapped[dict[str, Any]] = mapped_column(JSONB)
    base: Mapped[Decimal | None] = mapped_column(MONEY)
    rate: Mapped[Decimal | None] = mapped_column(sa.Numeric(8, 4))
    amount: Mapped[Decimal] = mapped_column(MONEY)
    subject_type: Mapped[str | None]
    subject_id: Mapped[UUID | None]


class FeeAdjustment(PrivateRow, Base):
    """What an upheld appeal makes of a confirmed statement (`origin_id`): the difference goes onto
    the next statement of the contract (`taken_id`) as a line of its own, with the reason. The
    vendor sees it there."""

    __tablename__ = "fee_adjustments"
    __table_args__ = (
        tenant_fk("contract_id", "contracts"),
        tenant_fk("origin_id", "statements"),
        tenant_fk("taken_id", "statements"),
        sa.CheckConstraint("amount <> 0", name="amount_not_zero"),
        sa.Index("ix_fee_adjustments_contract", "tenant_id", "contract_id", "taken_id"),
    )

    contract_id: Mapped[UUID]
    origin_id: Mapped[UUID]
    period: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(MONEY)
    reason: Mapped[str]
    appeal_id: Mapped[UUID]
    created_at: Mapped[datetime]
    created_by_name: Mapped[str]
    taken_id: Mapped[UUID | None]
