"""Samples of the papers about findings: the assessment form and the rectification notice."""

# ruff: noqa: E501

from __future__ import annotations

from portal.notices.papers.audit import AssessmentForm, Finding, Reviewed
from portal.notices.papers.rectification import RectificationNotice
from tests.notices.samples.common import (
    CARDS,
    CREDITORS,
    DUE,
    ISSUER,
    VENDOR,
    VERIFY,
    requested_case,
)

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
        "issuer": ISSUER | {"department": "委外管理部"},
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
