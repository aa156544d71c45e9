"""A signing key in a PKCS#11 token (smart card, hardware security module).

Needs the package python-pkcs11, which an installation with key files does without.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from asn1crypto import x509 as asn1
from cryptography import x509
from pyhanko.sign.signers import Signer

from portal.kernel.settings import Settings
from portal.notices.signing.envelope import EnvelopeSigner
from portal.notices.signing.errors import SigningError

try:
    import pkcs11
    from pkcs11.exceptions import PKCS11Error, UserAlreadyLoggedIn
    from pyhanko.config.pkcs11 import TokenCriteria
    from pyhanko.sign.pkcs11 import PKCS11Signer, open_pkcs11_session
except ImportError:  # the optional package is not there
    pkcs11 = None  # type: ignore[assignment]


class TokenSigner(EnvelopeSigner):
    """Signs in the token, one at a time: a token's session serves one thread.

    A session that ended (the token was taken out, the module lost its connection) is opened once
    more before a signature fails.
    """

    _lock = threading.Lock()

    def __init__(self, opened: Callable[[], PKCS11Signer]) -> None:
        """`opened` gives an open signer of pyHanko. Raises what it raises."""
        self._opened, self._inner = opened, opened()
        super().__init__(
            signing_cert=self._inner.signing_cert, cert_registry=self._inner.cert_registry
        )

    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False
    ) -> bytes:
        """The signature's bytes. Raises `SigningError` when the token refuses or is gone."""
        with self._lock:
            try:
                made: bytes = await self._inner.async_sign_raw(data, digest_algorithm, dry_run)
            except PKCS11Error:
                made = await self._once_more(data, digest_algorithm, dry_run)
        return made

    async def _once_more(self, data: bytes, digest_algorithm: str, dry_run: bool) -> bytes:
        with suppress(PKCS11Error):
            self._inner.pkcs11_session.close()
        try:
            self._inner = self._opened()
            if _encoded(self._inner) != _encoded(self):
                raise SigningError("the token holds another certificate now: restart the worker")
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
        signer = TokenSigner(lambda: _signer(settings))
    except (PKCS11Error, OSError, RuntimeError) as error:
        raise SigningError(
            f"SIGNING_PKCS11: the token does not open ({type(error).__name__}: {error})."
        ) from None
    others = [_plain(one) for one in signer.cert_registry]
    return _plain(signer.signing_cert), others, signer


def _signer(settings: Settings) -> PKCS11Signer:
    """An open signer. Digests are made here: few tokens know more than the bare mechanisms."""
    return PKCS11Signer(
        _session(settings, settings.signing_password or None),
        cert_label=settings.signing_pkcs11_key,
        key_label=settings.signing_pkcs11_key,
        other_certs_to_pull=None,
        use_raw_mechanism=True,
    )


def _session(settings: Settings, pin: str | None) -> pkcs11.Session:
    token = TokenCriteria(label=settings.signing_pkcs11_token)
    try:
        return open_pkcs11_session(settings.signing_pkcs11, token_criteria=token, user_pin=pin)
    except UserAlreadyLoggedIn:  # by another session of this process
        return open_pkcs11_session(settings.signing_pkcs11, token_criteria=token)


def _encoded(signer: Signer) -> bytes | None:
    return signer.signing_cert.dump() if signer.signing_cert is not None else None


def _plain(certificate: asn1.Certificate) -> x509.Certificate:
    return x509.load_der_x509_certificate(certificate.dump())
