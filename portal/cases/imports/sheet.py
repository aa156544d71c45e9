"""The workbook of entrusted cases: its columns, in three languages, with examples (UX 8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from portal.cases.rules import normal_case_no
from portal.files.cells import (
    Bad,
    Book,
    CardNumber,
    Cell,
    Choice,
    Date,
    Integer,
    Money,
    Option,
    Phone,
    Text,
)
from portal.files.columns import Column, Template

MAX_ROWS = 50_000
"""Rows a file may hold: what one transaction takes in well under a minute."""


@dataclass(frozen=True, slots=True)
class CaseNumber:
    """A case number, as `portal.cases.rules.normal_case_no` keeps it."""

    def parse(self, value: Cell, book: Book) -> str:
        """The number in half-width capitals without spaces. Raises `Bad`."""
        number = normal_case_no(Text(60).parse(value, book))
        if number is None:
            raise Bad("not_case_no")
        return number


BAND_CHOICES = Choice(
    (
        *(Option(name, name) for name in ("M1", "M2", "M3", "M4", "M5", "M6", "M6+")),
        Option("written_off", "核销", "Written off", "核銷", ("已核销", "已核銷", "坏账核销")),
    )
)
STATUS_CHOICES = Choice(
    (
        Option("in_hand", "在案", "In hand", "在案"),
        Option("suspended", "停催", "Suspended", "停催"),
        Option("withdrawn", "撤案", "Withdrawn", "撤案"),
        Option("returned", "退案", "Returned", "退案"),
        Option("kept", "留案", "Kept", "留案"),
        Option("settled", "结清", "Settled", "結清", ("已结清", "已結清")),
    )
)

COLUMNS = (
    Column(
        "vendor",
        "供应商",
        "Vendor",
        Text(100),
        required=True,
        title_hant="供應商",
        aliases=("外包供应商", "服务商"),
        example="华诚",
        help_zh="供应商的代码、简称或全称",
        help_en="The vendor's code, short name or full name",
        help_hant="供應商的代碼、簡稱或全稱",
    ),
    Column(
        "batch",
        "批次",
        "Batch",
        Text(40),
        required=True,
        title_hant="批次",
        aliases=("批次号", "委案批次"),
        example="2026-11-A",
    ),
    Column(
        "project",
        "项目",
        "Project",
        Text(100),
        required=True,
        title_hant="專案",
        aliases=("项目名称", "項目"),
        example="华诚信用卡",
        help_zh="该供应商合同下的项目名称",
        help_en="A project under the vendor's contract",
        help_hant="該供應商合約下的專案名稱",
    ),
    Column(
        "case_no",
        "个案编号",
        "Case number",
        CaseNumber(),
        required=True,
        title_hant="個案編號",
        aliases=("案件编号", "案件編號", "案件号", "案号"),
        example="HX20261101001",
        help_zh="3 至 40 位字母、数字、汉字、连字符、点或下划线；同一供应商不得重复",
        help_en="3 to 40 letters, digits, Chinese characters, - . _; once per vendor",
        help_hant="3 至 40 位字母、數字、漢字、連字號、點或底線；同一供應商不得重複",
        width=20,
    ),
    Column(
        "entrusting_company",
        "委案公司",
        "Entrusting company",
        Text(100),
        required=True,
        title_hant="委案公司",
        aliases=("委托方", "委案方"),
        example="恒信消费金融",
        width=18,
    ),
    Column(
        "card",
        "卡号",
        "Card number",
        CardNumber(),
        required=True,
        personal=True,
        title_hant="卡號",
        aliases=("账号", "卡号/账号", "帳號"),
        example="6222021234567890123",
        help_zh="8 至 24 位数字，单元格须为文本格式",
        help_en="8 to 24 digits, in a cell formatted as text",
        help_hant="8 至 24 位數字，儲存格須為文字格式",
        width=24,
    ),
    Column(
        "debtor",
        "债务人",
        "Debtor",
        Text(60),
        required=True,
        personal=True,
        title_hant="債務人",
        aliases=("客户姓名", "姓名", "債務人姓名", "债务人姓名"),
        example="张示例",
    ),
    Column(
        "phone",
        "联系电话",
        "Phone",
        Phone(),
        required=True,
        personal=True,
        title_hant="聯絡電話",
        aliases=("手机号", "手机", "电话", "手機號碼"),
        example="13800001234",
        width=16,
    ),
    Column(
        "principal",
        "本金",
        "Principal",
        Money(),
        required=True,
        title_hant="本金",
        example=Decimal("10000.00"),
    ),
    Column(
        "interest",
        "利息",
        "Interest",
        Money(),
        required=True,
        title_hant="利息",
        example=Decimal("860.50"),
    ),
    Column(
        "fees",
        "费用",
        "Fees",
        Money(),
        required=True,
        title_hant="費用",
        aliases=("违约金及费用",),
        example=Decimal("120.00"),
    ),
    Column(
        "amount",
        "委案金额",
        "Amount entrusted",
        Money(least=Decimal("0.01")),
        required=True,
        title_hant="委案金額",
        aliases=("委托金额",),
        example=Decimal("10980.50"),
        help_zh="须等于 本金+利息+费用",
        help_en="Principal + interest + fees",
        help_hant="須等於 本金+利息+費用",
    ),
    Column(
        "days_past_due",
        "逾期天数",
        "Days past due",
        Integer(0, 36_500),
        required=True,
        title_hant="逾期天數",
        aliases=("委案逾期天数",),
        example=75,
    ),
    Column(
        "age_band",
        "委案账龄",
        "Age band",
        BAND_CHOICES,
        required=True,
        title_hant="委案帳齡",
        aliases=("账龄", "帳齡"),
        example="M3",
        help_zh="委案日的账龄，须与逾期天数相符",
        help_en="On the day of entrusting; must fit the days past due",
        help_hant="委案日的帳齡，須與逾期天數相符",
    ),
    Column(
        "entrusted_on",
        "委案日期",
        "Date entrusted",
        Date(),
        required=True,
        title_hant="委案日期",
        aliases=("委案日",),
        example=date(2026, 11, 1),
    ),
    Column(
        "due_back_on",
        "委案到期日",
        "Due back",
        Date(),
        required=True,
        title_hant="委案到期日",
        aliases=("到期日", "退案日期"),
        example=date(2027, 1, 31),
    ),
    Column(
        "group",
        "组别",
        "Group",
        Text(60),
        title_hant="組別",
        aliases=("组", "催收组"),
        example="",
        help_zh="该供应商的催收组，可留空",
        help_en="A group of the vendor; may be empty",
        help_hant="該供應商的催收組，可留空",
    ),
    Column(
        "agent",
        "催收员",
        "Agent",
        Text(60),
        title_hant="催收員",
        aliases=("工号", "催收员工号", "工號"),
        example="",
        help_zh="工号，或该供应商内不重名的姓名，可留空",
        help_en="Staff number, or a name that is unique at the vendor; may be empty",
        help_hant="工號，或該供應商內不重名的姓名，可留空",
    ),
    Column(
        "status",
        "案件状态",
        "Status",
        STATUS_CHOICES,
        title_hant="案件狀態",
        aliases=("状态",),
        example="在案",
        help_zh="留空即为在案",
        help_en="Empty means in hand",
        help_hant="留空即為在案",
    ),
)

TEMPLATE = Template(
    name="cases",
    columns=COLUMNS,
    title_zh="委案清单",
    title_en="Entrusted cases",
    title_hant="委案清單",
    max_rows=MAX_ROWS,
)
