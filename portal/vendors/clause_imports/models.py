"""Uploaded catalogues of penalty clauses, and what their check says."""

from __future__ import annotations

import sqlalchemy as sa

from portal.imports.models import STATES, ImportRow, RemarkRow
from tenants.rows import Base, id_index, one_of, tenant_fk


class ClauseImport(ImportRow, Base):
    """An uploaded file of penalty clauses; taken, it is a version of the catalogue."""

    __tablename__ = "clause_imports"
    __table_args__ = (
        tenant_fk("file_id", "stored_files"),
        one_of("state", STATES),
        sa.Index("ix_clause_imports_uploaded", "uploaded_at", "id"),
        sa.Index("ix_clause_imports_sha256", "sha256"),
        id_index("clause_imports"),
    )


class ClauseImportError(RemarkRow, Base):
    """One wrong cell of an imported file of clauses."""

    __tablename__ = "clause_import_errors"
    __table_args__ = (
        tenant_fk("import_id", "clause_imports", ondelete="CASCADE"),
        sa.Index("ix_clause_import_errors_place", "import_id", "position", "id"),
    )
