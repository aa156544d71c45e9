"""The workbook of penalty clauses: its columns, in three languages, with examples (UX 8)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from portal.files.cells import Choice, Date, Integer, Money, Option, Text
from portal.files.columns import Column, Template

MAX_ROWS = 500
LEVELS = Choice(
    (
        Option("minor", "轻微", "Minor", "輕微"),
        Option("ordinary", "一般", "Ordinary", "一般"),
        Option("serious", "严重", "Serious", "嚴重", ("Severe",)),
        Option("red_line", "红线", "Red line", "紅線"),
    )
)
UNITS = Choice(
    (
        Option("occurrence", "次", "Occurrence", "次"),
        Option("item_day", "件·工作日", "Item and working day", "件·工作日", ("件工作日",)),
        Option("person", "人", "Person", "人"),
    )
)
YES_NO = Choice((Option("yes", "是", "Yes", "是"), Option("no", "否", "No", "否")))

COLUMNS = (
    Column(
        "no",
        "条款编号",
        "Clause no.",
        Text(20),
        required=True,
        unique=True,
        title_hant="條款編號",
        aliases=("编号", "条款号", "条号", "No."),
        example="301",
    ),
    Column(
        "text",
        "条文",
        "Text",
        Text(500),
        required=True,
        title_hant="條文",
        aliases=("条款内容", "违规行为", "内容"),
        example="言语不文明、态度恶劣",
        help_zh="评估表上逐字引用的条文",
        help_en="Quoted word for word on assessment forms",
        help_hant="評估表上逐字引用的條文",
        width=50,
    ),
    Column(
        "meaning_en",
        "英文含义",
        "Meaning in English",
        Text(200),
        title_hant="英文含義",
        aliases=("英文",),
        example="rudeness",
        help_zh="可空：沿用现行版本，没有则同条文",
        help_en="May be empty: as in the present version, else the text",
        help_hant="可空：沿用現行版本，沒有則同條文",
        width=30,
    ),
    Column(
        "level",
        "严重程度",
        "Severity",
        LEVELS,
        required=True,
        title_hant="嚴重程度",
        aliases=("等级", "级别", "程度"),
        example="ordinary",
    ),
    Column(
        "points",
        "扣分",
        "Points",
        Integer(0, 100),
        required=True,
        title_hant="扣分",
        aliases=("分值",),
        example=3,
    ),
    Column(
        "deduction",
        "扣款(元)",
        "Deduction, CNY",
        Money(most=Decimal("10000000.00")),
        required=True,
        title_hant="扣款(元)",
        aliases=("扣款", "违约金", "处罚金额"),
        example=Decimal("500.00"),
    ),
    Column(
        "unit",
        "计量",
        "Counted per",
        UNITS,
        title_hant="計量",
        aliases=("计量单位",),
        example="occurrence",
        help_zh="可空：次",
        help_en="May be empty: occurrence",
        help_hant="可空：次",
    ),
    Column(
        "damages",
        "另赔损失",
        "Plus damages",
        YES_NO,
        title_hant="另賠損失",
        aliases=("赔偿损失",),
        example="no",
    ),
    Column(
        "abolished",
        "废止",
        "Abolished",
        YES_NO,
        title_hant="廢止",
        example="no",
        help_zh="填“是”则新版本中不再有此条款；文件中未列出的条款保持不变",
        help_en="Yes takes the clause out of the new version; clauses not in the file stay",
        help_hant="填「是」則新版本中不再有此條款；檔案中未列出的條款保持不變",
    ),
    Column(
        "in_force_from",
        "生效日期",
        "In force from",
        Date(),
        required=True,
        title_hant="生效日期",
        aliases=("生效日", "施行日期"),
        example=date(2026, 12, 1),
        help_zh="整个文件同一日期，不得早于今天",
        help_en="The same day in every row; not before today",
        help_hant="整個檔案同一日期，不得早於今天",
    ),
)

TEMPLATE = Template(
    name="clauses",
    columns=COLUMNS,
    title_zh="不规范催收处罚条例",
    title_en="Penalty clauses",
    title_hant="不規範催收處罰條例",
    max_rows=MAX_ROWS,
)
