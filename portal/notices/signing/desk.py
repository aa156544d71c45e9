"""What this process signs with, loaded once from the settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from portal.kernel import clock
from portal.kernel.settings import Settings, settings
from portal.notices.signing.keys import Identity, load, read_certificates
from portal.notices.signing.pades import Statement, sign
from portal.notices.signing.timestamps import HttpTimeStamper
from portal.notices.signing.verify import Verdict, verify

_desks: dict[Settings, Desk] = {}


@dataclass(frozen=True, slots=True)
class Desk:
    """The company's identity, or None where papers go out unsigned, and the time stamp server."""

    identity: Identity | None
    stamper: HttpTimeStamper | None
    stamp_roots: tuple[x509.Certificate, ...] = ()

    @property
    def signer_name(self) -> str:
        """The certificate's name, as papers state it; empty without one."""
        return self.identity.subject if self.identity else ""

    def sign(self, pdf: bytes, field: str, statement: Statement, *, certify: bool = False) -> bytes:
        """Fill a signature field; without an identity the paper stays as it is.

        Raises `SigningError`.
        """
        if self.identity is None:
            return pdf
        return sign(
            pdf,
            field,
            statement,
            identity=self.identity,
            stamper=self.stamper,
            certify=certify,
        )

    def verify(
        self, pdf: bytes, *, signatures: int | None = None, sha256: str | None = None
    ) -> Verdict:
        """Check a paper of ours: what `verify.verify` does, by the roots of the settings."""
        return verify(
            pdf,
            roots=self.identity.roots if self.identity else (),
            stamp_roots=self.stamp_roots,
            signatures=signatures,
            sha256=sha256,
        )


def desk() -> Desk:
    """The process's desk. Raises `SigningError` where the settings name what cannot sign."""
    current = settings()
    if current not in _desks:
        _desks[current] = open_desk(current)
    return _desks[current]


def open_desk(chosen: Settings) -> Desk:
    """A desk by the settings. Raises `SigningError` with what to mend."""
    identity = load(chosen, clock.now())
    stamper = HttpTimeStamper(chosen.tsa_url) if identity and chosen.tsa_url else None
    roots = read_certificates("TSA_TRUST", Path(chosen.tsa_trust)) if chosen.tsa_trust else ()
    return Desk(identity, stamper, tuple(roots))
