"""Realistic content of every paper. Names, numbers and companies are invented."""

# ruff: noqa: E501

from __future__ import annotations

import hashlib
from typing import Any

from portal.notices.papers.audit import AssessmentForm, Finding, Reviewed
from portal.notices.papers.common import Due, Issuer, Vendor
from portal.notices.papers.fees import FeeStatement
from portal.notices.papers.materials import (
    DeliveryReceipt,
    MaterialRequest,
    ReceiptFile,
    ReceiptItem,
    RequestedCase,
)
from portal.notices.papers.rectification import RectificationNotice
from portal.notices.papers.score import ScoreReport

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
        item.update(state="unavailable", delivered=0, reason="未外访")
    elif index == 7:
        item.update(state="partial", delivered=3)
    elif index == 10:
        item.update(state="missing", delivered=0)
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


FINDINGS: list[Finding] = [
    {
        "creditor": CREDITORS[0],
        "case_number": "JH202608003-3208",
        "card": CARDS[0],
        "customer": "王*明",
        "age_band": "M3",
        "group": "电催二组",
        "leader": "刘强",
        "person": "马骏",
        "person_number": "HC0217",
        "call_at": "2026-09-15T12:31:08+00:00",
        "call_seconds": 312,
        "from_second": 94,
        "to_second": 131,
        "facts": (
            "催收员致电客户登记的联系人（客户之兄）。该联系人未明确表示愿意代偿，"
            "催收员仍告知客户在江海银行的欠款金额及逾期期数，并要求其转告客户当日还款。"
        ),
        "words": "“你弟弟在银行欠了两万三，都三个月了，你让他今天必须还。”",
        "clauses": [
            {
                "number": "402",
                "text": "第三人未明确表示代偿而透露欠款信息：严重，记10分，每次扣款3,000元。",
            },
            {"number": "401", "text": "不符合失联条件而联系第三人：一般，记3分，每次扣款500元。"},
        ],
        "level": "serious",
        "handling": "按条款402处罚并责令整改",
        "points": "10",
        "deduction": "3000.00",
        "correction": "责任人立即停止作业并重新培训，考核合格后方可上岗；对该组近三十日第三人联系记录自查。",
        "correct_by": "2026-10-13T10:00:00+00:00",
        "escalated": True,
    },
    {
        "creditor": CREDITORS[1],
        "case_number": "JH202608007-3236",
        "card": CARDS[1],
        "customer": "欧阳*",
        "age_band": "M2",
        "group": "电催一组",
        "leader": "高洁",
        "person": "吴佳怡",
        "person_number": "HC0188",
        "call_at": "2026-09-18T06:02:44+00:00",
        "call_seconds": 187,
        "from_second": 0,
        "to_second": 22,
        "facts": "首次联系客户时未说明所属机构及受托身份，仅称“这边是处理你账单的”。",
        "clauses": [
            {"number": "101", "text": "首次联系未主动表明机构及受托身份：轻微，记1分，扣款100元。"}
        ],
        "level": "minor",
        "handling": "警告",
        "points": "1",
        "deduction": "100.00",
        "correction": "按现行话术开场，组长三日内复听十通。",
        "escalated": False,
    },
]


def _review(index: int) -> Reviewed:
    case = requested_case(index)
    return {
        "case_number": case["case_number"],
        "card": case["card"],
        "creditor": case["creditor"],
        "passed": index not in (3, 7),
    }


def assessment_form(findings: int = 2) -> AssessmentForm:
    """A form of the monthly draw with a serious and a minor finding (A5, A6)."""
    return {
        "number": "JH-HC-2026-0009",
        "issued_at": "2026-10-09T07:20:00+00:00",
        "verify_url": VERIFY,
        "issuer": ISSUER,
        "vendor": VENDOR,
        "project": "江海银行信用卡M1–M6委外项目",
        "period": {"first": "2026-08-24", "last": "2026-09-23"},
        "manner": "random",
        "request_number": "DQ-HC-2026-0012",
        "contract": {"number": "HY-WW-2026-017"},
        "expected": 36,
        "delivered": 22,
        "reviewed": 12,
        "passed": 10,
        "findings": [FINDINGS[index % 2] for index in range(findings)],
        "reviews": [_review(index) for index in range(12)],
        "auditor": {"name": "陈静", "at": "2026-10-09T03:11:45+00:00"},
        "head": {"name": "周明远", "title": "稽核部负责人", "at": "2026-10-09T07:18:02+00:00"},
        "appeal_days": 3,
        "decide_days": 5,
        "deemed_days": 1,
    }


