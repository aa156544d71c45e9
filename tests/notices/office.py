"""What people do with papers in a portal whose worker signs, for the tests of papers' ways."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from portal.files.models import StoredFile
from portal.files.service import storage
from portal.kernel.access import Actor, Role
from portal.kernel.settings import Settings
from portal.notices import receipts, service
from portal.notices.marks import Mark
from portal.notices.models import Document, DocumentRevision
from portal.notices.numbering import next_number
from portal.notices.rules import Choice
from portal.notices.timeline import timeline_of
from tenants.scope import Scope
from tests.conftest import Portal
from tests.factories.world import MOMENT, VendorWorld
from tests.notices.samples import rectification_notice

GIVEN_AT_ISSUE = ("number", "issued_at", "verify_url")


class Office:
    """A portal whose worker signs, and what people do with papers there."""

    def __init__(self, portal: Portal, settings: Settings) -> None:
        self.portal, self.settings = portal, settings
        self.vendor: VendorWorld = portal.world.vendors[0]
        self.company: Scope = portal.world.scope
        self.scope = Scope.vendor(self.vendor.id)

    def person(self, role: Role) -> Actor:
        return self.vendor.actor(role, self.portal.world.company_id)

    def issue(self, supersedes: UUID | None = None, locale: str | None = None) -> UUID:
        """Issue a rectification notice to the first vendor."""
        with self.portal.session(self.company) as session:
            sample = rectification_notice()
            content = {key: value for key, value in sample.items() if key not in GIVEN_AT_ISSUE}
            content["due"] = {**sample["due"], "at": (MOMENT + timedelta(days=9)).isoformat()}
            former = session.get(Document, (self.vendor.id, supersedes)) if supersedes else None
            document = service.issue(
                session,
                tenant_id=self.vendor.id,
                template="rectification_notice",
                number=next_number(session, self.vendor.id, "ZG"),
                title="整改通知书",
                content=content,
                subject=("rectification", self.vendor.id),
                supersedes=former,
                locale=locale,
                actor=self.portal.world.actor(Role.VENDOR_MANAGER),
            )
            session.commit()
            return document.id

    def revisions(self, document_id: UUID) -> list[tuple[int, str, bytes]]:
        """Revision, hash and bytes, as the vendor reads them."""
        with self.portal.session(self.scope) as session:
            rows = session.scalars(
                sa.select(DocumentRevision)
                .where(DocumentRevision.document_id == document_id)
                .order_by(DocumentRevision.revision)
            ).all()
            made = []
            for row in rows:
                file = session.get(StoredFile, (self.vendor.id, row.file_id))
                assert file is not None
                with storage().open(file.storage_key) as body:
                    made.append((row.revision, row.sha256, body.read()))
            return made

    def acknowledge(self, document_id: UUID, role: Role, choice: Choice) -> None:
        with self.portal.session(self.scope) as session:
            document = session.get(Document, (self.vendor.id, document_id))
            assert document is not None
            receipts.acknowledge(session, document, choice, actor=self.person(role))
            session.commit()

    def marks(self, document_id: UUID) -> list[Mark]:
        with self.portal.session(self.scope) as session:
            document = session.get(Document, (self.vendor.id, document_id))
            assert document is not None
            return [moment.mark for moment in timeline_of(session, document)]
