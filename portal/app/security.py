"""Headers of every answer: a content policy with a nonce, and no leaks to other sites or caches.

Scripts may speak to the portal, and to the file store when browsers send parts there.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import partial

from flask import Flask, Response, g, request


def policy(nonce: str, connect: Sequence[str] = ()) -> str:
    """The content policy of one answer: what is not named here is refused.

    Scripts run by the nonce alone, whatever their address; style by the nonce too, where a script
    makes it (the player's, in its shadow root). `connect` are origins beside our own that scripts
    may send to. Fonts are the reader's system's; pictures and sound have addresses of ours.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self'",
            "media-src 'self'",
            " ".join(("connect-src 'self'", *connect)),
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "report-uri /csp-report",
        )
    )


def nonce() -> str:
    """The request's nonce, made on first use."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(18)
    value: str = g.csp_nonce
    return value


def install(app: Flask, connect: Sequence[str] = ()) -> None:
    """Add the headers, and `csp_nonce()` for templates. `connect`: origins of others that scripts
    may send to, such as a store that takes uploads itself."""
    app.jinja_env.globals["csp_nonce"] = nonce
    app.after_request(partial(_headers, tuple(connect)))


_FIXED = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
    ("Cache-Control", "private, no-store"),
)
_LASTING = ("Strict-Transport-Security", "max-age=63072000; includeSubDomains")


def _headers(connect: Sequence[str], answer: Response) -> Response:
    headers = answer.headers
    # What the view set itself stays. Looked up at once: one by one it costs more than the policy.
    present = {name.lower() for name, _value in headers}
    if "content-security-policy" not in present:
        headers.add("Content-Security-Policy", policy(nonce(), connect))
    for name, value in (*_FIXED, _LASTING) if request.is_secure else _FIXED:
        if name.lower() not in present:
            headers.add(name, value)
    return answer
