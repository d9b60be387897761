"""The shapes of what people type about titles, their changes and their yearly life."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wufei.policies.edition import Edition
from wufei.registry.models import Organisation
from wufei.reviews.forms.days import day_field
from wufei.reviews.models import ChangeReport, Title, TitleEvent
from wufei.reviews.queries.register import ENDING, STANDINGS, Cause


def _lines(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


def _choose(form: forms.Form, name: str, choices: list[tuple[str, Any]]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices


class TitleFilter(forms.Form):
    """Which titles a list shows, and as of which day."""

    q = forms.CharField(
        label=_("查找"), required=False, max_length=80,
        widget=forms.TextInput(attrs={"placeholder": _("编号、现名称、原名称、信用代码")}),
    )  # fmt: skip
    edition = forms.ChoiceField(label=_("政策"), required=False)
    level = forms.ChoiceField(
        label=_("级别"), required=False, choices=[("", _("全部级别")), *Title.Level.choices]
    )
    state = forms.ChoiceField(
        label=_("状态"), required=False, choices=[("", _("全部状态")), *STANDINGS.items()]
    )
    at = day_field(label=_("截至"), required=False)

    def __init__(self, *args: Any, editions: list[Edition], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choose(self, "edition", [("", _("全部政策")), *((each.id, each.title) for each in editions)])


class GrantForm(forms.Form):
    """The number under which a title is entered."""

    number = forms.CharField(label=_("编号"), max_length=60, help_text=_("编号不能重复。"))
    granted_on = day_field(label=_("认定日期"))
    document = forms.CharField(label=_("文号"), max_length=60, required=False)


class EndForm(forms.Form):
    """A removal or a revocation; `seen` is how many events the title had when the page was opened."""

    kind = forms.ChoiceField(label=_("处理"), choices=[(k.value, k.label) for k in ENDING])
    cause = forms.ChoiceField(label=_("事由"))
    on = day_field(label=_("日期"))
    document = forms.CharField(label=_("文号"), max_length=60, required=False)
    words = forms.CharField(
        label=_("公告正文"), required=False, widget=_lines(8), max_length=4000,
        help_text=_("不填则按事由拟一份，您核对后再公告。"),
    )  # fmt: skip
    seen = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, causes: list[Cause], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = {"revokes": _("撤销"), "removes": _("移出")}
        labels = [(each.ref, f"{kinds[each.criterion.ends_title]} · {each.says}") for each in causes]
        _choose(self, "cause", labels)


class ChangeForm(forms.Form):
    """A holder's report of a change."""

    kind = forms.ChoiceField(label=_("事项"), choices=ChangeReport.Kind.choices)
    completed_on = day_field(label=_("办理手续日期"), help_text=_("变更登记、批准或注销的日期。"))
    new_name = forms.CharField(label=_("新名称"), max_length=200, required=False, help_text=_("更名时必填。"))
    successor = forms.CharField(
        label=_("承继单位的统一社会信用代码"), max_length=30, required=False, help_text=_("重组时必填。")
    )
    words = forms.CharField(label=_("说明"), widget=_lines(3), required=False, max_length=2000)
    file = forms.FileField(
        label=_("证明材料"), required=False, help_text=_("pdf、docx、xlsx、jpg、png，不超过 20 MB。")
    )

    def clean_successor(self) -> Organisation | None:
        compact = "".join(self.cleaned_data["successor"].split()).upper()
        if not compact:
            return None
        found = Organisation.objects.filter(uscc=compact).first()
        if found is None:
            raise forms.ValidationError(_("没有登记这个单位，请核对代码，或请系统管理员先登记。"))
        return found


class ChangeFilter(forms.Form):
    """Which reported changes a list shows."""

    q = forms.CharField(label=_("编号或名称"), required=False, max_length=80)
    state = forms.ChoiceField(
        label=_("状态"), required=False, choices=[("", _("全部状态")), *ChangeReport.State.choices]
    )


class HandleForm(forms.Form):
    """What a district or the city says to a reported change."""

    answer = forms.ChoiceField(
        label=_("意见"), choices=[("YES", _("同意")), ("NO", _("不同意"))], widget=forms.RadioSelect
    )
    words = forms.CharField(
        label=_("说明"), widget=_lines(3), required=False, max_length=2000, help_text=_("不同意时必填。")
    )
    document = forms.CharField(label=_("文号"), max_length=60, required=False)
    cause = forms.ChoiceField(label=_("终止称号的事由"), required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, causes: list[Cause], records: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not records:
            del self.fields["document"]
        if not causes:
            del self.fields["cause"]
        else:
            _choose(self, "cause", [(each.ref, each.says) for each in causes])


class YearFilter(forms.Form):
    """Which year's re-evaluation, under which edition."""

    edition = forms.ChoiceField(label=_("政策"))
    year = forms.IntegerField(label=_("年度"), min_value=1949, max_value=2200)

    def __init__(self, *args: Any, editions: list[Edition], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choose(self, "edition", [(each.id, each.title) for each in editions])


class WarnForm(forms.Form):
    """A warning to a holder that has not answered."""

    cause = forms.ChoiceField(label=_("依据"))
    words = forms.CharField(
        label=_("限期整改的要求"),
        widget=_lines(4),
        max_length=2000,
        help_text=_("写明在哪一天以前做到什么。"),
    )

    def __init__(self, *args: Any, causes: list[Cause], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choose(self, "cause", [(each.ref, each.says) for each in causes])


EVENT_WORDS = dict(TitleEvent.Kind.choices)
