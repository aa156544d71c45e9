"""Schemes are versions: edited as fields, checked, dated, never changed."""

from __future__ import annotations

import pytest

from portal.kernel import clock
from portal.kernel.access import Role
from portal.schemes import tree
from portal.schemes.service import history, in_force
from portal.vendors.clauses import default_catalogue
from portal.vendors.penalties import PENALTY_CLAUSES
from tests.conftest import Portal
from tests.factories.world import MOMENT


def _form(**changes: str) -> dict[str, str]:
    return {"in_force_from": "2026-11-03", "reason": "年度修订", "seen_version": "0", **changes}


def test_an_unchanged_form_gives_the_content_back() -> None:
    content = default_catalogue()
    leaves: dict[str, str] = {}

    def gather(section: tree.Section) -> None:
        leaves.update({leaf.path: leaf.value for leaf in section.fields})
        for row in section.rows:
            leaves.update({leaf.path: leaf.value for leaf in row.cells if leaf})
            for below in row.below:
                gather(below)
        for below in section.below:
            gather(below)

    gather(tree.sections(content))
    assert len(leaves) > 200
    assert tree.merged(content, leaves) == content


def test_a_new_version_takes_effect_from_its_day(portal: Portal) -> None:
    """Clause 201's deduction goes from 500 to 800, clause 607 is taken out, 608 comes in."""
    client = portal.client(portal.world.email(Role.AUDIT_HEAD))
    clauses = default_catalogue()["clauses"]
    numbers = [clause["no"] for clause in clauses]
    change = {
        f"clauses/{numbers.index('201')}/deduction": "800.00",
        f"remove:clauses/{numbers.index('607')}": "on",
        "clauses/+/no": "608",
        "clauses/+/text": "擅自使用未备案系统",
        "clauses/+/meaning_en": "unregistered system",
        "clauses/+/level": "minor",
        "clauses/+/points": "1",
        "clauses/+/deduction": "100.00",
        "clauses/+/unit": clauses[0]["unit"],
        "clauses/+/damages": "no",
        "in_force_from": "2026-11-10",
    }
    with clock.frozen(MOMENT):
        answer = client.post("/schemes/penalty_clauses/edit", data=_form(**change))
        assert answer.status_code == 302, answer.text
    with portal.session(portal.world.scope) as session:
        before = in_force(session, PENALTY_CLAUSES, MOMENT.date())
        after = in_force(session, PENALTY_CLAUSES, MOMENT.date().replace(day=10))
    assert before.is_default
    found = {clause["no"]: clause for clause in after.content["clauses"]}
    assert found["201"]["deduction"] == "800.00"
    assert "607" not in found
    assert found["608"]["text"] == "擅自使用未备案系统"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"clauses/0/points": "many"}, "many"),
        ({"clauses/0/level": "terrible"}, "terrible"),
        ({"reason": ""}, "变更原因"),
        ({"seen_version": "7"}, "请与您的内容比对后重新保存"),
    ],
)
def test_an_unsound_version_is_refused_and_nothing_is_lost(
    portal: Portal, change: dict[str, str], said: str
) -> None:
    client = portal.client(portal.world.email(Role.AUDIT_HEAD))
    with clock.frozen(MOMENT):
        answer = client.post(
            "/schemes/penalty_clauses/edit",
            data=_form(**{"clauses/1/text": "我改过的条文", **change}),
        )
    assert answer.status_code == 422
    assert said in answer.text
    assert "我改过的条文" in answer.text
    with portal.session(portal.world.scope) as session:
        assert len(history(session, PENALTY_CLAUSES)) == 1


def test_who_may_read_and_who_may_edit(portal: Portal) -> None:
    """A vendor reads the clauses; it does not learn that there are schemes of the company's."""
    vendor = portal.client(portal.world.vendors[0].email(Role.MANAGER))
    assert vendor.get("/schemes/penalty_clauses").status_code == 200
    assert vendor.get("/schemes/penalty_clauses/edit").status_code == 404
    finance = portal.client(portal.world.email(Role.FINANCE))
    assert finance.get("/schemes/penalty_clauses/edit").status_code == 403
