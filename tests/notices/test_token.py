"""Papers signed by a key that never leaves its token (SoftHSM, Debian's softhsm2)."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pkcs11
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pkcs11.exceptions import SessionHandleInvalid
from pkcs11.util.x509 import decode_x509_certificate

from demo import authority
from portal.kernel.settings import Settings, Signing
from portal.notices.signing.desk import Desk, open_desk
from portal.notices.signing.errors import SigningError
from portal.notices.signing.fields import ISSUER, RECEIPTS
from portal.notices.signing.pades import Statement
from portal.notices.signing.token import TokenSigner, _signer
from tests.notices.reading import sample
from tests.notices.signing import COMPANY, FIRST, LAST

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
LABEL, PIN = "papers", "246810"
NOW = datetime(2026, 11, 3, 2, 0, tzinfo=UTC)
ISSUED = Statement("签发 ZG-HC-2026-0012", COMPANY, NOW)
RECEIVED = Statement("签收无异议 ZG-HC-2026-0012 经理 周经理", "华诚", NOW)
KEYS: dict[str, Callable[[], ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey]] = {
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
}
pytestmark = pytest.mark.skipif(not MODULE.exists(), reason="Debian's softhsm2 is not installed")


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A token that holds a key and a certificate of each kind, by the kind's name."""
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    tool = shutil.which("softhsm2-util") or "softhsm2-util"
    pins = ["--pin", PIN, "--so-pin", PIN]
    subprocess.run(
        [tool, "--init-token", "--free", "--label", LABEL, *pins], check=True, capture_output=True
    )
    root = authority.issue("令牌根证书", None, FIRST, LAST)
    for number, (name, make) in enumerate(KEYS.items(), start=1):
        certificate, key = authority.issue(COMPANY, root, FIRST, LAST, key=make())
        (folder / "key.pem").write_bytes(authority.key_pem(key))
        importing = ["--import", str(folder / "key.pem"), "--token", LABEL, "--pin", PIN]
        subprocess.run(
            [tool, *importing, "--label", name, "--id", f"A{number}"],
            check=True,
            capture_output=True,
        )
        der = certificate.public_bytes(serialization.Encoding.DER)
        found = pkcs11.lib(str(MODULE)).get_token(token_label=LABEL)
        with found.open(rw=True, user_pin=PIN) as session:
            described = decode_x509_certificate(der)
            described[pkcs11.Attribute.TOKEN] = True
            described[pkcs11.Attribute.LABEL] = name
            described[pkcs11.Attribute.ID] = bytes.fromhex(f"A{number}")
            session.create_object(described)
    (folder / "key.pem").unlink()
    (folder / "root.pem").write_bytes(authority.pem(root[0]))
    yield Settings.from_env(
        {
            "PORTAL_ENV": "test",
            "DATABASE_URL": "postgresql://nobody@localhost/none",
            "PORTAL_SECRET_KEY": "a test's secret key, known to all",
            "PORTAL_MASTER_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "SIGNING": Signing.PKCS11.value,
            "SIGNING_PKCS11": str(MODULE),
            "SIGNING_PKCS11_TOKEN": LABEL,
            "SIGNING_PKCS11_KEY": "p256",
            "SIGNING_PASSWORD": PIN,
            "SIGNING_TRUST": str(folder / "root.pem"),
        }
    )
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


@contextmanager
def opened(settings: Settings) -> Iterator[tuple[Desk, TokenSigner]]:
    """A desk and its signer; the token is closed behind it (a PIN is asked for once a process)."""
    at_desk = open_desk(settings)
    signer = at_desk.identity.signer if at_desk.identity else None
    assert isinstance(signer, TokenSigner)
    try:
        yield at_desk, signer
    finally:
        with suppress(SessionHandleInvalid):
            signer._inner.pkcs11_session.close()


@pytest.mark.parametrize("key", KEYS)
def test_a_key_in_a_token_signs_and_acknowledges(token: Settings, key: str, tmp_path: Path) -> None:
    with opened(replace(token, signing_pkcs11_key=key)) as (at_desk, _):
        assert at_desk.signer_name == COMPANY
        issued = at_desk.sign(sample("rectification_notice").pdf, ISSUER, ISSUED, certify=True)
        again = at_desk.sign(sample("fee_statement").pdf, ISSUER, ISSUED, certify=True)
        received = at_desk.sign(issued, RECEIPTS[0], RECEIVED)
    assert at_desk.verify(received, signatures=2).sound
    assert at_desk.verify(again, signatures=1).sound
    file = tmp_path / "paper.pdf"
    file.write_bytes(received)
    told = subprocess.run(["pdfsig", "-nocert", file], check=False, capture_output=True, text=True)
    assert told.stdout.count("Signature is Valid") == 2


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"signing_password": "135791"}, "the token does not open"),
        ({"signing_pkcs11_token": "other"}, "the token does not open"),
        ({"signing_pkcs11": "/usr/lib/nothing.so"}, "the token does not open"),
        ({"signing_pkcs11_key": "other"}, "SIGNING_PKCS11"),
    ],
)
def test_a_token_that_does_not_open_is_named(
    token: Settings, change: dict[str, str], told: str
) -> None:
    with pytest.raises(SigningError, match=told):
        open_desk(replace(token, **change))  # type: ignore[arg-type]


def test_a_session_that_ended_is_opened_once_more(
    token: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsigned = sample("fee_statement").pdf
    with opened(token) as (at_desk, signer):
        signer._inner.pkcs11_session.close()
        signed = at_desk.sign(unsigned, ISSUER, ISSUED, certify=True)
        assert at_desk.verify(signed, signatures=1).sound
        # Taken out for good: its session ends, and no slot holds it.
        signer._inner.pkcs11_session.close()
        gone = replace(token, signing_pkcs11_token="taken out")
        monkeypatch.setattr(signer, "_opened", lambda: _signer(gone))
        with pytest.raises(SigningError, match="the token refused"):
            at_desk.sign(unsigned, ISSUER, ISSUED, certify=True)


def test_two_desks_share_a_token(token: Settings) -> None:
    with opened(token) as (one, _), opened(replace(token, signing_pkcs11_key="rsa")) as (other, _):
        for at_desk in (one, other):
            signed = at_desk.sign(sample("fee_statement").pdf, ISSUER, ISSUED, certify=True)
            assert at_desk.verify(signed, signatures=1).sound
