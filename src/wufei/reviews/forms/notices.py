"""The shapes of what officers type about notices, objections and packages."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class NoticeForm(forms.Form):
    """The words of a notice; which applications it lists is chosen beside it."""

    title = forms.CharField(label=_("标题"), max_length=200)
    text = forms.CharField(label=_("正文"), widget=forms.Textarea(attrs={"rows": 8}))
    contact = forms.CharField(
        label=_("联系方式"), max_length=200, help_text=_("受理异议的电话、邮箱和地址，随公示公开。")
    )


class ExtendForm(forms.Form):
    """A later end of a running notice."""

    ends_on = forms.DateField(
        label=_("延至"), input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("只能延长，不能缩短；应为工作日。"),
    )  # fmt: skip
    reason = forms.CharField(label=_("理由"), max_length=200, help_text=_("随公示公开。"))


class DecideForm(forms.Form):
    """What was found of an objection."""

    decision = forms.ChoiceField(
        label=_("处理结果"), widget=forms.RadioSelect,
        choices=[
            ("DISMISSED", _("异议不成立")), ("UPHELD", _("异议成立，不影响列入")), ("REMOVE", _("异议成立，移出公示名单")),
        ],
    )  # fmt: skip
    words = forms.CharField(
        label=_("处理意见"), max_length=5000, widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("异议人凭受理编号可以看到。请勿写入异议人的身份。"),
    )  # fmt: skip


class RemoveForm(forms.Form):
    """Why an application is taken off the list."""

    words = forms.CharField(
        label=_("移出理由"), max_length=200, help_text=_("写明查实了什么、依据哪一条，至少 10 个字。")
    )


class LoadForm(forms.Form):
    """A package from the level below."""

    file = forms.FileField(
        label=_("上报包"), help_text=_("wufei round export 或本页“导出”生成的文件，不超过 200 MB。")
    )


class TrustForm(forms.Form):
    """Another system's key, compared by word of mouth."""

    uscc = forms.CharField(label=_("报送单位统一社会信用代码"), max_length=18)
    public_key = forms.CharField(
        label=_("公钥"), max_length=80, help_text=_("64 位十六进制字符。须先与报送单位当面或电话逐段核对。")
    )

    def clean_public_key(self) -> str:
        said: Any = self.cleaned_data["public_key"]
        return "".join(str(said).split()).lower()
