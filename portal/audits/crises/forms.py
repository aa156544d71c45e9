"""Forms of the crisis record."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from portal.audits.words import STEP_KINDS


class StepForm(FlaskForm):
    """A step of crisis handling."""

    kind = SelectField(_l("Kind of step"))
    text = TextAreaField(
        _l("What is done, or how things stand"),
        [InputRequired(_l("Write it.")), Length(max=1_000)],
        render_kw={"rows": 3},
    )
    owner = StringField(
        _l("By whom, or who was informed"),
        [Length(max=80)],
        description=_l("A measure needs somebody who takes it."),
    )
    due_on = DateField(_l("To be done by"), [Optional()])

    def prepared(self) -> StepForm:
        """With the kinds to choose from."""
        self.kind.choices = [(key, str(name)) for key, name in STEP_KINDS.items()]
        return self
