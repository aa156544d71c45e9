"""Who may import whom: the contracts in pyproject.toml hold, and can fail."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")


def lint(tree: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run the linter on a tree; in a process of its own, which has not imported ours."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [LINTER, "--no-logo", "--no-cache", *options],
        cwd=tree,
        env={**environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code, to plant imports in."""
    copy = tmp_path_factory.mktemp("tree")
    for package in ("portal", "tenants"):
        shutil.copytree(
            ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__", "*.po")
        )
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def test_the_contracts_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("contract", "file", "planted", "told"),
    [
        (
            "layers",
            "portal/calendar/rules.py",
            "import portal.cases.rules",
            "portal.calendar is not allowed to import portal.cases",
        ),
        (
            "layers",
            "portal/deadlines/rules.py",
            "import portal.jobs",
            "portal.deadlines is not allowed to import portal.jobs",
        ),
        ("layers", "portal/odds_and_ends/__init__.py", "", "portal.odds_and_ends"),
        (
            "tenants-lowest",
            "tenants/scope.py",
            "import portal.kernel.clock",
            "tenants is not allowed to import portal",
        ),
        (
            "pure-rules",
            "portal/fees/rules.py",
            "import sqlalchemy.orm",
            "portal.fees.rules is not allowed to import sqlalchemy",
        ),
        (
            "pure-rules",
            "portal/kernel/money.py",
            "import portal.kernel.web",
            "portal.kernel.money -> portal.kernel.web",
        ),
        (
            "no-web-below-views",
            "portal/cases/service.py",
            "from flask import request",
            "portal.cases.service is not allowed to import flask",
        ),
        (
            "production-only",
            "portal/files/service.py",
            "import devserver.demo",
            "portal is not allowed to import devserver",
        ),
    ],
)
def test_a_planted_import_is_caught(
    tree: Path, contract: str, file: str, planted: str, told: str
) -> None:
    path = tree / file
    before = path.read_text() if path.exists() else None
    new_folder = not path.parent.exists()
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{before or ''}\n{planted}\n")
    try:
        done = lint(tree, "--contract", contract)
    finally:
        if before is not None:
            path.write_text(before)
        elif new_folder:
            shutil.rmtree(path.parent)
        else:
            path.unlink()
    assert done.returncode == 1
    assert "BROKEN" in done.stdout and told in done.stdout, done.stdout
