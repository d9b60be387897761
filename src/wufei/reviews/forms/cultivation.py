"""The shapes of what people type about the cultivation library."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from wufei.policies.edition import Edition
from wufei.registry.models import Organisation
from wufei.reviews.forms.days import day_field
from wufei.reviews.models import Cultivation

STATES = [("", _("在库")), ("all", _("含已出库和调整前的"))]


def _programmes(form: forms.Form, editions: list[Edition], first: list[tuple[str, Any]]) -> None:
    field = form.fields["programme"]
    assert isinstance(field, forms.ChoiceField)
    field.choices = [*first, *((each.id, each.title) for each in editions)]


class CultivationFilter(forms.Form):
    """Who of the library a list shows."""

    q = forms.CharField(label=_("名称或信用代码"), required=False, max_length=80)
    programme = forms.ChoiceField(label=_("方向"), required=False)
    tier = forms.ChoiceField(
        label=_("梯度"), required=False, choices=[("", _("全部梯度")), *Cultivation.Tier.choices]
    )
    state = forms.ChoiceField(label=_("状态"), required=False, choices=STATES)

    def __init__(self, *args: Any, editions: list[Edition], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _programmes(self, editions, [("", _("全部方向"))])


class EnterForm(forms.Form):
    """Who enters the library."""

    organisation = forms.CharField(label=_("统一社会信用代码"), max_length=30)
    programme = forms.ChoiceField(label=_("方向"))
    tier = forms.ChoiceField(label=_("梯度"), choices=Cultivation.Tier.choices)
    since = day_field(label=_("入库日期"))
    note = forms.CharField(label=_("说明"), max_length=200, required=False)

    def __init__(
        self, *args: Any, editions: list[Edition], among: QuerySet[Organisation], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._among = among
        _programmes(self, editions, [])

    def clean_organisation(self) -> Organisation:
        compact = "".join(self.cleaned_data["organisation"].split()).upper()
        found = self._among.filter(uscc=compact).first()
        if found is None:  # the same words whether it is elsewhere or nowhere
            raise forms.ValidationError(_("您的辖区内没有登记这个单位，请核对代码。"))
        return found


class MoveForm(forms.Form):
    """To which tier, or out."""

    tier = forms.ChoiceField(label=_("调整为"), choices=[*Cultivation.Tier.choices, ("OUT", _("出库"))])
    on = day_field(label=_("日期"))
    note = forms.CharField(label=_("说明"), max_length=200, required=False, help_text=_("出库时必填。"))
