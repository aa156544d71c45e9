"""Commands: `python -m portal.app.cli NAME`. Those that need settings read the environment."""

from __future__ import annotations

import hashlib
import logging
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import click
import sqlalchemy as sa

from portal.app import background, founding, provision
from portal.app.factory import create_app, open_database
from portal.cases import verify_draw
from portal.jobs.worker import run_forever
from portal.journal.models import JournalLink
from portal.journal.service import verify
from portal.kernel import settings as settings_module
from portal.kernel.settings import Settings, SettingsError
from portal.notices.service import verify as verify_code
from portal.notices.signing.desk import open_desk
from portal.notices.signing.errors import SigningError
from tenants.database import Database
from tenants.models import Tenant, TenantKind
from tenants.scope import Login, Scope, bound

Command = TypeVar("Command", bound=Callable[..., Any])


def _settings() -> Settings:
    try:
        loaded = Settings.from_env(os.environ)
    except SettingsError as error:
        sys.exit(str(error))
    settings_module.install(loaded)
    return loaded


def company_id_of(database: Database) -> UUID:
    """The company's reserved tenant."""
    with bound(Scope(Login.SIGN_IN)), database.session() as session:
        found = session.scalar(sa.select(Tenant.id).where(Tenant.kind == TenantKind.COMPANY))
    if found is None:
        sys.exit("There is no company yet. Run: python -m portal.app.cli create-company")
    return found


@click.group()
def cli() -> None:
    """The portal's commands."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")


@cli.command("bootstrap-db")
def bootstrap_db() -> None:
    """Create the database and its logins (as the administrator of DATABASE_URL)."""
    provision.bootstrap(_settings())


@cli.command()
def migrate() -> None:
    """Bring the tables up to date."""
    provision.migrate(_settings())


def _profile(options: dict[str, str]) -> dict[str, str]:
    return {key: options[key] for key in founding.PROFILE}


def _with_profile(command: Command) -> Command:
    for key in reversed(founding.PROFILE):
        command = click.option(f"--{key.replace('_', '-')}", default="", help="Stands on papers.")(
            command
        )
    return command


@cli.command("create-company")
@click.option("--code", required=True, help="Two to six capital letters.")
@click.option("--name", required=True, help="Legal name.")
@click.option("--short-name", required=True, help="Shown at the top of pages.")
@click.option("--admin-email", required=True, help="The first administrator's sign-in.")
@click.option("--admin-name", required=True)
@_with_profile
def create_company(
    code: str, name: str, short_name: str, admin_email: str, admin_name: str, **options: str
) -> None:
    """Found the company and its first administrator (once an installation)."""
    database = open_database(_settings())
    founding.found_company(
        database, code=code, name=name, short_name=short_name, profile=_profile(options)
    )
    password = founding.add_account(
        database, code=code, email=admin_email, name=admin_name, roles=["administrator"]
    )
    founding.tell(admin_email, password)


@cli.command("add-vendor")
@click.option("--code", required=True, help="Two to six capital letters; stands in numbers.")
@click.option("--name", required=True, help="Legal name.")
@click.option("--short-name", required=True)
@click.option("--project", required=True, help="The first project's name.")
@click.option("--contract", required=True, help="The contract's number.")
@click.option("--starts-on", required=True, type=click.DateTime(["%Y-%m-%d"]))
@click.option("--ends-on", required=True, type=click.DateTime(["%Y-%m-%d"]))
@_with_profile
def add_vendor(starts_on: datetime, ends_on: datetime, **options: str) -> None:
    """Take a vendor on, with its first contract at the default fee terms."""
    database = open_database(_settings())
    names = {k: options[k] for k in ("code", "name", "short_name", "project", "contract")}
    founding.add_vendor(
        database,
        company_id_of(database),
        starts_on=starts_on.date(),
        ends_on=ends_on.date(),
        profile=_profile(options),
        **names,
    )


@cli.command("add-account")
@click.option("--code", required=True, help="The organisation's code.")
@click.option("--email", required=True)
@click.option("--name", required=True)
@click.option("--role", "roles", required=True, multiple=True, type=founding.role_choice())
def add_account(code: str, email: str, name: str, roles: tuple[str, ...]) -> None:
    """Add a person's account; the password is shown once."""
    database = open_database(_settings())
    password = founding.add_account(database, code=code, email=email, name=name, roles=list(roles))
    founding.tell(email, password)


