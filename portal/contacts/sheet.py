"""The dialler's list of calls (话单): its columns, under the titles that diallers give them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from portal.cases.imports.sheet import CaseNumber
from portal.contacts.rules import Direction
from portal.files.cells import Bad, Book, Cell, Choice, DateTime, Option, Phone, Text
from portal.files.columns import Column, Template
from portal.kernel.clock import BEIJING

MAX_ROWS = 50_000
MOST_SECONDS = 12 * 3600
_STAMP = re.compile(r"20\d{12}", re.ASCII)
_PARTS = re.compile(
    r"(?:(\d{1,2})\s*(?:小时|小時|时|時|h))?\s*(?:(\d{1,3})\s*(?:分钟|分鐘|分|m))?\s*"
    r"(?:(\d{1,5}(?:\.\d+)?)\s*(?:秒钟|秒|s)?)?",
    re.ASCII | re.IGNORECASE,
)
_CLOCK = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d)", re.ASCII)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split("、"))


@dataclass(frozen=True, slots=True)
class Moment:
    """When a call began: whatever `DateTime` reads, and fourteen digits as diallers write them."""

    def parse(self, value: Cell, book: Book) -> datetime:
        """Aware UTC. Raises `Bad`."""
        text = value.strip() if isinstance(value, str) else ""
        if isinstance(value, int | float) and not isinstance(value, bool) and value >= 2e13:
            text = str(int(value))
        if not _STAMP.fullmatch(text):
            return DateTime().parse(value, book)
        try:
            local = datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
        except ValueError:
            raise Bad("not_date", example="2026-11-03 14:22:33") from None
        return local.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Seconds:
    """How long a call lasted: seconds, a clock (`03:25`, `0:03:25`), or words (`3分25秒`)."""

    def parse(self, value: Cell, book: Book) -> int:
        """Whole seconds, rounded. Raises `Bad`."""
        seconds = _seconds(value)
        if seconds is None:
            raise Bad("not_duration", example="205, 03:25, 3分25秒")
        if seconds > MOST_SECONDS:
            raise Bad("too_big", most=MOST_SECONDS)
        return round(seconds)


def _seconds(value: Cell) -> float | None:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, time):
        return value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if value >= 0 else None
    return _seconds_of_text(value.strip()) if isinstance(value, str) else None


def _seconds_of_text(text: str) -> float | None:
    found = _CLOCK.fullmatch(text) or _PARTS.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


@dataclass(frozen=True, slots=True)
class Extension:
    """The agent's extension: text of digits and letters, also where Excel made it a number."""

    def parse(self, value: Cell, book: Book) -> str:
        """As it is written, without a decimal part."""
        if isinstance(value, float) and value == int(value):
            value = int(value)
        return Text(20).parse(str(value) if isinstance(value, int) else value, book)


CONNECTED = Choice(
    (
        Option(
            "yes",
            "已接通",
            "Connected",
            "已接通",
            (
                "是",
                "接通",
                "成功",
                "成功接通",
                "已应答",
                "應答",
                "应答",
                "通话成功",
                "1",
                "answered",
                "answer",
                "y",
                "true",
                "success",
            ),
        ),
        Option(
            "no",
            "未接通",
            "Not connected",
            "未接通",
            (
                "否",
                "失败",
                "失敗",
                "未应答",
                "未應答",
                "无人接听",
                "無人接聽",
                "无应答",
                "忙",
                "占线",
                "关机",
                "停机",
                "空号",
                "拒接",
                "无法接通",
                "用户忙",
                "0",
                "no answer",
                "busy",
                "failed",
                "cancel",
                "n",
                "false",
            ),
        ),
    )
)
DIRECTION = Choice(
    (
        Option(
            Direction.OUT.value,
            "呼出",
            "Outgoing",
            "呼出",
            ("外呼", "主叫", "去电", "拨出", "outbound"),
        ),
        Option(
            Direction.IN.value,
            "呼入",
            "Incoming",
            "呼入",
            ("来电", "來電", "被叫", "拨入", "inbound"),
        ),
    )
)

