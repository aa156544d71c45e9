"""What signs in the tests: an authority of their own, and a real time stamp server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from asn1crypto import keys as asn1_keys
from asn1crypto import tsp
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper

from demo import authority
from portal.kernel import settings as settings_module
from portal.kernel.settings import Settings, Signing
from portal.notices.signing.keys import as_asn1

COMPANY = "恒信消费金融有限公司"
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
LAST = datetime(2030, 1, 1, tzinfo=UTC)


def certificates(folder: Path, *, last: datetime = LAST, first: datetime = FIRST) -> Path:
    """Authority, certificate (good from `first` to `last`) and key in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    root = authority.issue("测试根证书", None, FIRST - timedelta(days=1), LAST)
    certificate, key = authority.issue(COMPANY, root, first, last)
    (folder / "certificate.pem").write_bytes(authority.pem(certificate) + authority.pem(root[0]))
    (folder / "key.pem").write_bytes(authority.key_pem(key))
    return folder


def signing(settings: Settings, folder: Path, **more: object) -> Settings:
    """The settings with the folder's certificate; installed."""
    chosen = replace(
        settings,
        signing=Signing.PEM,
        signing_certificate=folder / "certificate.pem",
        signing_key=folder / "key.pem",
        **more,  # type: ignore[arg-type]
    )
    settings_module.install(chosen)
    return chosen


@contextmanager
def stamp_server(folder: Path) -> Iterator[str]:
    """A time stamp server (RFC 3161 over HTTP) with a certificate of its own authority, whose
    root is `folder`/tsa.pem; yields its address."""
    root = authority.issue("时间戳根证书", None, FIRST, LAST)
    key = rsa.generate_private_key(65537, 2048)
    certificate, _ = authority.issue("时间戳", root, FIRST, LAST, stamps=True, key=key)
    (folder / "tsa.pem").write_bytes(authority.pem(root[0]))
    der = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    stamper = DummyTimeStamper(as_asn1(certificate), asn1_keys.PrivateKeyInfo.load(der))

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            body = stamper.request_tsa_response(tsp.TimeStampReq.load(asked)).dump()
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
