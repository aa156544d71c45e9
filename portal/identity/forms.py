"""Forms of signing in and of one's own account."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    HiddenField,
    PasswordField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import EqualTo, InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget


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


class MailForm(FlaskForm):
    """Which mails one gets, and in which language."""

    at_once = SelectMultipleField(
        _l("Mail at once"),
        description=_l("What is not ticked stands in the daily digest only."),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    digest = BooleanField(
        _l("Daily digest"),
        description=_l("On working days: what is open, due soon and overdue."),
    )
    locale = SelectField(_l("Language of mails and pages"))


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