@cli.command("check-migrations")
def check_migrations() -> None:
    """Fail when there are several heads, or the database differs from the models."""
    problems = provision.check_migrations(_settings())
    for problem in problems:
        click.echo(problem, err=True)
    sys.exit(1 if problems else 0)


def _check_signing(settings: Settings) -> None:
    """Open what signs papers; what cannot sign ends the process with what to mend."""
    try:
        opened = open_desk(settings)
    except SigningError as error:
        sys.exit(f"Papers cannot be signed: {error.reason}")
    if opened.identity is None:
        click.echo("Papers go out without an electronic signature (SIGNING=none).")


@cli.command("verify-paper")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--code", help="The verification code on the paper: compares with what is stored.")
def verify_paper(file: Path, code: str | None) -> None:
    """Judge a paper: its signatures, and that nothing was added, taken away or changed."""
    settings = _settings()
    pdf = file.read_bytes()
    hashes: tuple[str, ...] = ()
    if code:
        known = verify_code(open_database(settings), code)
        if known is None:
            sys.exit("unknown: no paper with this code was issued here")
        hashes = known.hashes
        if hashlib.sha256(pdf).hexdigest() != known.sha256:
            older = known.matches(hashlib.sha256(pdf).hexdigest())
            sys.exit("an earlier revision of the paper" if older else "changed: not our file")
    try:
        verdict = open_desk(settings).verify(pdf, signatures=len(hashes) or None)
    except SigningError as error:
        sys.exit(error.reason)
    for signature in verdict.signatures:
        click.echo(f"{signature.at} {signature.signer}: {signature.reason}")
    click.echo(verdict.problem or "sound")
    sys.exit(0 if verdict.sound else 1)


@cli.command()
@click.option("--concurrency", default=2, show_default=True, help="Jobs at a time.")
def worker(concurrency: int) -> None:
    """Run background work until stopped."""
    settings = _settings()
    _check_signing(settings)
    app = create_app(settings)
    database: Database = app.extensions["database"]
    company_id = company_id_of(database)
    run_forever(
        settings.login_urls()["queue"],
        database,
        company_id,
        background.chores(database, company_id),
        concurrency,
        slow=background.mail_chores(app, database, company_id),
    )


@cli.command("verify-journal")
def verify_journal() -> None:
    """Recompute every chain of the journal and compare it with the heads kept apart."""
    settings = _settings()
    database = open_database(settings)
    company_id = company_id_of(database)
    kept: dict[str, dict[int, bytes]] = {}
    if background.heads_file().exists():
        for line in background.heads_file().read_text().splitlines():
            tenant, position, head, _signature = line.split()
            kept.setdefault(tenant, {})[int(position)] = bytes.fromhex(head)
    bad = 0
    with bound(Scope.company(company_id)), database.session() as session:
        for tenant_id in session.scalars(sa.select(JournalLink.tenant_id).distinct()).all():
            verdict = verify(
                session, tenant_id, background.journal_key(), kept.get(str(tenant_id), {})
            )
            click.echo(f"{tenant_id} {verdict.entries} entries: {verdict.problem or 'whole'}")
            bad += bool(verdict.problem)
    sys.exit(1 if bad else 0)


@cli.command("verify-draw")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
def verify_draw_record(file: str) -> None:
    """Recompute a draw from its record (JSON). Needs no settings and no database."""
    sys.exit(verify_draw.main(file))


if __name__ == "__main__":
    cli()
