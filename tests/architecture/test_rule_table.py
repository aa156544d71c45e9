"""docs/rules.md, the settings of docs/operations.md and README's folders agree with the code."""

import re
import subprocess
from pathlib import Path

import pytest

from portal.kernel import settings

ROOT = Path(__file__).resolve().parents[2]
TABLE = (ROOT / "docs" / "rules.md").read_text("utf-8")
IDS = {
    *(f"A{number}" for number in range(1, 12)),
    *(f"B{number}" for number in range(1, 8)),
    *("C1", "C2.1", "C2.2", "C2.3", "C2.4", "C3.1", "C3.2", "C3.3", "C3.4"),
    *("C4.1", "C4.2", "C4.3", "C5.1", "C5.2", "C6", "C7"),
}
ROWS = {
    cells[0].strip(): cells
    for line in TABLE.splitlines()
    if (cells := line.strip("|").split("|")) and cells[0].strip() in IDS
}
PLACE = re.compile(r"`((?:portal|tenants|tests|templates)/[^`:]+)(?::(\w+))?`")
CITED = re.compile(r"(?:[Rr]ules? |\()([ABC]\d+(?:\.\d)?)(?=[,;:.)\s])")
FOLDERS = ("portal", "tenants", "templates", "tests", "demo", "migrations")
READMES = ("README.md", "README.zh-CN.md")
NAMED = re.compile(
    r"`((?:portal|tenants|templates|static|migrations|tests|demo|devserver|benchmarks|bin|docs"
    r"|requirements)/[\w./-]+)(?::(\w+))?`"
)


def cited() -> dict[str, set[str]]:
    """Rule id -> the files that cite it in words ("rule A3", "(A3)")."""
    found: dict[str, set[str]] = {}
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".html"}:
                for rule in CITED.findall(path.read_text("utf-8")):
                    found.setdefault(rule, set()).add(str(path.relative_to(ROOT)))
    return found


def test_every_rule_has_one_row() -> None:
    assert set(ROWS) == IDS
    for rule in IDS:
        assert len(re.findall(rf"^\| {re.escape(rule)} \|", TABLE, re.M)) == 1, rule


def test_every_place_of_the_table_exists() -> None:
    for path, name in PLACE.findall(TABLE):
        assert (ROOT / path).is_file(), path
        if name:
            text = (ROOT / path).read_text("utf-8")
            assert re.search(rf"^\s*(?:def|class) {name}\b", text, re.M), f"{path}:{name}"


def test_every_rule_cited_in_code_stands_in_the_table_with_code() -> None:
    for rule, files in cited().items():
        assert rule in ROWS, f"{rule} is no rule: {files}"
        assert "`" in ROWS[rule][3], f"{rule} is cited in {files}, and its row names no code"


def test_the_operating_guide_lists_the_settings_as_they_are() -> None:
    assert settings.table() in (ROOT / "docs" / "operations.md").read_text("utf-8")


@pytest.mark.parametrize("readme", READMES)
def test_the_map_of_folders_is_complete(readme: str) -> None:
    text = (ROOT / readme).read_text("utf-8")
    block = text.split("<!-- folders -->")[1]
    named = set(re.findall(r"^([\w.-]+)/ ", block, re.M))
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert named == {path.split("/")[0] for path in tracked if "/" in path}


@pytest.mark.parametrize(
    "document", [*READMES, *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
)
def test_links_between_documents_lead_somewhere(document: str) -> None:
    path = ROOT / document
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text("utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("document", [*READMES, "docs/architecture.md", "docs/operations.md"])
def test_every_place_that_a_document_names_exists(document: str) -> None:
    """Files and folders, and what stands in them (`file.py:name`)."""
    for path, name in NAMED.findall((ROOT / document).read_text("utf-8")):
        place = ROOT / path
        assert place.exists() or path.startswith("static/dist"), path
        assert not name or re.search(rf"\b{name}\b", place.read_text("utf-8")), f"{path}:{name}"
