"""Forms of signing in and of one's own account."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length


class SignInForm(FlaskForm):
    """E-mail and password, and the page to go on to."""

    email = StringField(
        _l("E-mail address"),
        [InputRequired(_l("Type your e-mail address.")), Length(max=254)],
        render_kw={"autocomplete": "username", "inputmode": "email", "autofocus": True},
    )
    password = PasswordField(
        _l("Password"),
        [InputRequired(_l("Type your password.")), Length(max=1024)],
        render_kw={"autocomplete": "current-password"},
    )
    next = HiddenField()


class PasswordForm(FlaskForm):
    """Change one's own password."""

    old = PasswordField(
        _l("Present password"),
        [InputRequired(_l("Type your present password.")), Length(max=1024)],
        render_kw={"autocomplete": "current-password"},
    )
    new = PasswordField(
        _l("New password"),
        [InputRequired(_l("Type a new password.")), Length(min=12, max=1024)],
        description=_l("At least 12 characters."),
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        _l("New password again"),
        [InputRequired(_l("Type it again.")), EqualTo("new", _l("The two are not the same."))],
        render_kw={"autocomplete": "new-password"},
    )
