"""The signature's envelope (CMS), put together from what is the same in each.

Between two signatures of one certificate only the file's digest and the signature itself change:
what pyHanko would build and encode anew is half of a signature's time. It is built by pyHanko once;
then digest and signature are put in.
"""

from __future__ import annotations

from dataclasses import dataclass

from asn1crypto import cms
from pyhanko.sign.signers import Signer
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.sign.timestamps import TimeStamper

SEQUENCE, SET, OCTETS = b"\x30", b"\x31", b"\x04"
_EXPLICIT_0 = _IMPLICIT_0 = b"\xa0"
_LONG = 0x80


def der(tag: bytes, *parts: bytes) -> bytes:
    """One value in DER: tag, length, content."""
    body = b"".join(parts)
    size = len(body)
    if size < _LONG:
        return tag + bytes([size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return tag + bytes([_LONG | len(length)]) + length + body


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is the same in each: before and after the digest, and around the signature."""

    to_sign: tuple[bytes, bytes]
    kind: bytes
    head: bytes
    signer: bytes
    mechanism: bytes

    @classmethod
    def of(cls, sample: cms.ContentInfo, digest: bytes) -> Envelope:
        """Take a signature of `digest`, without unsigned attributes, apart."""
        signed = sample["content"]
        (info,) = signed["signer_infos"]
        attributes = info["signed_attrs"].untag().dump()
        before, found, after = attributes.partition(digest)
        if not found or digest in after or info["unsigned_attrs"].native:
            raise ValueError("not a plain signature of the digest")
        head = ("version", "digest_algorithms", "encap_content_info", "certificates")
        return cls(
            (before, after),
            sample["content_type"].dump(),
            b"".join(signed[name].dump() for name in head),
            b"".join(info[name].dump() for name in ("version", "sid", "digest_algorithm")),
            info["signature_algorithm"].dump(),
        )

    def attributes(self, digest: bytes) -> bytes:
        """What is signed for a file's digest."""
        before, after = self.to_sign
        return before + digest + after

    def seal(self, digest: bytes, signature: bytes) -> bytes:
        """The finished envelope."""
        attributes = _IMPLICIT_0 + self.attributes(digest)[1:]
        signer = der(SEQUENCE, self.signer, attributes, self.mechanism, der(OCTETS, signature))
        signed = der(SEQUENCE, self.head, der(SET, signer))
        return der(SEQUENCE, self.kind, der(_EXPLICIT_0, signed))


class EnvelopeSigner(Signer):
    """A signer that keeps the envelope of its first signature. What signs is `async_sign_raw`."""

    _kept: tuple[str, Envelope] | None = None

    async def async_sign(
        self,
        data_digest: bytes,
        digest_algorithm: str,
        dry_run: bool = False,
        use_pades: bool = False,
        timestamper: TimeStamper | None = None,
        signed_attr_settings: PdfCMSSignedAttributes | None = None,
        is_pdf_sig: bool = True,
        encap_content_info: object = None,
    ) -> cms.ContentInfo | bytes:
        """The signature of a digest. A time stamp, and whatever else is not a paper's plain
        signature, is left to pyHanko."""
        odd = dry_run or timestamper or encap_content_info or not (use_pades and is_pdf_sig)
        if odd or _asks_for_more(signed_attr_settings):
            return await super().async_sign(
                data_digest, digest_algorithm, dry_run, use_pades, timestamper,
                signed_attr_settings, is_pdf_sig, encap_content_info,
            )  # fmt: skip
        if self._kept is None or self._kept[0] != digest_algorithm:
            sample = await super().async_sign(
                data_digest, digest_algorithm, dry_run=True, use_pades=True
            )
            self._kept = digest_algorithm, Envelope.of(sample, data_digest)
        envelope = self._kept[1]
        signature = await self.async_sign_raw(envelope.attributes(data_digest), digest_algorithm)
        return envelope.seal(data_digest, signature)


def _asks_for_more(settings: PdfCMSSignedAttributes | None) -> bool:
    """Whether attributes are wanted beside PAdES' own. (PAdES leaves out the signing time.)"""
    return settings is not None and not (
        settings.cades_signed_attrs is None and settings.adobe_revinfo_attr is None
    )
