"""Whether this process can serve: asked by load balancers, tells nothing but yes or no."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Blueprint, current_app
from sqlalchemy.exc import SQLAlchemyError

from portal.kernel.access import open_to_all
from tenants.database import Database
from tenants.scope import Login, Scope, bound

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@open_to_all("a load balancer asks it; the answer is ok or not")
def healthz() -> tuple[str, int]:
    """200 when the database answers on the public login, else 503."""
    database: Database = current_app.extensions["database"]
    try:
        with bound(Scope(Login.PUBLIC)), database.engine(Login.PUBLIC).connect() as connection:
            connection.execute(sa.text("select 1"))
    except SQLAlchemyError:
        return "database\n", 503
    return "ok\n", 200
