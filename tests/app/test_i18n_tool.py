"""bin/i18n: what it mends by itself and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    loader = SourceFileLoader("i18n_tool", str(ROOT / "bin" / "i18n"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


def words(
    tool: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch, **files: str
) -> tuple[Any, Any]:
    for name, text in files.items():
        (folder / f"{name}.tsv").write_text(text, "utf-8")
    monkeypatch.setattr(tool, "TERMS", folder)
    monkeypatch.setattr(tool, "ROOT", folder.parent)
    findings = tool.Findings()
    return tool.read_terms(findings), findings


def test_half_width_marks_beside_chinese_become_full_width(tool: ModuleType) -> None:
    assert tool.chinese("已加入 %(n)s 个文件;另有 (0 字节) 的") == (
        "已加入 %(n)s 个文件；另有 （0 字节） 的"
    )
    assert tool.chinese("%(grade)s级(%(level)s):10:40, 1,234") == (
        "%(grade)s级（%(level)s）：10:40, 1,234"
    )


def test_a_gap_a_lost_place_and_a_bare_percent_are_faults(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terms, findings = words(
        tool, tmp_path, monkeypatch, a="Due %(when)s\t截止\nUnused\t没人用\n100% done\t完成 100%\n"
    )
    used = tool.Used()
    for message, file in [
        ("Due %(when)s", "portal/x.py"),
        ("Gone", "portal/x.py"),
        ("100% done", "templates/x.html"),
    ]:
        used.add(message, file, findings)
    tool.check_words(used, terms, findings)
    assert len(findings.faults) == 3
    assert any("placeholders differ" in fault for fault in findings.faults)
    assert any("no translation of 'Gone'" in fault for fault in findings.faults)
    assert any("write %%" in fault for fault in findings.faults)
    assert any("nobody uses 'Unused'" in remark for remark in findings.remarks)


def test_a_message_that_counts_is_whole_or_a_fault(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = "%(n)s files\t%(n)s 个文件\nAll %(n)s rows\t全部 %(n)s 行\n"
    terms, findings = words(tool, tmp_path, monkeypatch, a=table)

    def faults_of(*messages: str | tuple[str, str]) -> str:
        used, found = tool.Used(), tool.Findings()
        for message in messages:
            used.add(message, "portal/x.py", found)
        tool.check_words(used, terms, found)
        return "\n".join(found.faults)

    assert not findings.faults
    whole = ("%(n)s file", "%(n)s files")
    assert not faults_of(whole, ("The only row", "All %(n)s rows"))
    assert "no translation of '%(n)s things'" in faults_of(("%(n)s thing", "%(n)s things"))
    assert "placeholders differ" in faults_of(("%(m)s file", "%(n)s files"))
    assert "two forms for one" in faults_of(whole, ("a file", "%(n)s files"))
    assert "does not elsewhere" in faults_of(whole, "%(n)s files")
    assert "one form for one and many" in faults_of(("%(n)s files", "%(n)s files"))
    made = tool.catalogue("zh_Hans_CN", {"%(n)s files": "%(n)s 个文件"}, {"%(n)s files": whole[0]})
    assert 'msgid "%(n)s file"\nmsgid_plural "%(n)s files"\nmsgstr[0] "%(n)s 个文件"' in made


def test_two_slices_may_not_say_one_thing_in_two_ways(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _terms, same = words(tool, tmp_path, monkeypatch, a="Due\t截止\n", b="Due\t截止\n")
    assert not same.faults
    _terms, other = words(tool, tmp_path, monkeypatch, a="Due\t截止\n", b="Due\t期限\n")
    assert len(other.faults) == 1


def test_the_glossary_has_the_last_word_on_traditional(tool: ModuleType) -> None:
    convert = tool.Converter()
    assert convert("账号 后台 冲账 质检") == "帳號 後台 沖帳 品質檢查"
    assert convert("%(count)s 个文件") == "%(count)s 個檔案"


def test_the_help_is_shown_for_an_unknown_option() -> None:
    done = subprocess.run(
        [sys.executable, "bin/i18n", "--wrong"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "bin/i18n --check" in done.stderr
