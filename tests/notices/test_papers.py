"""Every paper in every language: what it says, what it carries, that it is the same each time."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pikepdf
import pytest
import segno
from PIL import Image

from portal.notices.render import Edition, render
from tests.notices.reading import LOCALES, data_of, flat, sample, text_of
from tests.notices.samples import CARDS, SAMPLES, fee_statement, material_request

TITLES = {
    "material_request": ("材料调取通知", "材料調取通知", "Materialrequest"),
    "delivery_receipt": ("材料接收回执", "材料接收回執", "Receiptofmaterials"),
    "assessment_form": ("日常稽核评估表", "日常稽核評估表", "Dailyauditassessmentform"),
    "rectification_notice": ("整改通知书", "整改通知書", "Rectificationnotice"),
    "score_report": ("月度考核结果", "月度考核結果", "Monthlyassessmentresult"),
    "fee_statement": ("费用结算单", "費用結算單", "Feestatement"),
}
# What a reader must find on the Chinese paper (A3, A5, A6, C2.4, C7).
SAYS = {
    "material_request": [
        "随机抽取12件", "1,203件", "2026年9月28日周一18:00", "9月27日周日（调休上班）",
        "9月25日周五中秋节", "JH2026080011-3264", "622848*********7890", "无法提供",
    ],
    "delivery_receipt": [
        "按期提交", "2026年9月28日17:41:20", "无法提供：未外访", "孙晓梅", "签发日期",
    ],
    "assessment_form": [
        "江海银行股份有限公司信用卡中心", "622848*********7890", "第402条",
        "第三人未明确表示代偿而透露欠款信息",
        "按条款402处罚并责令整改", "周明远", "83.3%", "3,100.00", "签收并申诉", "3个工作日",
    ],
    "rectification_notice": ["签收回执", "2026年9月28日周一18:00", "第605条", "抄送", "问题原因"],
    "score_report": ["89.6", "0.95", "5.5", "JH-HC-2026-0009第1项", "80分以上，不满90分"],
    "fee_statement": [
        "54,900.00", "人民币伍万肆仟玖佰元整", "51,792.45", "3,107.55", "57,000.00",
        "−2,500.00", "−2,000.00", "第2至6行之和", "第1行×阶梯系数1.00",
        "91440300MA5F2XXX7K", "全额累进", "违约扣款",
    ],
}  # fmt: skip


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("template", SAMPLES)
def test_a_paper_carries_its_number_title_and_pages(template: str, locale: str) -> None:
    made = sample(template, locale)
    content = SAMPLES[template]()
    text = flat(made.pdf)
    assert TITLES[template][LOCALES.index(locale)] in text
    assert text.count(content["number"]) > made.pages
    assert "K7Q2-MZ4X-H3VN-B6TA" in text
    assert "None" not in text
    assert "〓" not in text
    with pikepdf.open(io.BytesIO(made.pdf)) as pdf:
        assert len(pdf.pages) == made.pages
        assert str(pdf.Root.Lang) == {"en": "en"}.get(locale, f"zh-{locale[-2:]}")


@pytest.mark.parametrize("template", SAMPLES)
def test_the_chinese_paper_says_what_the_rules_ask(template: str) -> None:
    text = flat(sample(template).pdf)
    assert [words for words in SAYS[template] if words not in text] == []
    assert f"第1页/共{sample(template).pages}页" in text


def test_the_same_content_gives_the_same_bytes_in_another_process() -> None:
    program = (
        "import hashlib, json, sys; from portal.notices.render import render;"
        "print(render('fee_statement', json.load(sys.stdin), 'zh_Hans_CN').sha256)"
    )
    # The database keeps no order of keys.
    shuffled = json.dumps(fee_statement(), sort_keys=True)
    run = subprocess.run(
        [sys.executable, "-c", program], input=shuffled, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == sample("fee_statement").sha256


def test_threads_of_a_worker_do_not_disturb_each_other() -> None:
    content = SAMPLES["rectification_notice"]()
    with ThreadPoolExecutor(3) as pool:
        made = list(
            pool.map(lambda _: render("rectification_notice", content, "zh_Hans_CN"), range(3))
        )
    assert {one.sha256 for one in made} == {sample("rectification_notice").sha256}


@pytest.mark.parametrize("template", SAMPLES)
def test_the_content_goes_along_and_only_the_print_fonts_are_used(template: str) -> None:
    made = sample(template, "zh_Hant_TW")
    content = SAMPLES[template]()
    data = data_of(made.pdf, content["number"])
    assert data["issued_at"] == content["issued_at"]
    assert data["vendor"] == content["vendor"]
    with pikepdf.open(io.BytesIO(made.pdf)) as pdf:
        metadata = pdf.open_metadata()
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "A")
        assert metadata["pdfuaid:part"] == "1"
        names = {str(o.BaseFont) for o in pdf.objects if _is_font(o)}
    assert names
    assert all("+Notice" in name for name in names)


def _is_font(thing: object) -> bool:
    return isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == "/Font"


@pytest.mark.parametrize("display", ["masked", "full"])
def test_card_numbers_show_six_and_four_unless_full_is_chosen(display: str) -> None:
    """Rule A6: 前6后4 by default, on the pages; in the attached data always."""
    content = SAMPLES["assessment_form"]() | {"card_display": display}
    rows = [*content["findings"], *content["reviews"]]
    whole = {row["case_number"]: row["card"] for row in rows}
    pdf = render("assessment_form", content, "zh_Hans_CN", Edition(cards=whole)).pdf
    shown, attached = flat(pdf), json.dumps(data_of(pdf, content["number"]))
    for card in CARDS:
        hidden = f"{card[:6]}{'*' * (len(card) - 10)}{card[-4:]}"
        assert (card in shown) is (display == "full")
        assert (hidden in shown) is (display == "masked")
        assert hidden in attached and card not in attached


def test_a_late_receipt_says_by_how_much() -> None:
    content = SAMPLES["delivery_receipt"]() | {
        "completed_at": "2026-09-29T03:00:00+00:00",
        "issued_at": "2026-09-29T03:00:01+00:00",
        "on_time": False,
        "late_working_days": 1,
        "due": None,
    }
    text = flat(render("delivery_receipt", content, "zh_Hans_CN").pdf)
    assert "逾期1个工作日" in text
    assert "按期提交" not in text


def test_a_called_up_material_gives_its_reason_instead_of_a_draw() -> None:
    """Rule A10."""
    content = SAMPLES["material_request"]() | {
        "basis": "call_up", "draw": None, "reason": "客户投诉通话录音与记录不符"
    }  # fmt: skip
    text = flat(render("material_request", content, "zh_Hans_CN").pdf)
    assert "调取事由：客户投诉通话录音与记录不符" in text
    assert "种子摘要" not in text


def test_table_heads_are_repeated_on_every_page() -> None:
    made = render("material_request", material_request(80), "zh_Hans_CN")
    pages = [page for page in text_of(made.pdf).split("\f") if "JH20260800" in page]
    assert len(pages) > 2
    assert all("委案公司" in page for page in pages)


def test_the_qr_code_holds_the_address_module_by_module(tmp_path: Path) -> None:
    """Sampled at the middle of each module from the printed page, as a phone reads it."""
    file = tmp_path / "paper.pdf"
    file.write_bytes(sample("rectification_notice").pdf)
    subprocess.run(
        ["pdftoppm", "-r", "508", "-f", "1", "-l", "1", "-gray", file, tmp_path / "page"],
        check=True,
    )
    made = segno.make(SAMPLES["rectification_notice"]()["verify_url"], error="m", mask=2)
    modules = [[bool(module) for module in row] for row in made.matrix]
    dots = 508 / 25.4
    left, top, side = 173.5 * dots, 14 * dots, 18 * dots / len(modules)
    with Image.open(next(tmp_path.glob("page*.pgm"))) as page:
        shades = np.asarray(page)
    at = [(index + 0.5) * side for index in range(len(modules))]
    seen = [[int(shades[int(top + y), int(left + x)]) < 128 for x in at] for y in at]
    assert seen == modules
