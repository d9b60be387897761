"""The shapes of what people type about hand-overs."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wufei.registry.models import User
from wufei.reviews.forms.days import day_field


class DelegationForm(forms.Form):
    """Whom to hand one's tasks to, and for how long."""

    deputy = forms.ChoiceField(label=_("交由"))
    from_day = day_field(label=_("自"))
    to_day = day_field(label=_("至"), help_text=_("含当日。"))
    reason = forms.CharField(label=_("事由"), required=False, max_length=200)

    def __init__(self, said: Any = None, *, colleagues: Iterable[User]) -> None:
        super().__init__(said)
        field = self.fields["deputy"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(str(user.pk), str(user)) for user in colleagues]
