"""The shapes of what people type about rounds; the rules are the services'."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wufei.policies.edition import Edition
from wufei.registry.models import Organisation
from wufei.reviews.forms.days import day_field
from wufei.reviews.models import Round
from wufei.terms.day import local_day

DOCUMENT_KINDS = [
    ("notice", _("通知")), ("recommendation", _("推荐文件（盖章扫描件）")), ("minutes", _("会议纪要")),
    ("decision", _("决定")), ("other", _("其他")),
]  # fmt: skip
STATES = [
    ("", _("全部状态")), ("unpublished", _("未发布")), ("open", _("进行中")), ("closed", _("已结束")),
]  # fmt: skip


class RoundFilter(forms.Form):
    """Which rounds a list shows."""

    q = forms.CharField(
        label=_("查找"), required=False, max_length=80,
        widget=forms.TextInput(attrs={"placeholder": _("名称、组织单位")}),
    )  # fmt: skip
    edition = forms.ChoiceField(label=_("政策版本"), required=False)
    state = forms.ChoiceField(label=_("状态"), required=False, choices=STATES)

    def __init__(self, said: Any, *, editions: Iterable[Edition]) -> None:
        super().__init__(said)
        field = self.fields["edition"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("全部版本")), *((e.id, e.title) for e in editions)]


class OpenRoundForm(forms.Form):
    """A round to be opened from an edition."""

    edition = forms.ChoiceField(
        label=_("政策版本"),
        help_text=_("环节、名额、期限、表格都由政策版本决定；发起后本轮固定用这个版本。"),
    )
    year = forms.IntegerField(label=_("年度"), min_value=2000, max_value=2100)
    authority = forms.ChoiceField(label=_("组织单位"))
    title = forms.CharField(
        label=_("名称"), required=False, max_length=200, help_text=_("不填按年度和政策版本命名。")
    )

    def __init__(
        self,
        said: Any = None,
        *,
        editions: Iterable[Edition],
        authorities: Iterable[Organisation],
        **more: Any,
    ) -> None:
        super().__init__(said, **more)
        for name, choices in (
            ("edition", [(e.id, f"{e.title}（{e.id}）") for e in editions]),
            ("authority", [(a.uscc, a.name) for a in authorities]),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices


class RoundForm(forms.Form):
    """The notice of a round, its deadline and its quotas."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    title = forms.CharField(label=_("名称"), max_length=200)
    addressees = forms.CharField(
        label=_("主送单位"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("每行一个。"),
    )
    notice_text = forms.CharField(
        label=_("通知正文"), required=False, widget=forms.Textarea(attrs={"rows": 12})
    )
    submission_deadline = day_field(
        label=_("申报单位报送截止日期"), required=False, help_text=_("当日 24 时截止。")
    )
    grace_minutes = forms.IntegerField(
        label=_("宽限（分钟）"), min_value=0, max_value=1440,
        help_text=_("截止前已完成编写、正在提交的，再给这么久。"),
    )  # fmt: skip

    def __init__(self, said: Any = None, *, round_: Round, edition: Edition) -> None:
        initial: dict[str, Any] = {
            name: getattr(round_, name)
            for name in (
                "version",
                "title",
                "addressees",
                "notice_text",
                "submission_deadline",
                "grace_minutes",
            )
        }
        super().__init__(said, initial=initial)
        if report := edition.reporting_days(year=round_.year, since=local_day(round_.opened_at)):
            self.fields["submission_deadline"].help_text = _(
                "当日 24 时截止。最迟与下级上报同日（%(label)s：%(day)s），请给下级的审核、核实和征求意见留出时间。"
            ) % {"label": report[0].label, "day": report[0].on.isoformat()}
        self.quota_ids = [quota.id for quota in edition.quotas]
        for quota in edition.quotas:
            self.fields[f"quota_{quota.id}"] = forms.IntegerField(
                label=_("名额：%(says)s") % {"says": quota.says}, min_value=0, max_value=100_000,
                initial=round_.quotas.get(quota.id, quota.number), help_text=quota.clause,
            )  # fmt: skip

    def changes(self) -> dict[str, Any]:
        """Return what the service takes."""
        said = self.cleaned_data
        names = ("title", "addressees", "notice_text", "submission_deadline", "grace_minutes")
        changes = {name: said[name] for name in names}
        if self.quota_ids:
            changes["quotas"] = {each: said[f"quota_{each}"] for each in self.quota_ids}
        return changes


class LateForm(forms.Form):
    """Leave to hand in late."""

    uscc = forms.CharField(label=_("统一社会信用代码"), max_length=18)
    until = day_field(label=_("接收至"))
    reason = forms.CharField(label=_("理由"), max_length=200)


class DocumentForm(forms.Form):
    """A file that goes with a round."""

    kind = forms.ChoiceField(label=_("类别"), choices=DOCUMENT_KINDS)
    file = forms.FileField(label=_("文件"), help_text=_("pdf、docx、xlsx、jpg 或 png，不超过 20 MB。"))
    is_public = forms.BooleanField(label=_("对外公开"), required=False)


class SealedForm(forms.Form):
    """A signed and sealed scan."""

    file = forms.FileField(label=_("盖章扫描件"), help_text=_("pdf、jpg 或 png，不超过 20 MB。"))
