"""An installation from nothing: the company, a vendor, their first people."""

from __future__ import annotations

import click
import pytest

from portal.app.founding import add_account, add_vendor, found_company
from portal.kernel.access import Role
from tests.conftest import Portal
from tests.factories.world import MOMENT, PROFILE


def test_a_vendor_and_its_manager_can_begin(portal: Portal) -> None:
    add_vendor(
        portal.database,
        portal.world.company_id,
        code="NEW",
        name="新供应商有限公司",
        short_name="新供应商",
        project="新项目",
        contract="HT-NEW-1",
        starts_on=MOMENT.date(),
        ends_on=MOMENT.date().replace(year=2027),
        profile=PROFILE,
    )
    password = add_account(
        portal.database, code="NEW", email="Boss@New.example.com", name="新经理", roles=["manager"]
    )
    client = portal.client()
    answer = client.post("/sign-in", data={"email": "boss@new.example.com", "password": password})
    assert answer.status_code == 302
    assert "HT-NEW-1" in client.get("/people").text
    assert client.get("/cases/").status_code == 200


def test_what_cannot_be_founded(portal: Portal) -> None:
    with pytest.raises(click.ClickException, match="already"):
        found_company(portal.database, code="ZZ", name="x", short_name="x", profile=PROFILE)
    with pytest.raises(click.ClickException, match="No organisation"):
        add_account(portal.database, code="NONE", email="a@b.cc", name="x", roles=["manager"])
    with pytest.raises(click.ClickException, match="roles"):
        add_account(
            portal.database, code="HC", email="a@b.cc", name="x", roles=[Role.FINANCE.value]
        )
