"""The penalty clauses (不规范催收处罚条例) as data: levels, outcomes, repetition (rule A5).

A catalogue is a published scheme: content to be edited, versioned and checked with
`parse_catalogue`. Deductions are contractual (违约金/扣款), in CNY.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from portal.kernel.content import Reader
from portal.kernel.errors import Invalid
from portal.kernel.money import Money, cents
from portal.kernel.phrases import Phrase, phrase


class Level(StrEnum):
    """How severe a finding is (轻微/一般/严重/红线), mildest first."""

    MINOR = "minor"
    ORDINARY = "ordinary"
    SERIOUS = "serious"
    RED_LINE = "red_line"

    @property
    def chinese(self) -> str:
        """The word as it is printed on forms."""
        return {"minor": "轻微", "ordinary": "一般", "serious": "严重", "red_line": "红线"}[
            self.value
        ]

    @property
    def label(self) -> Phrase:
        """The word in the reader's language."""
        return _LABELS[self]

    @property
    def rank(self) -> int:
        """0 for the mildest."""
        return list(Level).index(self)

    @property
    def next(self) -> Level:
        """The next severer level; a red line stays one."""
        return list(Level)[min(self.rank + 1, len(Level) - 1)]


_LABELS = {
    Level.MINOR: phrase("Minor"),
    Level.ORDINARY: phrase("Ordinary"),
    Level.SERIOUS: phrase("Serious"),
    Level.RED_LINE: phrase("Red line"),
}


class Unit(StrEnum):
    """What a clause's points and deduction are counted by."""

    OCCURRENCE = "occurrence"
    ITEM_DAY = "item_day"
    PERSON = "person"


@dataclass(frozen=True)
class Outcome:
    """What follows from a level (A5): its words on the form, and the duties that go with it.

    To be corrected within `rectify_working_days`; `stop`: the account or person stops at once;
    `report`: to the general manager's office (总经办) at once.
    """

    text: str
    rectify_working_days: int
    stop: bool
    report: bool


@dataclass(frozen=True)
class Clause:
    """A numbered violation. `points` and `deduction` (CNY) are per `unit`.

    `damages`: the damage done is claimed beside the deduction.
    """

    no: str
    text: str
    meaning_en: str
    level: Level
    points: int
    deduction: Money
    unit: Unit = Unit.OCCURRENCE
    damages: bool = False


@dataclass(frozen=True)
class Judgement:
    """A clause as it applies to one finding, repetition taken into account."""

    clause: Clause
    level: Level
    points: int
    deduction: Money
    repeated: bool


@dataclass(frozen=True)
class Catalogue:
    """All clauses of a version by number, the outcomes by level, and what repetition does."""

    clauses: Mapping[str, Clause]
    outcomes: Mapping[Level, Outcome]
    repeat_months: int
    repeat_points_factor: int

    def get(self, no: str) -> Clause:
        """The clause of that number. Raises `Invalid` when this version has none."""
        try:
            return self.clauses[no]
        except KeyError:
            raise Invalid(
                phrase("The penalty clauses in force have no clause %(no)s.", no=no),
                phrase("Choose a clause from the catalogue."),
            ) from None

    def judge(self, no: str, on: date, earlier: Iterable[date] = ()) -> Judgement:
        """How clause `no`, broken on `on`, counts for a person who broke it on `earlier` days.

        The same person and clause again within the months of the catalogue: the level next to the
        clause's own and its points multiplied, however often it happened. The deduction stays.
        """
        clause = self.get(no)
        repeated = any(day <= on <= months_later(day, self.repeat_months) for day in earlier)
        return Judgement(
            clause,
            clause.level.next if repeated else clause.level,
            clause.points * (self.repeat_points_factor if repeated else 1),
            clause.deduction,
            repeated,
        )


def heaviest(clauses: Iterable[Clause]) -> Clause:
    """The clause that stands when one call broke several (一事不二罚): a call is judged once.

    By level, then points, then deduction, then the smaller number. `ValueError` for none.
    """
    return min(clauses, key=lambda c: (-c.level.rank, -c.points, -c.deduction, c.no))


