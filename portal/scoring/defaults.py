"""The score scheme as shipped: "default, edit me"."""

from __future__ import annotations

from typing import Any

from portal.scoring.scheme import parse_scheme


def default_scheme() -> dict[str, Any]:
    """The content of the shipped scheme, a fresh copy each time."""
    return {
        "dimensions": [
            _dimension("compliance", "合规作业", "Compliance", _compliance()),
            _dimension("efficiency", "业绩效率", "Efficiency", _efficiency()),
            _dimension("quality", "作业质量", "Quality", _quality()),
            _dimension("timeliness", "时效履约", "Timeliness", _timeliness()),
            _dimension("complaints", "投诉管理", "Complaints", _complaints()),
            _dimension("people", "人员与数据安全", "People and data", _people()),
        ],
        "grades": [
            {"grade": "A", "from": "90", "factor": "1.00", "placements": True},
            {"grade": "B", "from": "80", "factor": "0.95", "placements": True},
            {"grade": "C", "from": "70", "factor": "0.85", "placements": True},
            {"grade": "D", "from": "0", "factor": "0.70", "placements": False},
        ],
        "red_line_cap": "69",
        "factor_without_data": "1.00",
    }


Content = dict[str, Any]


def _dimension(code: str, title: str, title_en: str, indicators: list[Content]) -> Content:
    return {"code": code, "title": title, "title_en": title_en, "indicators": indicators}


def _compliance() -> list[Content]:
    return [
        {
            "code": "findings",
            "title": "违规扣分",
            "title_en": "Findings per reviewed case",
            "weight": "35",
            "measure": "points_per_case",
            "factor": "30",
        }
    ]


def _efficiency() -> list[Content]:
    return [
        {
            "code": "recovery",
            "title": "回收达成",
            "title_en": "Recovery against target",
            "weight": "25",
            "measure": "attainment",
            "cap": "1.10",
        }
    ]


def _quality() -> list[Content]:
    return [
        _share("reviews", "抽检合格", "Reviews passed", "8"),
        _share("records", "记录完整", "Records complete", "4"),
        _share("self_checks", "自查覆盖与一致", "Self-check coverage and agreement", "3"),
    ]


def _timeliness() -> list[Content]:
    # An item is lost after four working days; 601 and 602 are those very items.
    materials = {"601": "covered", "602": "covered", "603": "points"}
    return [
        _share("materials", "材料提交", "Materials in time", "4", materials, late="0.25"),
        _share("rectifications", "整改完成", "Rectifications in time", "4", {"605": "points"}),
        _share("reports", "报告报送", "Reports in time", "2", late="0.25"),
    ]


def _complaints() -> list[Content]:
    return [
        {
            "code": "justified_complaints",
            "title": "有责投诉",
            "title_en": "Justified complaints per 1,000 cases",
            "weight": "6",
            "measure": "per_thousand",
            "points_each": "2",
        },
        _share("replies", "投诉回复及时", "Complaints answered in time", "4", {"604": "points"}),
    ]


def _people() -> list[Content]:
    return [
        _share("registration", "人员登记", "Registration", "2", {"606": "points"}),
        _share("training", "培训考核", "Training", "2"),
        _share("access", "权限管理", "Access", "1"),
    ]


def _share(
    code: str,
    title: str,
    title_en: str,
    weight: str,
    clauses: dict[str, str] | None = None,
    late: str = "1",
) -> Content:
    """An indicator whose code is also what it counts."""
    return {
        "code": code,
        "title": title,
        "title_en": title_en,
        "weight": weight,
        "measure": "share",
        "source": code,
        "late_per_working_day": late,
        "clauses": clauses or {},
    }


DEFAULT_SCHEME = parse_scheme(default_scheme())
