"""The content policy: what it lets through, on every kind of answer."""

from __future__ import annotations

import re

import pytest

from portal.app.security import policy
from portal.kernel.access import Role
from tests.conftest import Portal
from tests.factories.world import PASSWORD

ALLOWED = {
    "default-src": ["'none'"],
    "script-src": ["'nonce-N'"],
    "style-src": ["'self'", "'nonce-N'"],
    "img-src": ["'self'"],
    "media-src": ["'self'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
    "base-uri": ["'none'"],
    "report-uri": ["/csp-report"],
}


def directives(text: str) -> dict[str, list[str]]:
    return {name: values for name, *values in (part.split() for part in text.split(";"))}


def test_the_policy_names_what_pages_need_and_no_more() -> None:
    assert directives(policy("N")) == ALLOWED
    store = "https://store.example.com"
    assert directives(policy("N", [store])) == {**ALLOWED, "connect-src": ["'self'", store]}


@pytest.mark.parametrize("path", ["/", "/cases/", "/no-such-page", "/sign-in"])
def test_every_page_carries_it_with_a_nonce_of_its_own(portal: Portal, path: str) -> None:
    client = portal.client(portal.world.email(Role.VENDOR_MANAGER))
    nonces = set()
    for _ in range(2):
        answer = client.get(path)
        header = answer.headers["Content-Security-Policy"]
        page = answer.get_data(as_text=True)
        (nonce,) = set(re.findall(r"'nonce-([^']+)'", header))
        assert header == policy(nonce)
        nonces.add(nonce)
        tags = re.findall(r"<script[^>]*>|<link rel=.stylesheet[^>]*>", page)
        if answer.mimetype == "text/html" and answer.status_code != 302:
            assert tags
        assert all(f'nonce="{nonce}"' in tag for tag in tags)
    assert len(nonces) == 2


def test_a_wrong_password_leaves_the_page_whole(portal: Portal) -> None:
    """The sign-in login's session takes the place of the request's own; the menu stays."""
    client = portal.client(portal.world.vendors[0].email(Role.OFFICE))
    data = {"old": "not this one", "new": "another good one", "again": "another good one"}
    answer = client.post("/account", data=data)
    assert answer.status_code == 422 and 'href="/requests' in answer.text


def test_an_error_page_leads_back_to_the_form(portal: Portal) -> None:
    """To a page of ours only; and what the state forbids is not called a change by others."""
    client = portal.client(portal.world.email(Role.VENDOR_MANAGER))
    ours = {"Referer": "http://localhost/scores"}
    for referrer, wanted in (
        (ours, 'href="/scores"'),
        ({"Referer": "http://localhost//elsewhere.example.com/"}, 'href="/elsewhere.example.com/"'),
        ({"Referer": "http://elsewhere.example.com/scores"}, None),
        ({}, None),
    ):
        answer = client.post("/scores/compute", data={"period": "2099-01"}, headers=referrer)
        assert answer.status_code == 422
        assert ("返回原页面" in answer.text) is (wanted is not None)
        assert wanted is None or wanted in answer.text


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/sign-in", {"email": "a\0@example.com", "password": PASSWORD}),
        ("/cases/find", {"number": "6222\0"}),
        ("/cases/?q=HC%00", None),
        ("/accounts/?q=%00", None),
    ],
)
def test_a_character_that_cannot_be_stored_is_named(
    portal: Portal, path: str, form: dict[str, str] | None
) -> None:
    client = portal.client(portal.world.email(Role.ADMINISTRATOR))
    answer = client.get(path) if form is None else client.post(path, data=form)
    assert answer.status_code == 422 and "NUL" in answer.text
