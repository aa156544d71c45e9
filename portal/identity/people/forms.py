"""Forms of people and roles, and of choosing a password by a one-time link."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import PasswordField, SelectField, SelectMultipleField, StringField
from wtforms.validators import EqualTo, InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from portal.identity.rules import MIN_PASSWORD, MOST_EMAIL, MOST_GROUND, MOST_NAME


class PersonForm(FlaskForm):
    """A person to be added. The organisation stands in the address of the page."""

    name = StringField(
        _l("Name"),
        [InputRequired(_l("Type the person's name.")), Length(max=MOST_NAME)],
        render_kw={"autocomplete": "off", "maxlength": MOST_NAME},
    )
    email = StringField(
        _l("E-mail address"),
        [InputRequired(_l("Type the person's e-mail address.")), Length(max=MOST_EMAIL)],
        description=_l("The person signs in with it."),
        render_kw={"autocomplete": "off", "inputmode": "email", "maxlength": MOST_EMAIL},
    )
    roles = SelectMultipleField(
        _l("Roles"),
        [InputRequired(_l("Choose at least one role."))],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    ground = StringField(
        _l("Ground or document"),
        [Length(max=MOST_GROUND)],
        description=_l(
            "By which decision, such as the general department's letter. It stands on record."
        ),
        render_kw={"maxlength": MOST_GROUND},
    )
    locale = SelectField(_l("Language of mails and pages"))


class ChosenPasswordForm(FlaskForm):
    """The own password, chosen by a one-time link."""

    new = PasswordField(
        _l("New password"),
        [InputRequired(_l("Type a new password.")), Length(min=MIN_PASSWORD, max=1024)],
        description=_l("At least 12 characters."),
        render_kw={"autocomplete": "new-password", "autofocus": True},
    )
    again = PasswordField(
        _l("New password again"),
        [InputRequired(_l("Type it again.")), EqualTo("new", _l("The two are not the same."))],
        render_kw={"autocomplete": "new-password"},
    )
