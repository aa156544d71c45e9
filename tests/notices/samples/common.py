"""What all sample papers share: who issues, to whom, which cases."""

from __future__ import annotations

import hashlib

from portal.notices.papers.common import Due, Issuer, Vendor
from portal.notices.papers.materials import (
    RequestedCase,
)

ISSUER: Issuer = {
    "name": "华岳资产管理股份有限公司",
    "department": "稽核部",
    "address": "上海市浦东新区世纪大道1000号恒通大厦18层",
    "phone": "021-5555 0100",
    "email": "audit@huayue.example",
}


VENDOR: Vendor = {"name": "恒诚信用管理有限公司", "code": "HC"}


VERIFY = "https://portal.huayue.example/verify/K7Q2MZ4XH3VNB6TA"


CONTACT = {"name": "陈静", "department": "稽核部", "phone": "021-5555 0123"}


CREDITORS = ("江海银行股份有限公司信用卡中心", "东方消费金融有限公司")


CARDS = ("6228480031234567890", "6225880112345678", "5201690198765432")


CUSTOMERS = ("张*", "李*华", "欧阳*", "王*明", "赵*")


DUE: Due = {
    "at": "2026-09-28T10:00:00+00:00",
    "why": [
        {"day": "2026-09-24", "kind": "working", "name": "", "counted": 0},
        {"day": "2026-09-25", "kind": "holiday", "name": "中秋节", "counted": 0},
        {"day": "2026-09-26", "kind": "weekend", "name": "", "counted": 0},
        {"day": "2026-09-27", "kind": "make_up", "name": "国庆节调休", "counted": 1},
        {"day": "2026-09-28", "kind": "working", "name": "", "counted": 2},
    ],
}


def digest(text: str) -> str:
    """The SHA-256 of a text, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def requested_case(index: int) -> RequestedCase:
    """The case of a request at a position."""
    return {
        "case_number": f"JH2026080{index // 100}{index % 100:02d}-{3187 + index * 7}",
        "creditor": CREDITORS[index % 2],
        "card": CARDS[index % 3],
        "customer": CUSTOMERS[index % 5],
        "expected_calls": 3 + index % 5,
    }
