"""Hostile, odd and huge content: nothing runs, nothing is fetched, nothing takes for ever."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
import time
from typing import Any

import pytest
from weasyprint import HTML
from weasyprint.urls import FatalURLFetchingError

from portal.notices.assets import Assets
from portal.notices.render import MOST_TEXT, render
from portal.notices.schema import Leaf, Text, mapped
from portal.notices.snapshots import KINDS, InvalidSnapshot, TooLarge
from tests.notices.reading import attached, data_of, flat
from tests.notices.samples import (
    FINDINGS,
    SAMPLES,
    assessment_form,
    delivery_receipt,
    material_request,
)

HOSTILE = (
    "<img src='file:///etc/passwd'>{{7*7}}</td><style>@import 'http://x.invalid/a.css'</style>"
)


ODD = {
    "markup": HOSTILE,
    "xml": "]]><!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>&x;&nbsp;<!--<![CDATA[\x00\x0b",
    "emoji": "👩\u200d👩\u200d👧\u200d👦🏳️\u200d🌈1️⃣催收",
    "right to left": "مرحبا بالعالم שלום עולם \u202eهنا\u202c \u2067abc\u2069",
    "long": "W" * 400,
    "no glyph": "𠮷\ue000\uffff\ufffe\U000e0001\U0010ffff",
    "marks": "e" + "\u0301" * 60,
}
"""What is put into every text of a paper, by kind."""


def with_facts(facts: str) -> dict[str, Any]:
    return {**assessment_form(1), "findings": [{**FINDINGS[0], "facts": facts}]}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("template", SAMPLES)
def test_odd_text_in_every_field_is_printed_and_not_obeyed(template: str, odd: str) -> None:
    def poison(leaf: Leaf, value: str) -> str:
        return (value + ODD[odd])[: leaf.most] if isinstance(leaf, Text) else value

    content = mapped(KINDS[template], SAMPLES[template](), poison)
    started = time.process_time()
    made = render(template, content, "zh_Hans_CN")
    assert time.process_time() - started < 15
    assert made.pages < 40
    text = flat(made.pdf)
    assert content["number"] in text
    assert "root:" not in text
    if odd == "markup":
        assert "<imgsrc='file:///etc/passwd'>{{7*7}}" in text.replace("\u200b", "")
    if odd in {"emoji", "right to left", "no glyph"}:
        assert "〓表示无法打印的字符" in text
    kept = data_of(made.pdf, content["number"])
    assert kept["vendor"]["name"] == content["vendor"]["name"]


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd", "http://169.254.169.254/", "https://x.invalid/a.png",
        "data:image/png;base64,AAAA", "asset:../../portal/kernel/settings.py", "asset:/etc/passwd",
        "ftp://x.invalid/", "ASSET:mark.svg",
    ],
)  # fmt: skip
def test_only_known_assets_are_fetched(address: str) -> None:
    with pytest.raises(FatalURLFetchingError):
        Assets().fetch(address)
    with pytest.raises(FatalURLFetchingError):
        HTML(string=f'<img src="{address}" alt="">', url_fetcher=Assets()).render()


def test_a_character_without_a_glyph_is_marked_and_the_data_keep_it() -> None:
    facts = "客户回复😀并称\u202eאבג\u202c\u0007,姓名含𠮷、堃、镕。"
    pdf = render("assessment_form", with_facts(facts), "zh_Hant_TW").pdf
    text = flat(pdf)
    assert "客户回复〓并称〓〓〓,姓名含〓、堃、镕。" in text
    assert "U+1F600,U+05D0,U+05D1,U+05D2,U+20BB7" in text
    assert data_of(pdf, "JH-HC-2026-0009")["findings"][0]["facts"] == facts


@pytest.mark.parametrize("word", ["x" * 5000, "…" * 5000, "x\u00a0" * 2500, "e\u0301\u0302" * 1600])
def test_a_word_that_fills_a_field_is_laid_out_in_bounded_time(word: str) -> None:
    started = time.process_time()
    made = render("assessment_form", with_facts(word), "zh_Hans_CN")
    assert time.process_time() - started < 10
    assert made.pages < 10


def test_a_word_of_twenty_thousand_letters_is_refused_at_once() -> None:
    started = time.process_time()
    with pytest.raises(InvalidSnapshot, match=r"findings\[0\]\.facts: 20000 characters, at most"):
        render("assessment_form", with_facts("x" * 20_000), "zh_Hans_CN")
    assert time.process_time() - started < 1


def test_more_rows_go_along_as_a_sheet_of_the_whole_list() -> None:
    content: Any = delivery_receipt(620)
    content["files"][0]["name"] = "=cmd()-00.xlsx"
    pdf = render("delivery_receipt", content, "zh_Hans_CN").pdf
    data = attached(pdf)["DQ-HC-2026-0012-R1-files.csv"]
    rows = list(csv.reader(data.decode("utf-8-sig").splitlines()))
    assert rows[0][:2] == ["文件名", "个案编号"]
    assert len(rows) == 621
    assert rows[1][0] == "'=cmd()-00.xlsx"
    text = flat(pdf)
    assert content["files"][499]["sha256"] in text
    assert content["files"][500]["sha256"] not in text
    assert "共620行，此处列示前500行" in text
    assert hashlib.sha256(data).hexdigest() in text


HUGE = """
import json, resource, sys, time
from portal.notices.render import render
from tests.notices import samples
template, rows = sys.argv[1], int(sys.argv[2])
render("rectification_notice", samples.rectification_notice(), "zh_Hans_CN")
before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
made = render(template, samples.SAMPLES[template](rows), "zh_Hans_CN")
taken = time.process_time() - started
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
sys.stdout.buffer.write(json.dumps([taken, grown, made.pages]).encode() + b"\\n" + made.pdf)
"""


@pytest.mark.parametrize(
    ("template", "sheet"),
    [("delivery_receipt", "DQ-HC-2026-0012-R1-files.csv"), ("material_request", "cases.csv")],
)
def test_ten_thousand_rows_take_bounded_time_and_memory(template: str, sheet: str) -> None:
    """Measured on two cores: 6 s of processor time and 100 MB more; here with room to spare."""
    run = subprocess.run(
        [sys.executable, "-c", HUGE, template, "10000"], capture_output=True, check=True
    )
    told, _, pdf = run.stdout.partition(b"\n")
    taken, grown, pages = json.loads(told)
    assert taken < 30
    assert grown < 250
    assert pages < 40
    (data,) = (body for name, body in attached(pdf).items() if name.endswith(sheet))
    assert len(data.decode("utf-8-sig").splitlines()) == 10_001
    text = flat(pdf)
    assert "共10,000行，此处列示前500行" in text
    assert hashlib.sha256(data).hexdigest() in text


def test_what_is_too_large_is_refused_by_name() -> None:
    with pytest.raises(TooLarge, match="cases has 10001, at most 10000"):
        render("material_request", material_request(10_001), "zh_Hans_CN")
    content: Any = assessment_form(60)
    content["findings"] = [FINDINGS[0] | {"facts": "甲\n" * 2000}] * 60
    with pytest.raises(TooLarge, match=f"at most {MOST_TEXT}"):
        render("assessment_form", content, "zh_Hans_CN")
