"""The company's signing certificate and its key: from PEM, PKCS#12 or a PKCS#11 token.

What cannot sign is refused when the worker starts, with what to mend: a file that is missing, a
wrong password, a key that is not the certificate's, a certificate that is out of date or not for
signing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from pyhanko.sign.signers import Signer
from pyhanko_certvalidator.registry import SimpleCertificateStore

from portal.kernel.settings import Settings, Signing
from portal.notices.signing import token
from portal.notices.signing.envelope import EnvelopeSigner
from portal.notices.signing.errors import SigningError

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
LEAST_RSA_BITS = 2048
Digest = type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512]
_HASHES: Mapping[str, Digest] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate that may sign, what signs with its key, and whom a check trusts."""

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    roots: tuple[x509.Certificate, ...]
    signer: Signer

    @property
    def subject(self) -> str:
        """The certificate's common name, or the organisation's."""
        return name_of(self.certificate)

    def check(self, at: datetime) -> None:
        """Refuse to sign with a certificate that is not in force `at` (aware)."""
        check_dates(self.certificate, at)


class KeySigner(EnvelopeSigner):
    """Signs with a key in memory. (pyHanko's own reads an RSA key anew for each signature.)"""

    def __init__(
        self, key: PrivateKey, certificate: x509.Certificate, chain: Sequence[x509.Certificate]
    ) -> None:
        """`chain` are the certificates between the signer's and a root, embedded with it."""
        super().__init__(
            signing_cert=as_asn1(certificate),
            cert_registry=SimpleCertificateStore.from_certs(  # type: ignore[no-untyped-call]
                [as_asn1(one) for one in chain]
            ),
        )
        self._key = key

    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False
    ) -> bytes:
        """The signature's bytes; a trial run gives as many."""
        digest = _HASHES[digest_algorithm.lower()]()
        if isinstance(self._key, ec.EllipticCurvePrivateKey):
            if dry_run:  # DER: two integers of the curve's size, each with a sign byte and a head
                return bytes(2 * ((self._key.key_size + 7) // 8 + 3) + 3)
            return self._key.sign(data, ec.ECDSA(digest))
        if dry_run:
            return bytes(self._key.key_size // 8)
        return self._key.sign(data, padding.PKCS1v15(), digest)


def load(settings: Settings, at: datetime) -> Identity | None:
    """The identity that the settings name, usable `at`; None where papers are not signed.

    Raises `SigningError` with what to mend.
    """
    if settings.signing is Signing.NONE:
        return None
    if settings.signing is Signing.PKCS11:
        certificate, others, signer = token.open_token(settings)
    else:
        key, certificate, others = _from_files(settings)
        _check_pair(key, certificate)
        signer = KeySigner(key, certificate, others)
    check_purpose(certificate)
    check_dates(certificate, at)
    return Identity(certificate, tuple(others), _roots(settings, certificate, others), signer)


def _from_files(
    settings: Settings,
) -> tuple[PrivateKey, x509.Certificate, list[x509.Certificate]]:
    password = settings.signing_password.encode() or None
    if settings.signing is Signing.PKCS12:
        return _from_pkcs12(settings.signing_pkcs12, password)
    certificates = read_certificates("SIGNING_CERTIFICATE", settings.signing_certificate)
    key = _read_key(settings.signing_key, password)
    return key, certificates[0], certificates[1:]


def _from_pkcs12(
    path: Path, password: bytes | None
) -> tuple[PrivateKey, x509.Certificate, list[x509.Certificate]]:
    data = _read("SIGNING_PKCS12", path)
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(data, password)
    except (ValueError, UnsupportedAlgorithm):
        raise SigningError(
            f"SIGNING_PKCS12: {path.name} is no PKCS#12 file, or SIGNING_PASSWORD does not open it."
        ) from None
    if key is None or certificate is None:
        raise SigningError(f"SIGNING_PKCS12: {path.name} holds no key with its certificate.")
    return _supported(key), certificate, others


def _read_key(path: Path, password: bytes | None) -> PrivateKey:
    data = _read("SIGNING_KEY", path)
    try:
        return _supported(serialization.load_pem_private_key(data, password))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SigningError(
            f"SIGNING_KEY: {path.name} is no private key in PEM, or SIGNING_PASSWORD does not "
            "open it (an unencrypted key takes none)."
        ) from None


def read_certificates(setting: str, path: Path) -> list[x509.Certificate]:
    """The certificates of a PEM file, at least one. Raises `SigningError` naming the setting."""
    try:
        return x509.load_pem_x509_certificates(_read(setting, path))
    except ValueError:
        raise SigningError(f"{setting}: {path.name} holds no certificate in PEM.") from None


def _read(setting: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SigningError(f"{setting}: {path} cannot be read ({error.strerror}).") from None


def _supported(key: object) -> PrivateKey:
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= LEAST_RSA_BITS:
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size >= 256:
        return key
    raise SigningError(
        f"The signing key must be ECDSA (P-256 or larger) or RSA of {LEAST_RSA_BITS} bits or more."
    )


def _check_pair(key: PrivateKey, certificate: x509.Certificate) -> None:
    """The key must be the certificate's."""
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    if key.public_key().public_bytes(*form) != certificate.public_key().public_bytes(*form):
        raise SigningError("The signing key does not belong to the certificate: wrong key file?")


def check_purpose(certificate: x509.Certificate) -> None:
    """A certificate whose key usage is stated must be allowed to sign."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not (usage.content_commitment or usage.digital_signature):
        raise SigningError("The certificate's key usage allows no signatures.")


def check_dates(certificate: x509.Certificate, at: datetime) -> None:
    """The certificate must be in force at the moment."""
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if at > last:
        raise SigningError(
            f"The signing certificate of {name_of(certificate)} expired on {last:%Y-%m-%d}. "
            "Install a new one and restart the worker."
        )
    if at < first:
        raise SigningError(
            f"The signing certificate of {name_of(certificate)} is valid only from "
            f"{first:%Y-%m-%d} on."
        )


def _roots(
    settings: Settings, certificate: x509.Certificate, others: Sequence[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    """Whom a check of our own papers trusts: SIGNING_TRUST, or the end of the chain."""
    if settings.signing_trust:
        return tuple(read_certificates("SIGNING_TRUST", Path(settings.signing_trust)))
    return tuple(one for one in others if one.issuer == one.subject) or (
        others[-1] if others else certificate,
    )


def name_of(certificate: x509.Certificate) -> str:
    """The common name, else the organisation, else the whole subject."""
    for oid in (x509.NameOID.COMMON_NAME, x509.NameOID.ORGANIZATION_NAME):
        found = certificate.subject.get_attributes_for_oid(oid)
        if found:
            return str(found[0].value)
    return certificate.subject.rfc4514_string()


def as_asn1(certificate: x509.Certificate) -> asn1.Certificate:
    """The same certificate as pyHanko takes it."""
    return asn1.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))
