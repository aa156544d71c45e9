"""The workbook of receipts: its columns, in three languages, with examples (UX 8)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from portal.cases.imports.sheet import CaseNumber
from portal.files.cells import Date, Money, Text
from portal.files.columns import Column, Template

MAX_ROWS = 50_000
_MOST = Decimal("9999999999.99")

COLUMNS = (
    Column(
        "serial",
        "流水号",
        "Serial",
        Text(64),
        required=True,
        unique=True,
        title_hant="流水號",
        aliases=("回款流水号", "入账流水号", "交易流水号"),
        example="HK20261103000001",
        help_zh="财务系统的入账流水号，全公司唯一；长号码的单元格须为文本格式",
        help_en="Finance's number of the entry, unique; in a cell formatted as text",
        help_hant="財務系統的入帳流水號，全公司唯一；長號碼的儲存格須為文字格式",
        width=24,
    ),
    Column(
        "vendor",
        "供应商",
        "Vendor",
        Text(100),
        title_hant="供應商",
        aliases=("外包供应商", "服务商"),
        example="华诚",
        help_zh="代码、简称或全称；仅当多家供应商有同一个案编号时必填",
        help_en="Code, short or full name; needed only if several vendors have the case",
        help_hant="代碼、簡稱或全稱；僅當多家供應商有同一案件編號時必填",
    ),
    Column(
        "case_no",
        "个案编号",
        "Case number",
        CaseNumber(),
        required=True,
        title_hant="案件編號",
        aliases=("案件编号", "案件号", "案号"),
        example="HX20261101001",
        width=20,
    ),
    Column(
        "credited_on",
        "入账日期",
        "Credited on",
        Date(),
        required=True,
        title_hant="入帳日期",
        aliases=("入账日", "回款日期", "到账日期"),
        example=date(2026, 11, 3),
        help_zh="款项到账的日期，不得晚于今天",
        help_en="The day on which the money came in; not later than today",
        help_hant="款項到帳的日期，不得晚於今天",
    ),
    Column(
        "amount",
        "金额",
        "Amount",
        Money(least=-_MOST, most=_MOST),
        required=True,
        title_hant="金額",
        aliases=("回款金额", "入账金额"),
        example=Decimal("1250.00"),
        help_zh="冲正填负数",
        help_en="Negative for a reversal",
        help_hant="沖正填負數",
    ),
    Column(
        "reverses",
        "冲正流水号",
        "Reversal of serial",
        Text(64),
        title_hant="沖正流水號",
        aliases=("被冲正流水号", "原流水号"),
        example="",
        help_zh="仅冲正填写：被冲正的那笔回款的流水号",
        help_en="For a reversal only: the serial of the receipt that it takes back",
        help_hant="僅沖正填寫：被沖正的那筆回款的流水號",
        width=24,
    ),
)

TEMPLATE = Template(
    name="receipts",
    columns=COLUMNS,
    title_zh="回款清单",
    title_en="Receipts",
    title_hant="回款清單",
    max_rows=MAX_ROWS,
)
