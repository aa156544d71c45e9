"""Which files of a delivery receipt were deleted when their time was over (UX 3, C4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.kernel.phrases import Phrase, plural
from portal.materials.models import Delivery, MaterialRequest, RequestItem
from portal.materials.queries import item_of_delivery
from portal.notices.losses import Loss
from portal.notices.models import Document
from portal.retention.models import Deletion
from portal.retention.words import CLASSES


def losses(session: Session, document: Document) -> list[Loss]:
    """The files of a receipt that are gone, in its order; works in the company's scope and in the
    vendor's. A file is known by its case and its hash: the receipt names both."""
    if document.template != "delivery_receipt":
        return []
    gone = _gone(session, document)
    return [
        Loss(
            file["name"],
            file["case_number"],
            file["material"],
            file["sha256"],
            row.deleted_at,
            rule_of(row),
        )
        for file in document.content["files"]
        if (row := gone.get((file["case_number"], file["sha256"]))) is not None
    ]


def _gone(session: Session, document: Document) -> dict[tuple[str, str], Deletion]:
    request = sa.select(MaterialRequest.id).where(
        MaterialRequest.tenant_id == document.tenant_id,
        MaterialRequest.number == document.content["request"]["number"],
    )
    rows = session.execute(
        sa.select(RequestItem.case_no, Delivery.sha256, Deletion)
        .join(
            Delivery,
            sa.and_(Delivery.tenant_id == Deletion.tenant_id, Delivery.id == Deletion.subject_id),
        )
        .join(RequestItem, item_of_delivery())
        .where(Deletion.tenant_id == document.tenant_id, Delivery.request_id.in_(request))
    )
    return {(row[0], row[1]): row[2] for row in rows}


def rule_of(row: Deletion) -> Phrase:
    """The rule by which something was deleted, as a sentence; of what was deleted before the rule
    was kept with it, the class."""
    name, rule = CLASSES[row.data_class], row.rule
    if not rule:
        return name
    return plural(
        "%(class)s: kept %(months)s month from %(start)s",
        "%(class)s: kept %(months)s months from %(start)s",
        by="months",
        months=rule["months"],
        start=rule["counted_from"],
        **{"class": name},
    )


def rule_in(content: Mapping[str, Any], data_class: str) -> dict[str, Any]:
    """What the terms say of a class, to be kept with a deletion."""
    for rule in content["rules"]:
        if (rule["jurisdiction"], rule["class"]) == (content["jurisdiction"], data_class):
            return {"months": rule["months"], "counted_from": rule.get("counted_from", "")}
    return {}
