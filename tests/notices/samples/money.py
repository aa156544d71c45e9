"""Samples of the papers about the month: the score and the fee statement."""

from __future__ import annotations

from portal.notices.papers.fees import FeeStatement
from portal.notices.papers.score import ScoreReport
from tests.notices.samples.common import (
    ISSUER,
    VENDOR,
    VERIFY,
)


def score_report() -> ScoreReport:
    """A month's result, grade B."""
    return {
        "number": "KH-HC-2026-0009",
        "issued_at": "2026-10-12T02:30:00+00:00",
        "verify_url": VERIFY,
        "issuer": ISSUER | {"department": "委外管理部"},
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
        "issuer": ISSUER | {"department": "财务部"},
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
            {"reason": "优秀个案（9月）", "amount": "200.00", "reference": "JH202608002-3201"},
            {"reason": "优秀个案（9月）", "amount": "200.00", "reference": "JH202608009-3250"},
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
