"""用印: the company's seals, which papers bear one, and its use: asked by one, granted by another.

A paper whose kind bears a seal waits: its PDF is made when somebody else than the one who issued it
grants the use for exactly this content. Refused, it goes out without.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.jobs.service import enqueue
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from portal.kernel.phrases import phrase
from portal.notices.labels import TITLES
from portal.notices.models import (
    Document,
    DocumentSeal,
    PaperLanguage,
    Seal,
    SealRule,
    SealUse,
    SealVersion,
)
from portal.notices.rules import DEFAULT_LANGUAGE, LANGUAGES, UseState, content_hash
from portal.notifications.service import notify
from tenants.models import Tenant, TenantKind
from tenants.rows import new_id

MOST_NAME = 40
GRANTERS = (Role.GENERAL_DEPARTMENT, Role.GENERAL_MANAGER, Role.ADMINISTRATOR)


def add_picture(
    session: Session, name: str, picture: bytes, *, actor: Actor
) -> tuple[Seal, SealVersion]:
    """Add a picture to the seal `name`, made when it is new. `picture` is checked and drawn anew
    by `portal.notices.pictures` before. Raises `Invalid` for a name that is empty or too long."""
    name = name.strip()
    if not name or len(name) > MOST_NAME:
        raise Invalid(phrase("A seal needs a name of at most %(most)s characters.", most=MOST_NAME))
    seal = session.scalars(
        sa.select(Seal).where(Seal.tenant_id == actor.tenant_id, Seal.name == name)
    ).first()
    if seal is None:
        seal = Seal(tenant_id=actor.tenant_id, id=new_id(), name=name)
        session.add(seal)
        session.flush()
    last = _newest(session, seal)
    row = SealVersion(
        tenant_id=seal.tenant_id,
        seal_id=seal.id,
        version=last.version + 1 if last else 1,
        picture=picture,
        sha256=hashlib.sha256(picture).hexdigest(),
        added_by_name=actor.name,
        added_at=clock.now(),
    )
    session.add(row)
    session.flush()
    record(
        session,
        "notices.seal.picture_added",
        ("seal", seal.id),
        actor=actor,
        data={"name": name, "version": row.version, "sha256": row.sha256},
    )
    return seal, row


def set_rule(session: Session, template: str, seal_id: UUID | None, *, actor: Actor) -> None:
    """Let papers of a kind bear a seal from now on, or none."""
    if template not in TITLES:
        raise Invalid(phrase("There is no such kind of paper."))
    if seal_id is not None and session.get(Seal, (actor.tenant_id, seal_id)) is None:
        raise NotFound("seal")
    rule = _rule(session, actor.tenant_id, template)
    if rule is not None:
        session.delete(rule)
        session.flush()
    if seal_id is not None:
        session.add(SealRule(tenant_id=actor.tenant_id, template=template, seal_id=seal_id))
        session.flush()
    record(
        session,
        "notices.seal.rule_set",
        ("seal_rule", seal_id or actor.tenant_id),
        actor=actor,
        data={"template": template, "seal": str(seal_id or "")},
    )


def seal_for(session: Session, template: str, *, actor: Actor) -> UUID | None:
    """Which seal papers of a kind bear; none for what a vendor's own act issues."""
    if not actor.is_company:
        return None
    rule = _rule(session, actor.company_id, template)
    return rule.seal_id if rule else None


def ask(session: Session, document: Document, seal_id: UUID, *, actor: Actor) -> SealUse:
    """Ask for the use of a seal on a paper that is just issued; those who may grant are told."""
    use = SealUse(
        tenant_id=document.tenant_id,
        id=new_id(),
        document_id=document.id,
        seal_id=seal_id,
        content_sha256=content_hash(document.content),
        asked_by=actor.account_id,
        asked_by_name=actor.name,
        asked_at=clock.now(),
        state=UseState.ASKED,
        note="",
    )
    session.add(use)
    session.flush()
    _record_use(session, "notices.seal.asked", use, document, actor)
    notify(
        session,
        tenant_id=actor.company_id,
        roles=GRANTERS,
        message=phrase("The seal is asked for paper %(number)s.", number=document.number),
        path="/seals",
    )
    return use


def grant(session: Session, use_id: UUID, *, actor: Actor) -> DocumentSeal:
    """Grant a use: the picture in force is drawn on the paper, whose PDF is made now.

    Raises `Forbidden` for the person who asked, `Conflict` when it is decided already, when the
    seal has no picture or the content is not what was asked for.
    """
    use, document = _open(session, use_id)
    if use.asked_by == actor.account_id:
        raise Forbidden(
            phrase("Whoever asks for the seal does not grant it."),
            phrase("Another person with this right decides."),
        )
    seal = session.get(Seal, (actor.tenant_id, use.seal_id))
    version = _newest(session, seal) if seal else None
    if seal is None or version is None or content_hash(document.content) != use.content_sha256:
        raise Conflict(phrase("The seal has no picture, or the paper is not what was asked for."))
    granted = DocumentSeal(
        tenant_id=use.tenant_id,
        document_id=document.id,
        seal_name=seal.name,
        seal_version=version.version,
        content_sha256=use.content_sha256,
        asked_by_name=use.asked_by_name,
        asked_at=use.asked_at,
        granted_by_name=actor.name,
        granted_at=clock.now(),
        picture=version.picture,
        issued_at=clock.now(),
    )
    session.add(granted)
    _decide(session, use, UseState.GRANTED, "", actor)
    _record_use(session, "notices.seal.granted", use, document, actor)
    _render(session, document, actor)
    return granted


