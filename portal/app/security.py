"""Headers of every answer: a content policy with a nonce, and no leaks to other sites or caches."""

from __future__ import annotations

import secrets

from flask import Flask, Response, g, request

POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self' "
    "'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; connect-src 'self'; media-src 'self' "
    "blob:; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "report-uri /csp-report"
)


def nonce() -> str:
    """The request's nonce, made on first use."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(18)
    value: str = g.csp_nonce
    return value


def install(app: Flask) -> None:
    """Add the headers, and `csp_nonce()` for templates."""
    app.jinja_env.globals["csp_nonce"] = nonce
    app.after_request(_headers)


def _headers(answer: Response) -> Response:
    headers = answer.headers
    headers.setdefault("Content-Security-Policy", POLICY.format(nonce=nonce()))
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
    headers.setdefault("Cache-Control", "private, no-store")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
    return answer
