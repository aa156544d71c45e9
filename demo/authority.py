"""A certificate authority of the demo's own, and the company's signing certificate from it.

For trying out only: nobody else trusts this authority, and a reader of the paper says so.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

YEARS = timedelta(days=3653)
# The demo plays months of history; its papers are signed at their own time.
BACKDATED = timedelta(days=800)
_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Issued = tuple[x509.Certificate, Key]


def make(folder: Path, company: str) -> None:
    """Make authority, certificate and key in `folder`, unless they are there."""
    if (folder / "key.pem").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    authority = issue(f"{company} 演示根证书", None, now - BACKDATED, now + YEARS)
    certificate, key = issue(company, authority, now - BACKDATED, now + YEARS)
    chain = pem(certificate) + pem(authority[0])
    (folder / "authority.pem").write_bytes(pem(authority[0]))
    (folder / "certificate.pem").write_bytes(chain)
    private = folder / "key.pem"
    private.touch(mode=0o600)
    private.write_bytes(key_pem(key))


def settings(folder: Path, company: str) -> dict[str, str]:
    """The settings that sign with a certificate of the demo's own authority, made when needed."""
    make(folder, company)
    return {
        "SIGNING": "pem",
        "SIGNING_CERTIFICATE": str(folder / "certificate.pem"),
        "SIGNING_KEY": str(folder / "key.pem"),
    }


def issue(
    name: str,
    authority: Issued | None,
    first: datetime,
    last: datetime,
    *,
    stamps: bool = False,
    key: Key | None = None,
) -> Issued:
    """A certificate and its key; an authority's own when `authority` is None. `stamps` makes it a
    time stamp server's."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    signer = authority[1] if authority else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority[0].subject if authority else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(first)
        .not_valid_after(last)
        .add_extension(x509.BasicConstraints(authority is None, None), critical=True)
        .add_extension(_usage(authority is None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
            critical=False,
        )
    )
    if stamps:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(purpose, critical=True)
    return builder.sign(signer, hashes.SHA256()), key


def _usage(authority: bool) -> x509.KeyUsage:
    allowed = (
        {"key_cert_sign", "crl_sign"} if authority else {"digital_signature", "content_commitment"}
    )
    return x509.KeyUsage(**{usage: usage in allowed for usage in _USAGES})


def pem(certificate: x509.Certificate) -> bytes:
    """The certificate in PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key: Key) -> bytes:
    """The key in PEM, unencrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
