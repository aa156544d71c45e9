"""Signatures of papers: what they hold, what they catch, what hinders them."""

from __future__ import annotations

import asyncio
import hashlib
import io
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest
from asn1crypto import cms
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from pyhanko.pdf_utils.generic import NameObject, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.signers import Signer

from demo import authority
from portal.kernel.settings import Settings, Signing
from portal.notices.render import Edition, render
from portal.notices.signing.desk import Desk, open_desk
from portal.notices.signing.errors import SigningError, TimeStampError
from portal.notices.signing.fields import ISSUER, RECEIPTS
from portal.notices.signing.keys import KeySigner
from portal.notices.signing.pades import Statement
from portal.notices.signing.timestamps import TIMEOUT_SECONDS
from portal.notices.signing.verify import Problem
from tests.notices.reading import flat
from tests.notices.samples import SAMPLES
from tests.notices.signing import COMPANY, FIRST, LAST, certificates, signing, stamp_server
from tests.ports import free_port

NOW = datetime(2026, 11, 3, 2, 0, tzinfo=UTC)
ISSUED = Statement("签发 ZG-HC-2026-0012", COMPANY, NOW)
RECEIVED = Statement("签收无异议 ZG-HC-2026-0012 经理 周经理 2026-11-03 10:05:00", "华诚", NOW)


@pytest.fixture(scope="module")
def plain() -> Settings:
    return Settings.from_env(
        {
            "PORTAL_ENV": "test",
            "DATABASE_URL": "postgresql://nobody@localhost/none",
            "PORTAL_SECRET_KEY": "a test's secret key, known to all",
            "PORTAL_MASTER_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("signing"))


@pytest.fixture(scope="module")
def desk(plain: Settings, folder: Path) -> Desk:
    return open_desk(signing(plain, folder))


@pytest.fixture(scope="module")
def papers(desk: Desk) -> tuple[bytes, bytes, bytes]:
    """A notice before signing, as issued, and acknowledged."""
    edition = Edition(signed_by=desk.signer_name)
    made = render("rectification_notice", SAMPLES["rectification_notice"](), "zh_Hans_CN", edition)
    issued = desk.sign(made.pdf, ISSUER, ISSUED, certify=True)
    return made.pdf, issued, desk.sign(issued, RECEIPTS[0], RECEIVED)


def test_each_revision_begins_with_the_one_before(papers: tuple[bytes, ...]) -> None:
    unsigned, issued, acknowledged = papers
    assert issued.startswith(unsigned)
    assert acknowledged.startswith(issued)


def test_both_signatures_hold_and_say_who_and_when(desk: Desk, papers: tuple[bytes, ...]) -> None:
    verdict = desk.verify(papers[2], signatures=2, sha256=hashlib.sha256(papers[2]).hexdigest())
    assert verdict.sound
    assert [(one.field, one.signer, one.reason, one.at) for one in verdict.signatures] == [
        (ISSUER, COMPANY, ISSUED.reason, NOW),
        (RECEIPTS[0], COMPANY, RECEIVED.reason, NOW),
    ]
    assert desk.verify(papers[1], signatures=1).sound
    assert COMPANY in flat(papers[0])


def test_the_kept_envelope_is_the_one_that_pyhanko_builds(desk: Desk) -> None:
    """For any digest, to the byte; and another certificate gets its own."""
    signer = desk.identity.signer if desk.identity else None
    assert isinstance(signer, KeySigner)
    for digest in (hashlib.sha256(b"one").digest(), bytes(32), b"\xff" * 32):
        made = asyncio.run(signer.async_sign(digest, "sha256", use_pades=True))
        assert isinstance(made, bytes)
        signature = cms.ContentInfo.load(made)["content"]["signer_infos"][0]["signature"].native
        with_same = SameSignature(signer, signature)
        built = asyncio.run(Signer.async_sign(with_same, digest, "sha256", use_pades=True))
        assert built.dump() == made


class SameSignature(KeySigner):
    """Gives one signature, whatever is signed."""

    def __init__(self, like: KeySigner, signature: bytes) -> None:
        self.__dict__.update(like.__dict__)
        self._signature = signature

    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False
    ) -> bytes:
        return self._signature


def test_other_programs_are_satisfied(papers: tuple[bytes, ...], tmp_path: Path) -> None:
    file = tmp_path / "paper.pdf"
    file.write_bytes(papers[2])
    subprocess.run(["qpdf", "--check", file], check=True, capture_output=True)
    told = subprocess.run(["pdfsig", "-nocert", file], check=False, capture_output=True, text=True)
    assert told.stdout.count("Signature is Valid") == 2
    assert "Total document signed" in told.stdout
    assert told.stdout.count("ETSI.CAdES.detached") == 2


def test_the_issuers_field_lies_in_the_signature_area(papers: tuple[bytes, ...]) -> None:
    with pikepdf.open(io.BytesIO(papers[0])) as pdf:
        field = next(one for one in pdf.Root.AcroForm.Fields if one.T == ISSUER)
        left, bottom, right, top = (float(x) for x in field.Kids[0].Rect)
    assert right - left > 100
    assert top - bottom > 30


def _flipped(pdf: bytes) -> bytes:
    at = pdf.index(b"stream") + 400
    return pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :]


