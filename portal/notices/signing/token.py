"""A signing key in a PKCS#11 token (smart card, hardware security module).

Needs the package python-pkcs11, which an installation with key files does without.
"""

from __future__ import annotations

import threading

from asn1crypto import x509 as asn1
from cryptography import x509
from pyhanko.sign.signers import Signer

from portal.kernel.settings import Settings
from portal.notices.signing.envelope import EnvelopeSigner
from portal.notices.signing.errors import SigningError

try:
    import pkcs11
    from pkcs11.exceptions import PKCS11Error
    from pyhanko.config.pkcs11 import TokenCriteria
    from pyhanko.sign.pkcs11 import PKCS11Signer, open_pkcs11_session
except ImportError:  # the optional package is not there
    pkcs11 = None  # type: ignore[assignment]


class TokenSigner(EnvelopeSigner):
    """Signs in the token, one at a time: a token's session serves one thread."""

    _lock = threading.Lock()

    def __init__(self, inner: PKCS11Signer) -> None:
        """`inner` is an open signer of pyHanko."""
        super().__init__(signing_cert=inner.signing_cert, cert_registry=inner.cert_registry)
        self._inner = inner

    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False
    ) -> bytes:
        """The signature's bytes. Raises `SigningError` when the token refuses or is gone."""
        with self._lock:
            try:
                made: bytes = await self._inner.async_sign_raw(data, digest_algorithm, dry_run)
            except PKCS11Error as error:
                raise SigningError(f"the token refused: {type(error).__name__}") from None
        return made


def open_token(settings: Settings) -> tuple[x509.Certificate, list[x509.Certificate], Signer]:
    """The certificate, its chain and a signer of the token that the settings name.

    SIGNING_PKCS11 is the module's path, SIGNING_PKCS11_TOKEN the token's label,
    SIGNING_PKCS11_KEY the label of key and certificate, SIGNING_PASSWORD the PIN.
    """
    if pkcs11 is None:
        raise SigningError("SIGNING=pkcs11 needs the package python-pkcs11: pip install it.")
    try:
        session = open_pkcs11_session(
            settings.signing_pkcs11,
            token_criteria=TokenCriteria(label=settings.signing_pkcs11_token),
            user_pin=settings.signing_password or None,
        )
        inner = PKCS11Signer(
            session,
            cert_label=settings.signing_pkcs11_key,
            key_label=settings.signing_pkcs11_key,
            other_certs_to_pull=None,
        )
        certificate = inner.signing_cert
    except (PKCS11Error, OSError, RuntimeError) as error:
        raise SigningError(
            f"SIGNING_PKCS11: the token does not open ({type(error).__name__}: {error})."
        ) from None
    if certificate is None:
        raise SigningError("SIGNING_PKCS11_KEY: the token holds no certificate of this label.")
    return _plain(certificate), [_plain(one) for one in inner.cert_registry], TokenSigner(inner)


def _plain(certificate: asn1.Certificate) -> x509.Certificate:
    return x509.load_der_x509_certificate(certificate.dump())