COLUMNS = (
    Column(
        "call_id",
        "通话编号",
        "Call ID",
        Text(120),
        unique=True,
        personal=True,
        title_hant="通話編號",
        aliases=("通话ID", "呼叫ID", "录音编号", "录音ID", "话单号", "流水号", "callid", "uuid"),
        example="",
        help_zh="拨号系统的通话编号,有则必填",
        help_en="The dialler's own id of the call, if it has one",
        help_hant="撥號系統的通話編號,有則必填",
        width=24,
    ),
    Column(
        "case_no",
        "个案编号",
        "Case number",
        CaseNumber(),
        title_hant="案件編號",
        aliases=("案件编号", "个案序列号", "案件号", "案号", "案件ID"),
        example="HX20261101001",
        help_zh="无个案编号的,按电话号码查找",
        help_en="Without it the case is found by the number called",
        help_hant="無案件編號的,按電話號碼查找",
        width=20,
    ),
    Column(
        "phone",
        "电话号码",
        "Phone",
        Phone(),
        required=True,
        personal=True,
        title_hant="電話號碼",
        aliases=(
            "号码",
            "被叫号码",
            "被叫",
            "客户号码",
            "客户电话",
            "手机号",
            "手机号码",
            "联系电话",
            "外呼号码",
            "拨打号码",
            "对方号码",
            "called",
            "callee",
            "number",
        ),
        example="13800001234",
        width=18,
    ),
    Column(
        "extension",
        "分机号",
        "Extension",
        Extension(),
        title_hant="分機號",
        aliases=("分机", "坐席分机", "座席分机", "主叫分机", "ext", "agent extension"),
        example="8012",
    ),
    Column(
        "agent",
        "工号",
        "Staff number",
        Extension(),
        title_hant="工號",
        aliases=("坐席工号", "座席工号", "坐席", "座席", "员工号", "催收员工号", "agent"),
        example="HC004",
    ),
    Column(
        "started_at",
        "开始时间",
        "Started at",
        Moment(),
        required=True,
        title_hant="開始時間",
        aliases=(
            "通话开始时间",
            "呼叫时间",
            "拨打时间",
            "通话时间",
            "外呼时间",
            "起始时间",
            "start time",
            "start",
            "call time",
        ),
        example=datetime(2026, 11, 3, 6, 22, 33, tzinfo=UTC),
        help_zh="北京时间,至秒",
        help_en="Beijing time, to the second",
        help_hant="北京時間,至秒",
        width=22,
    ),
    Column(
        "seconds",
        "通话时长",
        "Duration",
        Seconds(),
        required=True,
        title_hant="通話時長",
        aliases=(
            "时长",
            "时长(秒)",
            "通话时长(秒)",
            "通话秒数",
            "计费时长",
            "duration",
            "billsec",
            "talk time",
            "seconds",
        ),
        example=205,
        help_zh="秒,或 03:25、3分25秒",
        help_en="Seconds, or 03:25",
        help_hant="秒,或 03:25、3分25秒",
    ),
    Column(
        "connected",
        "是否接通",
        "Connected",
        CONNECTED,
        title_hant="是否接通",
        aliases=(
            "接通",
            "接通状态",
            "呼叫结果",
            "通话结果",
            "通话状态",
            "状态",
            "result",
            "status",
            "disposition",
        ),
        example="yes",
        help_zh="没有该列的,时长大于 0 即视为接通",
        help_en="Without this column, a call that lasted was connected",
        help_hant="沒有該欄的,時長大於 0 即視為接通",
    ),
    Column(
        "direction",
        "呼叫方向",
        "Direction",
        DIRECTION,
        title_hant="呼叫方向",
        aliases=("方向", "呼叫类型", "通话类型", "call type"),
        example="out",
    ),
)

TEMPLATE = Template(
    name="calls",
    columns=COLUMNS,
    title_zh="话单",
    title_en="Call list",
    title_hant="話單",
    max_rows=MAX_ROWS,
    others_ignored=True,
)


def is_connected(values: dict[str, Any]) -> bool:
    """Whether a row's call was connected: as it says, else by its length."""
    said = values.get("connected")
    return said == "yes" if said is not None else bool(values.get("seconds"))
