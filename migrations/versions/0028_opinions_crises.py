"""opinions, sources of notices, crisis records"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tenants.migration import tenant_rls

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_TEXT = {"nullable": False, "server_default": ""}


def _opinions() -> None:
    op.create_table(
        "rectification_opinions",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("form_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("grounds", sa.Text(), nullable=False),
        sa.Column("demands", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("given_by", sa.Uuid(), nullable=False),
        sa.Column("given_by_name", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by_name", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'given') = (answered_at IS NULL)",
            name=op.f("ck_rectification_opinions_answered_is_dated"),
        ),
        sa.CheckConstraint(
            "state IN ('given', 'turned', 'declined')",
            name=op.f("ck_rectification_opinions_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "form_id"],
            ["assessment_forms.tenant_id", "assessment_forms.id"],
            name=op.f("fk_rectification_opinions_tenant_id_form_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rectification_opinions")),
        sa.UniqueConstraint(
            "tenant_id", "number", name=op.f("uq_rectification_opinions_tenant_id_number")
        ),
    )
    op.create_index("ix_rectification_opinions_id", "rectification_opinions", ["id"])
    op.create_index("ix_rectification_opinions_given", "rectification_opinions", ["given_at", "id"])
    tenant_rls(op, "rectification_opinions", "private")
    op.add_column("rectifications", sa.Column("source_reference", sa.Text(), **_TEXT))
    op.add_column("rectifications", sa.Column("opinion_id", sa.Uuid(), nullable=True))
    op.add_column("rectifications", sa.Column("issued_by", sa.Uuid(), nullable=True))
    op.add_column("rectifications", sa.Column("issued_by_name", sa.Text(), nullable=True))
    op.create_foreign_key(
        op.f("fk_rectifications_tenant_id_opinion_id"),
        "rectifications",
        "rectification_opinions",
        ["tenant_id", "opinion_id"],
        ["tenant_id", "id"],
    )


def _crises() -> None:
    for column in (
        sa.Column("state", sa.Text(), nullable=False, server_default="reported"),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_name", sa.Text(), nullable=True),
        sa.Column("decision", sa.Text(), **_TEXT),
        sa.Column("lead_name", sa.Text(), **_TEXT),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by_name", sa.Text(), nullable=True),
        sa.Column("conclusion", sa.Text(), **_TEXT),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
    ):
        op.add_column("escalations", column)
    op.create_check_constraint(
        op.f("ck_escalations_state_known"),
        "escalations",
        "state IN ('reported', 'handling', 'dismissed', 'closed')",
    )
    op.create_table(
        "crisis_steps",
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("owner_name", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by_name", sa.Text(), nullable=True),
        sa.Column("added_by_name", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(done_at IS NULL) = (done_by_name IS NULL)",
            name=op.f("ck_crisis_steps_done_by_somebody"),
        ),
        sa.CheckConstraint(
            "kind IN ('measure', 'informed', 'note')", name=op.f("ck_crisis_steps_kind_known")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "escalation_id"],
            ["escalations.tenant_id", "escalations.id"],
            name=op.f("fk_crisis_steps_tenant_id_escalation_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_crisis_steps")),
    )
    op.create_index("ix_crisis_steps_id", "crisis_steps", ["id"])
    op.create_index(
        "ix_crisis_steps_escalation", "crisis_steps", ["tenant_id", "escalation_id", "at"]
    )
    tenant_rls(op, "crisis_steps", "private", company="SELECT, INSERT, UPDATE")


def upgrade() -> None:
    """Opinions of the audit, where a notice comes from and who issued it, crisis records."""
    _opinions()
    _crises()


def downgrade() -> None:
    """Take them away again."""
    op.drop_table("crisis_steps")
    op.drop_constraint(op.f("ck_escalations_state_known"), "escalations", type_="check")
    for column in (
        "version",
        "conclusion",
        "closed_by_name",
        "closed_at",
        "lead_name",
        "decision",
        "decided_by_name",
        "decided_at",
        "state",
    ):
        op.drop_column("escalations", column)
    for column in ("issued_by_name", "issued_by", "opinion_id", "source_reference"):
        op.drop_column("rectifications", column)
    op.drop_table("rectification_opinions")
