"""The month's entrusted cases as the company's workbooks, imported like any other (UX 8)."""

from __future__ import annotations

import io
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import xlsxwriter

from demo.people import Company, Vendor
from demo.stage import Stage
from portal.cases.imports.service import FLOW
from portal.cases.imports.sheet import COLUMNS
from portal.files.columns import Column

A_MONTH = 500
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀英霞平刚桂兰玉萍红建华文辉玲晨宇浩欣怡佳琪雨桐梓涵子轩思远嘉俊凯婷雪梅海燕志国庆春晓东"
_CREDITORS = ("恒信消费金融", "恒信消费金融", "南方商业银行", "江海银行信用卡中心", "云帆小额贷款")
_BANDS = (
    ("M1", 1, 30, 18),
    ("M2", 31, 60, 20),
    ("M3", 61, 90, 22),
    ("M4", 91, 120, 14),
    ("M5", 121, 150, 10),
    ("M6", 151, 180, 8),
    ("M6+", 181, 360, 6),
    ("written_off", 361, 900, 2),
)
_BAND_NAMES = {"written_off": "核销"}
_CARDS = ("622588", "625360", "620200", "622155")


@dataclass
class Entrusted:
    """What the stage remembers of its cases: the rows as last imported, by vendor code."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    count: int = 0


def entrust(stage: Stage, company: Company, known: Entrusted, month: date, cases: int) -> None:
    """Import a month's batch: new cases of every vendor, and what became of some earlier ones."""
    day = stage.calendar.local_day(_now_of(stage, month))
    rows = _news_of_old(stage.dice, known)
    for vendor in company.vendors:
        for _number in range(cases // len(company.vendors)):
            known.count += 1
            row = _case(stage.dice, vendor, known.count, day)
            known.rows.setdefault(vendor.plan.code, []).append(row)
            rows.append(row)
    import_cases(stage, company, workbook("委案清单", COLUMNS, rows), f"{month:%Y-%m}委案清单.xlsx")


def _now_of(stage: Stage, month: date) -> Any:
    return stage.moment(stage.working_day(month, 1), 9)


def import_cases(stage: Stage, company: Company, content: bytes, name: str) -> None:
    """Upload, check, confirm and take a workbook of cases, at once."""
    actor = company.actor("vendors")
    with stage.company(company.id) as session:
        import_id = FLOW.upload(session, io.BytesIO(content), name=name, actor=actor).id
    with stage.company(company.id) as session:
        FLOW.check(session, import_id, lambda _done, _total: None)
    with stage.company(company.id) as session:
        row = FLOW.get(session, import_id)
        FLOW.confirm(session, import_id, seen_version=row.version, leave_bad=False, actor=actor)
    with stage.company(company.id) as session:
        FLOW.take(session, import_id, lambda _done, _total: None)


def workbook(title: str, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> bytes:
    """An XLSX as a person fills it in: Chinese titles, Excel's own dates and numbers."""
    sink = io.BytesIO()
    book = xlsxwriter.Workbook(sink, {"in_memory": True, "strings_to_formulas": False})
    sheet = book.add_worksheet(title)
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for place, column in enumerate(columns):
        sheet.write_string(0, place, column.title_zh)
    for line, row in enumerate(rows, start=1):
        for place, column in enumerate(columns):
            value = row.get(column.key)
            if isinstance(value, date):
                sheet.write_datetime(line, place, value, day)
            elif isinstance(value, str):
                sheet.write_string(line, place, value)
            elif value is not None:
                sheet.write_number(line, place, value)
    book.close()
    return sink.getvalue()


def _news_of_old(dice: random.Random, known: Entrusted) -> list[dict[str, Any]]:
    """Some of the cases in hand were settled, suspended or withdrawn meanwhile."""
    changed = []
    for rows in known.rows.values():
        held = [row for row in rows if row["status"] == "在案"]
        for row in dice.sample(held, len(held) // 14):
            row["status"] = dice.choices(("结清", "停催", "撤案", "退案"), (70, 8, 7, 15))[0]
            changed.append(row)
    return changed


def _case(dice: random.Random, vendor: Vendor, number: int, day: date) -> dict[str, Any]:
    band, first, last, _weight = dice.choices(_BANDS, [entry[3] for entry in _BANDS])[0]
    principal = Decimal(dice.randrange(120_000, 6_800_000)) / 100
    interest = (principal * dice.randrange(2, 14) / 100).quantize(Decimal("0.01"))
    fees = Decimal(dice.randrange(0, 60_000)) / 100
    agent = dice.choice(vendor.agents)
    entrusted = day - timedelta(days=dice.randrange(2))
    return {
        "vendor": vendor.plan.code,
        "batch": f"{day:%Y-%m}-A",
        "project": dice.choices(vendor.plan.projects, (65, 35))[0],
        "case_no": f"{vendor.plan.code}{day:%y%m}{number:05d}",
        "entrusting_company": dice.choice(_CREDITORS),
        "card": card_number(dice),
        "debtor": debtor_name(dice),
        # No network gives out 170-0000-xxxx: nobody is called by a demo.
        "phone": f"1700000{number:04d}",
        "principal": principal,
        "interest": interest,
        "fees": fees,
        "amount": principal + interest + fees,
        "days_past_due": dice.randint(first, last),
        "age_band": _BAND_NAMES.get(band, band),
        "entrusted_on": entrusted,
        "due_back_on": entrusted + timedelta(days=dice.choice((180, 270, 360))),
        "group": agent.group,
        "agent": agent.staff_no,
        "status": "在案",
    }


def debtor_name(dice: random.Random) -> str:
    """A name that may well be somebody's: it is thrown by dice."""
    return dice.choice(_SURNAMES) + "".join(dice.sample(_GIVEN, dice.choice((1, 2, 2))))


def card_number(dice: random.Random) -> str:
    """Sixteen digits that no card has: their check digit is wrong."""
    body = dice.choice(_CARDS) + "".join(str(dice.randrange(10)) for _digit in range(9))
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return body + str((10 - total % 10 + 5) % 10)