def _with_page(pdf: bytes) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        opened.add_blank_page()
        opened.save(out)
    return out.getvalue()


def _overlaid(pdf: bytes) -> bytes:
    """An incremental update that changes what the catalog says."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    writer.root[NameObject("/Lang")] = pdf_string("xx")
    writer.update_root()  # type: ignore[no-untyped-call]
    out = io.BytesIO()
    writer.write(out)  # type: ignore[no-untyped-call]
    return out.getvalue()


def test_whatever_is_done_to_a_paper_is_caught(desk: Desk, papers: tuple[bytes, ...]) -> None:
    """One byte, a page, an overlay, bytes behind the end, a revision taken back; each also
    without the stored hash."""
    _unsigned, issued, acknowledged = papers
    stored = hashlib.sha256(acknowledged).hexdigest()
    attacks = {
        "byte": (_flipped(acknowledged), {Problem.BROKEN, Problem.UNREADABLE}),
        "page": (_with_page(acknowledged), set(Problem) - {Problem.HASH}),
        "overlay": (_overlaid(acknowledged), {Problem.CHANGED}),
        "behind": (acknowledged + b"\n%%EOF\n", {Problem.CHANGED, Problem.UNREADABLE}),
        "rolled back": (issued, {Problem.COUNT}),
        "rolled back to nothing": (papers[0], {Problem.UNSIGNED}),
        "empty": (b"", {Problem.UNREADABLE}),
        "no pdf": (b"%PDF-1.7 nothing", {Problem.UNREADABLE}),
    }
    for name, (forged, expected) in attacks.items():
        assert desk.verify(forged, signatures=2, sha256=stored).problem is Problem.HASH, name
        verdict = desk.verify(forged, signatures=2)
        assert verdict.problem in expected, (name, verdict.problem)


def test_a_strangers_certificate_is_not_ours(
    plain: Settings, papers: tuple[bytes, ...], tmp_path: Path
) -> None:
    stranger = open_desk(signing(plain, certificates(tmp_path)))
    assert stranger.verify(papers[1]).problem is Problem.BROKEN


def test_a_time_stamp_stands_in_the_signature(
    plain: Settings, folder: Path, papers: tuple[bytes, ...]
) -> None:
    with stamp_server(folder) as url:
        chosen = signing(plain, folder, tsa_url=url, tsa_trust=str(folder / "tsa.pem"))
        at_desk = open_desk(chosen)
        stamped = at_desk.sign(papers[0], ISSUER, ISSUED, certify=True)
    verdict = at_desk.verify(stamped, signatures=1)
    assert verdict.sound
    assert verdict.signatures[0].stamped


def test_a_time_stamp_server_that_is_down_is_said_in_time(
    plain: Settings, folder: Path, papers: tuple[bytes, ...]
) -> None:
    at_desk = open_desk(signing(plain, folder, tsa_url=f"http://127.0.0.1:{free_port()}/"))
    started = time.monotonic()
    with pytest.raises(TimeStampError, match="does not answer"):
        at_desk.sign(papers[0], ISSUER, ISSUED, certify=True)
    assert time.monotonic() - started < TIMEOUT_SECONDS, "who refuses is not waited for"


def _pkcs12(folder: Path, name: str = "all.p12") -> Path:
    root = authority.issue("根", None, FIRST, LAST)
    certificate, key = authority.issue(COMPANY, root, FIRST, LAST)
    data = pkcs12.serialize_key_and_certificates(
        b"paper", key, certificate, [root[0]], serialization.BestAvailableEncryption(b"open")
    )
    (folder / name).write_bytes(data)
    return folder / name


def test_a_pkcs12_file_signs(plain: Settings, papers: tuple[bytes, ...], tmp_path: Path) -> None:
    chosen = replace(
        plain,
        signing=Signing.PKCS12,
        signing_pkcs12=_pkcs12(tmp_path),
        signing_password="open",
    )
    at_desk = open_desk(chosen)
    signed = at_desk.sign(papers[0], ISSUER, ISSUED, certify=True)
    assert at_desk.verify(signed, signatures=1).sound
    with pytest.raises(SigningError, match="SIGNING_PASSWORD does not open it"):
        open_desk(replace(chosen, signing_password="shut"))


def test_an_rsa_key_signs(plain: Settings, papers: tuple[bytes, ...], tmp_path: Path) -> None:
    root = authority.issue("根", None, FIRST, LAST)
    key = rsa.generate_private_key(65537, 3072)
    certificate, _ = authority.issue(COMPANY, root, FIRST, LAST, key=key)
    (tmp_path / "certificate.pem").write_bytes(authority.pem(certificate) + authority.pem(root[0]))
    (tmp_path / "key.pem").write_bytes(authority.key_pem(key))
    at_desk = open_desk(signing(plain, tmp_path))
    assert at_desk.verify(at_desk.sign(papers[0], ISSUER, ISSUED, certify=True)).sound


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Path]:
    yield certificates(tmp_path / "broken")


def test_what_cannot_sign_is_named_at_the_start(plain: Settings, broken: Path) -> None:
    chosen = signing(plain, broken)
    good_key = (broken / "key.pem").read_bytes()
    (broken / "key.pem").write_bytes(authority.key_pem(ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(SigningError, match="does not belong to the certificate"):
        open_desk(chosen)
    (broken / "key.pem").write_bytes(b"no key")
    with pytest.raises(SigningError, match=r"SIGNING_KEY: key\.pem is no private key"):
        open_desk(chosen)
    (broken / "key.pem").unlink()
    with pytest.raises(SigningError, match=r"SIGNING_KEY: .* cannot be read"):
        open_desk(chosen)
    (broken / "key.pem").write_bytes(good_key)
    (broken / "certificate.pem").write_bytes(b"no certificate")
    with pytest.raises(SigningError, match="holds no certificate"):
        open_desk(chosen)


def test_a_certificate_out_of_date_signs_nothing(
    plain: Settings, papers: tuple[bytes, ...], tmp_path: Path
) -> None:
    with pytest.raises(SigningError, match="expired on 2025-01-01"):
        open_desk(
            signing(plain, certificates(tmp_path / "a", last=datetime(2025, 1, 1, tzinfo=UTC)))
        )
    with pytest.raises(SigningError, match="valid only from 2029"):
        open_desk(
            signing(plain, certificates(tmp_path / "b", first=datetime(2029, 1, 1, tzinfo=UTC)))
        )
    soon = certificates(tmp_path / "c", last=datetime(2027, 1, 1, tzinfo=UTC))
    at_desk = open_desk(signing(plain, soon))
    later = replace(ISSUED, at=datetime(2027, 1, 2, tzinfo=UTC))
    with pytest.raises(SigningError, match="expired on 2027-01-01"):
        at_desk.sign(papers[0], ISSUER, later, certify=True)