def rectification_notice() -> RectificationNotice:
    """A notice after the audit (C2.4)."""
    return {
        "number": "ZG-HC-2026-0004",
        "issued_at": "2026-09-24T02:05:00+00:00",
        "verify_url": VERIFY,
        "issuer": ISSUER | {"department": "委外管理部"},  # type: ignore[typeddict-item]
        "vendor": VENDOR,
        "to": "总经理 何立新",
        "cc": ["稽核部", "合规部"],
        "source": "audit",
        "source_reference": "JH-HC-2026-0009",
        "contract": {"number": "HY-WW-2026-017"},
        "facts": [
            {
                "facts": "2026年9月15日，催收员马骏（HC0217）在第三人未明确表示代偿的情况下，向其透露客户欠款金额及逾期期数。",
                "ground": "《不规范催收处罚条例》第402条；委托合同第九条第二款（客户信息保密）",
                "level": "serious",
            },
            {
                "facts": "抽查的12件个案中，2件缺少已接通电话的录音，贵公司未能说明原因。",
                "ground": "《不规范催收处罚条例》第602条；《内部稽核制度》关于材料调取的规定",
                "level": "ordinary",
            },
        ],
        "demands": [
            {
                "demand": "停止马骏的一切催收作业，重新培训并考核，成绩及培训记录随整改报告提交。",
                "due_at": "2026-09-27T10:00:00+00:00",
            },
            {"demand": "对电催二组近三十日全部第三人联系记录逐条自查，列明违规情形及处理结果。"},
            {"demand": "查明录音缺失原因，补交录音；确已灭失的，提交系统日志及书面说明。"},
        ],
        "stops": [
            "个案 JH202608003-3208 停止催收，恢复须经我公司书面同意",
            "催收员马骏（HC0217）停止作业",
        ],
        "due": DUE,
        "recheck_days": 30,
        "consequence": (
            "逾期未提交整改报告，或者整改经复查不合格的，按《不规范催收处罚条例》第605条记分并扣款，"
            "计入当月考核；情节严重的，我公司有权暂停新增委案，直至依照合同约定解除合同。"
        ),
        "answer_at": "https://portal.huayue.example/rectifications",
        "contact": {"name": "林涛", "department": "委外管理部", "phone": "021-5555 0166"},
        "signed": {"name": "林涛", "title": "委外管理部经理", "at": "2026-09-24T02:04:10+00:00"},
    }


def score_report() -> ScoreReport:
    """A month's result, grade B."""
    return {
        "number": "KH-HC-2026-0009",
        "issued_at": "2026-10-12T02:30:00+00:00",
        "verify_url": VERIFY,
        "issuer": ISSUER | {"department": "委外管理部"},  # type: ignore[typeddict-item]
        "vendor": VENDOR,
        "month": "2026-09",
        "scheme": "供应商月度考核方案（2026年7月1日起施行，第3版）",
        "contract": {"number": "HY-WW-2026-017"},
        "project": "江海银行信用卡M1–M6委外项目",
        "dimensions": [
            {
                "name": "合规作业",
                "weight": "35",
                "score": "29.50",
                "indicators": [
                    {
                        "name": "每件已复核个案扣分",
                        "full": "35",
                        "got": "29.50",
                        "basis": "11分 ÷ 60件 × 30 = 5.50",
                    }
                ],
            },
            {
                "name": "业绩效率",
                "weight": "25",
                "score": "24.20",
                "indicators": [
                    {
                        "name": "回收率对目标",
                        "full": "25",
                        "got": "24.20",
                        "basis": "M3 达成96.8%，上限110%",
                    }
                ],
            },
            {
                "name": "作业质量",
                "weight": "15",
                "score": "13.80",
                "indicators": [
                    {"name": "复核合格", "full": "8", "got": "6.80", "basis": "51件合格 ÷ 60件"},
                    {"name": "记录完整", "full": "4", "got": "4.00", "basis": "60件完整 ÷ 60件"},
                    {"name": "自检覆盖与一致", "full": "3", "got": "3.00", "basis": "22日 ÷ 22日"},
                ],
            },
            {
                "name": "时效履约",
                "weight": "10",
                "score": "8.60",
                "indicators": [
                    {"name": "材料", "full": "4", "got": "3.20", "basis": "2项缺交"},
                    {"name": "整改", "full": "4", "got": "4.00", "basis": "按期1件 ÷ 1件"},
                    {"name": "报告", "full": "2", "got": "1.40", "basis": "21份按期 ÷ 30份"},
                ],
            },
            {
                "name": "投诉管理",
                "weight": "10",
                "score": "8.50",
                "indicators": [
                    {
                        "name": "每千件有责投诉",
                        "full": "6",
                        "got": "4.50",
                        "basis": "1件 ÷ 1,203件",
                    },
                    {"name": "按时回复", "full": "4", "got": "4.00", "basis": "2件 ÷ 2件"},
                ],
            },
            {
                "name": "人员与数据安全",
                "weight": "5",
                "score": "5.00",
                "indicators": [
                    {"name": "登记、培训、权限", "full": "5", "got": "5.00", "basis": "无扣分"}
                ],
            },
        ],
        "before_cap": "89.60",
        "total": "89.60",
        "grade": "B",
        "factor": "0.95",
        "bands": [
            {"grade": "A", "least": "90", "factor": "1.00", "consequence": "优先委案"},
            {"grade": "B", "least": "80", "below": "90", "factor": "0.95"},
            {
                "grade": "C",
                "least": "70",
                "below": "80",
                "factor": "0.85",
                "consequence": "限期改进",
            },
            {
                "grade": "D",
                "least": "0",
                "below": "70",
                "factor": "0.70",
                "consequence": "停止新增委案",
            },
        ],
        "lost": [
            {
                "dimension": "合规作业",
                "points": "5.00",
                "fact": "个案JH202608003-3208：向第三人透露欠款信息（条款402，严重，10分）",
                "reference": "JH-HC-2026-0009 第1项",
                "happened_on": "2026-09-15",
                "money": "3000.00",
            },
            {
                "dimension": "合规作业",
                "points": "0.50",
                "fact": "个案JH202608007-3236：首次联系未表明身份（条款101，轻微，1分）",
                "reference": "JH-HC-2026-0009 第2项",
                "happened_on": "2026-09-18",
                "money": "100.00",
            },
            {
                "dimension": "时效履约",
                "points": "0.80",
                "fact": "调取材料2项缺交，无正当理由（条款602）",
                "reference": "DQ-HC-2026-0012",
                "happened_on": "2026-09-28",
                "money": "1000.00",
            },
            {"dimension": "业绩效率", "points": "0.80", "fact": "M3回收率为目标的96.8%"},
        ],
        "notes": ["本月未开展外访，相应指标权重按方案分配至其他指标。"],
        "consequences": ["当月佣金按系数0.95结算。"],
        "appeal_days": 3,
        "signed": {"name": "林涛", "title": "委外管理部经理", "at": "2026-10-12T02:28:00+00:00"},
    }