def refuse(session: Session, use_id: UUID, reason: str, *, actor: Actor) -> None:
    """Refuse a use with a reason; the paper goes out without the seal. Raises as `grant`."""
    use, document = _open(session, use_id)
    if not reason.strip():
        raise Invalid(phrase("Say why the seal is refused."))
    _decide(session, use, UseState.REFUSED, reason.strip()[:500], actor)
    _record_use(session, "notices.seal.refused", use, document, actor)
    _render(session, document, actor)


def _render(session: Session, document: Document, actor: Actor) -> None:
    enqueue(
        session,
        "notices.render",
        {"document_id": document.id, "seal_decided": True},
        actor=actor,
        tenant_id=document.tenant_id,
    )


def _open(session: Session, use_id: UUID) -> tuple[SealUse, Document]:
    use = session.scalars(sa.select(SealUse).where(SealUse.id == use_id).with_for_update()).first()
    if use is None:
        raise NotFound("seal use")
    if use.state != UseState.ASKED:
        raise Conflict(
            phrase("This use of the seal is decided already."), phrase("Reload the page.")
        )
    document = session.get(Document, (use.tenant_id, use.document_id))
    if document is None:
        raise NotFound("document")
    return use, document


def _decide(session: Session, use: SealUse, state: UseState, note: str, actor: Actor) -> None:
    use.state, use.note = state, note
    use.decided_by, use.decided_by_name, use.decided_at = actor.account_id, actor.name, clock.now()
    session.flush()


def _record_use(
    session: Session, event: str, use: SealUse, document: Document, actor: Actor
) -> None:
    record(
        session,
        event,
        ("document", document.id),
        actor=actor,
        tenant_id=actor.company_id,
        data={
            "number": document.number,
            "seal": str(use.seal_id),
            "content_sha256": use.content_sha256,
        },
    )


def _newest(session: Session, seal: Seal) -> SealVersion | None:
    return session.scalars(
        sa.select(SealVersion)
        .where(SealVersion.tenant_id == seal.tenant_id, SealVersion.seal_id == seal.id)
        .order_by(SealVersion.version.desc())
        .limit(1)
    ).first()


def _rule(session: Session, company_id: UUID, template: str) -> SealRule | None:
    return session.scalars(
        sa.select(SealRule).where(SealRule.tenant_id == company_id, SealRule.template == template)
    ).first()


def list_seals(session: Session) -> list[tuple[Seal, SealVersion | None]]:
    """The seals by name, each with its newest picture."""
    rows = session.scalars(sa.select(Seal).order_by(Seal.name)).all()
    return [(seal, _newest(session, seal)) for seal in rows]


def rules(session: Session) -> dict[str, UUID]:
    """Which kinds of paper bear which seal."""
    return {row.template: row.seal_id for row in session.scalars(sa.select(SealRule))}


def language_of(session: Session, tenant_id: UUID) -> str:
    """The language in which a vendor gets its papers."""
    found = session.scalar(
        sa.select(PaperLanguage.locale).where(PaperLanguage.tenant_id == tenant_id)
    )
    return found or DEFAULT_LANGUAGE


def set_language(session: Session, tenant_id: UUID, locale: str, *, actor: Actor) -> None:
    """Choose the language of a vendor's papers from now on."""
    if locale not in LANGUAGES:
        raise Invalid(phrase("There is no such language."))
    if session.get(Tenant, tenant_id) is None:
        raise NotFound("vendor")
    row = session.scalars(
        sa.select(PaperLanguage).where(PaperLanguage.tenant_id == tenant_id)
    ).first()
    if row is None:
        session.add(PaperLanguage(tenant_id=tenant_id, locale=locale))
    else:
        row.locale = locale
    session.flush()
    record(
        session,
        "notices.language.set",
        ("tenant", tenant_id),
        actor=actor,
        tenant_id=tenant_id,
        data={"locale": locale},
    )


def languages(session: Session) -> list[tuple[UUID, str, str]]:
    """Each vendor's id and name, and the language of its papers, by name."""
    rows = session.execute(
        sa.select(Tenant.id, Tenant.short_name, PaperLanguage.locale)
        .join(PaperLanguage, PaperLanguage.tenant_id == Tenant.id, isouter=True)
        .where(Tenant.kind == TenantKind.VENDOR)
        .order_by(Tenant.short_name)
    )
    return [(row.id, row.short_name, row.locale or DEFAULT_LANGUAGE) for row in rows]


def get_picture(session: Session, seal_id: UUID, *, actor: Actor) -> SealVersion:
    """The newest picture of a seal; raises `NotFound`."""
    seal = session.get(Seal, (actor.tenant_id, seal_id))
    version = _newest(session, seal) if seal else None
    if version is None:
        raise NotFound("seal")
    return version
