"""An administrator of the company, signed in."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from portal.kernel.access import Role
from tests.conftest import Portal


@pytest.fixture
def admin(portal: Portal) -> FlaskClient:
    client = portal.client(portal.world.email(Role.ADMINISTRATOR))
    client.post("/language", data={"locale": "en"})
    return client