def fee_statement() -> FeeStatement:
    """The worked example: 500,000.00 at 12 %, factor 0.95, payable 54,900.00."""
    return {
        "number": "FY-HC-2026-0009",
        "issued_at": "2026-10-15T01:00:00.123456+00:00",
        "verify_url": VERIFY,
        "issuer": ISSUER | {"department": "财务部"},  # type: ignore[typeddict-item]
        "vendor": VENDOR,
        "month": "2026-09",
        "period": {"first": "2026-09-01", "last": "2026-09-30"},
        "contract": {"number": "HY-WW-2026-017", "name": "逾期账款委托催收服务合同"},
        "project": "江海银行信用卡M1–M6委外项目",
        "payer": {
            "name": ISSUER["name"],
            "tax_number": "91310115MA1K4XXX0A",
            "bank": "江海银行上海浦东支行",
            "account": "3100 6666 0188 0001 234",
            "address": "上海市浦东新区世纪大道1000号恒通大厦18层",
            "phone": "021-5555 0100",
        },
        "payee": {
            "name": VENDOR["name"],
            "tax_number": "91440300MA5F2XXX7K",
            "bank": "南方银行深圳福田支行",
            "account": "4400 2222 0199 0005 678",
        },
        "bands": [
            {
                "band": "M3",
                "days": "61–90天",
                "accounts": 1203,
                "entrusted": "18462300.00",
                "confirmed": "500000.00",
                "recovery": "2.71",
                "rate": "12",
                "commission": "60000.00",
            }
        ],
        "commission": "60000.00",
        "tier": {"attainment": "96.8", "multiplier": "1.00", "rule": "whole"},
        "factor": {
            "value": "0.95",
            "grade": "B",
            "score": "89.60",
            "reference": "KH-HC-2026-0009",
        },
        "after_factor": "57000.00",
        "deductions": [
            {
                "reason": "第三人欠款信息泄露",
                "amount": "2000.00",
                "reference": "JH-HC-2026-0009",
                "clause": "402",
            },
            {
                "reason": "材料缺失",
                "amount": "500.00",
                "reference": "DQ-HC-2026-0012",
                "clause": "602",
            },
        ],
        "rewards": [
            {"reason": "优秀案例（9月）", "amount": "200.00", "reference": "JH202608002-3201"},
            {"reason": "优秀案例（9月）", "amount": "200.00", "reference": "JH202608009-3250"},
        ],
        "adjustments": [],
        "reversals": [],
        "payable": "54900.00",
        "net": "51792.45",
        "tax": "3107.55",
        "tax_rate": "6",
        "deduction_limit": "30",
        "prepared": {"name": "林涛", "title": "委外管理岗", "at": "2026-10-13T02:00:00+00:00"},
        "checked": {"name": "唐敏", "title": "财务部", "at": "2026-10-14T03:30:00+00:00"},
    }


SAMPLES: dict[str, Any] = {
    "material_request": material_request,
    "delivery_receipt": delivery_receipt,
    "assessment_form": assessment_form,
    "rectification_notice": rectification_notice,
    "score_report": score_report,
    "fee_statement": fee_statement,
}