def months_later(day: date, months: int) -> date:
    """The same day `months` later, or that month's last day where it has no such day."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month0 + 1)[1]
    return date(year, month0 + 1, min(day.day, last))


def parse_catalogue(content: Mapping[str, Any]) -> Catalogue:
    """The catalogue that `content` describes. Raises `ContentError` (a `ValueError`)."""
    root = Reader(content)
    root.only("clauses", "outcomes", "repetition")
    clauses: dict[str, Clause] = {}
    for entry in root.field("clauses").items():
        clause = _clause(entry)
        if clause.no in clauses:
            entry.complain(phrase("Clause %(no)s is there twice.", no=clause.no))
        clauses[clause.no] = clause
    outcomes = root.field("outcomes")
    repetition = root.field("repetition")
    catalogue = Catalogue(
        MappingProxyType(clauses),
        MappingProxyType({level: _outcome(outcomes.field(level.value)) for level in Level}),
        repetition.field("months").whole(0, 60),
        repetition.field("points_factor").whole(1, 10),
    )
    root.done()
    return catalogue


def _clause(entry: Reader) -> Clause:
    entry.only("no", "text", "meaning_en", "level", "points", "deduction", "unit", "damages")
    unit, damages = entry.optional("unit"), entry.optional("damages")
    return Clause(
        no=entry.field("no").text(),
        text=entry.field("text").text(),
        meaning_en=entry.field("meaning_en").text(),
        level=entry.field("level").choice(Level),
        points=entry.field("points").whole(0, 100),
        deduction=cents(entry.field("deduction").number(0, 10_000_000, places=2)),
        unit=unit.choice(Unit) if unit else Unit.OCCURRENCE,
        damages=damages.flag() if damages else False,
    )


def _outcome(entry: Reader) -> Outcome:
    entry.only("text", "rectify_working_days", "stop", "report")
    return Outcome(
        text=entry.field("text").text(),
        rectify_working_days=entry.field("rectify_working_days").whole(1, 60),
        stop=entry.field("stop").flag(),
        report=entry.field("report").flag(),
    )


def default_catalogue() -> dict[str, Any]:
    """The shipped content, a fresh copy: "default, edit me"."""
    return {
        "clauses": [
            {
                "no": no,
                "text": text,
                "meaning_en": meaning,
                "level": level.value,
                "points": points,
                "deduction": deduction,
                "unit": _UNITS.get(no, Unit.OCCURRENCE).value,
                "damages": no in _WITH_DAMAGES,
            }
            for no, text, meaning, level, points, deduction in _CLAUSES
        ],
        "outcomes": {
            level.value: {
                "text": text,
                "rectify_working_days": days,
                "stop": level.rank >= Level.SERIOUS.rank,
                "report": level is Level.RED_LINE,
            }
            for level, text, days in _OUTCOMES
        },
        "repetition": {"months": 6, "points_factor": 2},
    }


_OUTCOMES = (
    (Level.MINOR, "警告", 5),
    (Level.ORDINARY, "严重警告", 3),
    (Level.SERIOUS, "按条款处罚 + 整改", 1),
    (Level.RED_LINE, "按条款处罚 + 上报总经办", 1),
)
_UNITS = {"601": Unit.ITEM_DAY, "606": Unit.PERSON}
_WITH_DAMAGES = frozenset({"502"})
_CLAUSES = (
    ("101", "首次联系未主动表明机构及受托身份", "no self-identification", Level.MINOR, 1, "100.00"),
    ("102", "催收记录要素不全或漏记", "incomplete record", Level.MINOR, 1, "50.00"),
    ("103", "催收记录与录音不符", "record contradicts recording", Level.ORDINARY, 2, "200.00"),
    ("104", "未使用现行话术或擅自更改", "wrong script", Level.MINOR, 1, "100.00"),
    (
        "105",
        "客户特殊情况未记录、未及时反馈",
        "special case not fed back",
        Level.ORDINARY,
        2,
        "200.00",
    ),
    (
        "201",
        "未经客户同意，在禁止时段或节假日催收",
        "call in barred hours",
        Level.ORDINARY,
        3,
        "500.00",
    ),
    ("202", "拨打或有效通话超过规定频次", "over frequency", Level.ORDINARY, 3, "500.00"),
    ("203", "恶意连续拨打或短信轰炸", "call or SMS bombing", Level.SERIOUS, 8, "2000.00"),
    (
        "204",
        "对停催、投诉处理中或已撤案账户继续催收",
        "contact on a suspended case",
        Level.SERIOUS,
        8,
        "2000.00",
    ),
    ("301", "言语不文明、态度恶劣", "rudeness", Level.ORDINARY, 3, "500.00"),
    ("302", "辱骂、侮辱或人身攻击", "insult", Level.SERIOUS, 8, "2000.00"),
    ("303", "以暴力或其他方式威胁、恐吓", "threat", Level.RED_LINE, 20, "10000.00"),
    (
        "304",
        "冒充公检法、监管机关或律师，伪造法律文书",
        "impersonation, forgery",
        Level.RED_LINE,
        20,
        "10000.00",
    ),
    ("305", "虚构或夸大逾期后果", "false consequences", Level.SERIOUS, 8, "2000.00"),
    (
        "401",
        "不符合失联条件而联系第三人",
        "third party without ground",
        Level.ORDINARY,
        3,
        "500.00",
    ),
    ("402", "第三人未明确表示代偿而透露欠款信息", "debt disclosed", Level.SERIOUS, 10, "3000.00"),
    ("403", "向第三人施压或要求代偿", "pressing a third party", Level.SERIOUS, 8, "2000.00"),
    ("404", "泄露、私存或买卖客户信息", "data leak or sale", Level.RED_LINE, 20, "20000.00"),
    ("405", "使用未登记电话、私人微信等作业", "unrecorded channel", Level.SERIOUS, 8, "2000.00"),
    ("501", "未经同意擅自承诺减免或分期", "unauthorised concession", Level.SERIOUS, 8, "2000.00"),
    ("502", "私收、截留客户款项", "taking a customer's money", Level.RED_LINE, 20, "20000.00"),
    (
        "601",
        "逾期提交调取材料",
        "late material, per item and working day",
        Level.ORDINARY,
        1,
        "200.00",
    ),
    ("602", "材料缺失且无正当理由", "missing material", Level.ORDINARY, 3, "500.00"),
    (
        "603",
        "剪辑、替换、伪造或选择性提供录音",
        "tampered or selective",
        Level.RED_LINE,
        20,
        "10000.00",
    ),
    ("604", "投诉逾期回复或瞒报", "late or hidden complaint", Level.SERIOUS, 5, "1000.00"),
    ("605", "整改逾期或虚假整改", "late or sham correction", Level.ORDINARY, 3, "500.00"),
    (
        "606",
        "未培训、未登记人员上岗",
        "unregistered agent, per person",
        Level.ORDINARY,
        3,
        "500.00",
    ),
    ("607", "擅自转委托或分包", "subcontracting", Level.RED_LINE, 20, "50000.00"),
)

DEFAULT_CATALOGUE = parse_catalogue(default_catalogue())
