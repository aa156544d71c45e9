"""The WSGI entry: `gunicorn wsgi:app`."""

from portal.app.main import app

__all__ = ["app"]
