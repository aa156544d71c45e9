"""Samples of the papers about materials: the request and the receipt."""

# ruff: noqa: E501

from __future__ import annotations

from portal.notices.papers.materials import (
    DeliveryReceipt,
    MaterialRequest,
    ReceiptFile,
    ReceiptItem,
)
from tests.notices.samples.common import (
    CONTACT,
    DUE,
    ISSUER,
    VENDOR,
    VERIFY,
    digest,
    requested_case,
)


def material_request(cases: int = 12) -> MaterialRequest:
    """A monthly draw (A3)."""
    return {
        "number": "DQ-HC-2026-0012",
        "issued_at": "2026-09-24T02:05:00+00:00",
        "verify_url": VERIFY,
        "issuer": ISSUER,
        "vendor": VENDOR,
        "basis": "draw",
        "contract": {"number": "HY-WW-2026-017", "name": "逾期账款委托催收服务合同"},
        "period": {"first": "2026-08-24", "last": "2026-09-23"},
        "draw": {
            "method": "proportional",
            "drawn_at": "2026-09-24T02:00:00+00:00",
            "population": 1203,
            "sample": cases,
            "seed_hash": digest("seed"),
            "population_hash": digest("population"),
        },
        "due": DUE,
        "deliver_at": "https://portal.huayue.example/materials",
        "contact": CONTACT,  # type: ignore[typeddict-item]
        "materials": [
            {
                "name": "催收记录",
                "requirement": "稽核期间内该个案的全部催收记录，含拨打时间、号码、通话结果、谈话要点及承诺还款情况。",
                "format": "XLSX、PDF",
            },
            {
                "name": "催收录音",
                "requirement": "稽核期间内每一通已接通电话的完整录音，与话单逐条对应。",
                "format": "WAV、MP3、M4A",
            },
            {
                "name": "外访录音",
                "requirement": "如有外访，提交全程录音及外访记录表；未外访的，申报无法提供并注明原因。",
                "format": "MP3、M4A、PDF",
            },
        ],
        "cases": [requested_case(index) for index in range(cases)],
        "signed": {"name": "周明远", "title": "稽核部负责人", "at": "2026-09-24T02:04:10+00:00"},
    }


def receipt_item(index: int) -> ReceiptItem:
    """What became of one wanted material."""
    case = requested_case(index // 3)
    material = ("催收记录", "催收录音", "外访录音")[index % 3]
    item: ReceiptItem = {
        "case_number": case["case_number"],
        "card": case["card"],
        "material": material,
        "expected": 1 if index % 3 != 1 else 4,
        "delivered": 1 if index % 3 != 1 else 4,
        "state": "delivered",
    }
    if index % 3 == 2:
        item |= {"state": "unavailable", "delivered": 0, "reason": "未外访"}
    elif index == 7:
        item |= {"state": "partial", "delivered": 3}
    elif index == 10:
        item |= {"state": "missing", "delivered": 0}
    return item


def receipt_file(index: int) -> ReceiptFile:
    """A file that was received."""
    case = requested_case(index // 4)
    suffix = "xlsx" if index % 4 == 0 else "mp3"
    return {
        "name": f"{case['case_number']}-{index % 4:02d}.{suffix}",
        "case_number": case["case_number"],
        "material": "催收记录" if index % 4 == 0 else "催收录音",
        "size": 38_912 + index * 977_311,
        "sha256": digest(str(index)),
        "received_at": f"2026-09-28T09:{14 + index % 40:02d}:{index * 7 % 60:02d}+00:00",
    }


def delivery_receipt(files: int = 14) -> DeliveryReceipt:
    """A delivery in time, with items missing and unavailable."""
    return {
        "number": "DQ-HC-2026-0012-R1",
        "issued_at": "2026-09-28T09:41:26+00:00",
        "verify_url": VERIFY,
        "issuer": ISSUER,
        "vendor": VENDOR,
        "request": {
            "number": "DQ-HC-2026-0012",
            "issued_at": "2026-09-24T02:05:00+00:00",
            "due_at": DUE["at"],
        },
        "delivery": 1,
        "begun_at": "2026-09-28T09:12:03+00:00",
        "completed_at": "2026-09-28T09:41:20+00:00",
        "on_time": True,
        "late_working_days": 0,
        "due": DUE,
        "counts": {"expected": 36, "delivered": 22, "missing": 2, "unavailable": 12},
        "materials": [receipt_item(index) for index in range(12)],
        "files": [receipt_file(index) for index in range(files)],
        "handed_in_by": {
            "name": "孙晓梅",
            "role": "品质专员",
            "account": "sun.xm@hengcheng.example",
        },
    }
