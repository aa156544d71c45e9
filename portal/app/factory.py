"""Make the application: settings, database, slices, the request's scope, headers, error pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale
from flask import Flask
from flask_babel import Babel
from flask_login import LoginManager
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from portal.app import (
    assets,
    csp,
    errors,
    filters,
    frame,
    keeping,
    menu,
    scope,
    security,
    texts,
    wiring,
)
from portal.app.folding import FoldingEnvironment
from portal.app.form_sessions import FormSessions
from portal.app.requests import PortalRequest
from portal.files.receiver import Receiver
from portal.files.service import storage
from portal.files.storage_disk import LocalStorage
from portal.identity.remembering import Remembered
from portal.identity.web import DEFAULT_LOCALE, reader_locale
from portal.kernel import phrases
from portal.kernel import settings as settings_module
from portal.kernel.settings import Environment, Settings
from portal.kernel.texts import counted, gettext
from tenants import vault
from tenants.database import Database

ROOT = Path(__file__).resolve().parents[2]
BRAND = "委外监督平台"


class Application(Flask):
    """Flask, told that no view of the portal is a coroutine."""

    request_class = PortalRequest

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """`func` as it is. Flask asks it of each function around a view, a dozen a page."""
        return func


def open_database(settings: Settings) -> Database:
    """The installation's engines; also installs the vault of this process."""
    vault.install(vault.Vault(settings.master_key))
    return Database(
        settings.login_urls(), prepare=settings.db_prepare, pool_size=settings.db_pool_size
    )


def create_app(settings: Settings, database: Database | None = None) -> Flask:
    """The WSGI application of one installation."""
    settings_module.install(settings)
    app = Application(
        "portal",
        root_path=str(ROOT / "portal"),
        template_folder=str(ROOT / "templates"),
        static_folder=None,
    )
    secure = settings.cookie_secure
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_NAME="__Host-form" if secure else "form",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        MAX_CONTENT_LENGTH=settings.max_upload_bytes,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        MAX_FORM_PARTS=5_000,
        TRUSTED_HOSTS=list(settings.trusted_hosts) or None,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=secure,
        BABEL_DEFAULT_LOCALE=DEFAULT_LOCALE,
        BABEL_DEFAULT_TIMEZONE="Asia/Shanghai",
        BABEL_TRANSLATION_DIRECTORIES=str(ROOT / "portal" / "translations"),
        TESTING=settings.env is Environment.TEST,
        BRAND=BRAND,
    )
    app.session_interface = FormSessions()
    app.jinja_environment = FoldingEnvironment
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["database"] = database or open_database(settings)
    app.extensions["signed"] = Remembered(app.extensions["database"], _remembered_for(settings))
    Babel(app, locale_selector=_locale)
    phrases.install(gettext, filters.when, counted)
    LoginManager(app, add_context_processor=False).request_loader(scope.load_user)
    # The order of these is the order in which a request passes them.
    store = storage().origin
    security.install(app, connect=(store,) if store else ())
    errors.install(app)
    scope.install(app)
    csp.install(app, CSRFProtect(app))
    assets.install(app)
    texts.install(app)
    filters.install(app)
    menu.install(app)
    frame.install(app)
    keeping.install(app)
    wiring.install(app)
    _serve(app, settings)
    return app


def _remembered_for(settings: Settings) -> timedelta:
    """How long a process remembers who is signed in. Behind pgbouncer in transaction mode nothing
    is: no connection is its own, so that it could be told of changes."""
    return timedelta(seconds=settings.signed_seconds if settings.db_prepare else 0)


def _locale() -> Locale:
    return _known(reader_locale())


@cache
def _known(code: str) -> Locale:
    # Of three; read from its code anew for each request otherwise.
    return Locale.parse(code)


def _serve(app: Flask, settings: Settings) -> None:
    """Static files by WhiteNoise (hashed names, cached for ever); proxies as configured."""
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=str(ROOT / "static" / "dist"),
        prefix="static/",
        max_age=31_536_000,
        autorefresh=False,
    )
    store = storage()
    if isinstance(store, LocalStorage):
        # Parts of uploads go to the disk before sessions, database and forms come into play.
        app.wsgi_app = Receiver(app.wsgi_app, store)  # type: ignore[method-assign]
    if settings.proxy_hops:
        hops = settings.proxy_hops
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )
