"""Realistic content of every paper. Names, numbers and companies are invented."""

from __future__ import annotations

from typing import Any

from tests.notices.samples.audits import FINDINGS, assessment_form, rectification_notice
from tests.notices.samples.common import (
    CARDS,
    CONTACT,
    CREDITORS,
    CUSTOMERS,
    DUE,
    ISSUER,
    VENDOR,
    VERIFY,
    digest,
    requested_case,
)
from tests.notices.samples.materials import (
    delivery_receipt,
    material_request,
    receipt_file,
    receipt_item,
)
from tests.notices.samples.money import fee_statement, score_report

__all__ = [
    "CARDS",
    "CONTACT",
    "CREDITORS",
    "CUSTOMERS",
    "DUE",
    "FINDINGS",
    "ISSUER",
    "SAMPLES",
    "VENDOR",
    "VERIFY",
    "assessment_form",
    "delivery_receipt",
    "digest",
    "fee_statement",
    "material_request",
    "receipt_file",
    "receipt_item",
    "rectification_notice",
    "requested_case",
    "score_report",
]

SAMPLES: dict[str, Any] = {
    "material_request": material_request,
    "delivery_receipt": delivery_receipt,
    "assessment_form": assessment_form,
    "rectification_notice": rectification_notice,
    "score_report": score_report,
    "fee_statement": fee_statement,
}
