"""The shapes of what people type, and the Chinese names of roles, permissions, scopes and actions."""

import re
from datetime import date
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from wufei.catalogue.divisions import division_of_code
from wufei.catalogue.industries import read_industry_code
from wufei.registry import rules
from wufei.registry.access import Permission, Relation, Role
from wufei.registry.models import Contract, Organisation, OrganisationKind, PermitKind, Succession
from wufei.registry.queries import COUNTRY
from wufei.registry.rules import Scope

ROLE_LABELS = {
    Role.ENVIRONMENT_OFFICER: _("企业环保专员"),
    Role.WORKER: _("班组工人"),
    Role.PARK_OFFICER: _("园区管委会人员"),
    Role.AUTHORITY_OFFICER: _("主管部门人员"),
    Role.EXPERT: _("评审专家"),
    Role.AGENCY_STAFF: _("第三方机构人员"),
    Role.ADMINISTRATOR: _("系统管理员"),
}
RELATION_LABELS = {
    Relation.OWN: _("本单位"),
    Relation.PARK: _("本园区成员"),
    Relation.JURISDICTION: _("辖区内单位"),
    Relation.OPERATOR: _("全部单位"),
}
PERMISSION_LABELS = {
    Permission.VIEW_ORGANISATION: _("查看单位信息"),
    Permission.EDIT_ORGANISATION: _("修改单位信息"),
    Permission.VIEW_LEDGER: _("查看台账"),
    Permission.POST_MOVEMENTS: _("记账"),
    Permission.REVERSE_MOVEMENTS: _("冲正"),
    Permission.CLOSE_MONTH: _("结账"),
    Permission.IMPORT_WORKBOOK: _("导入工作簿"),
    Permission.VIEW_FIGURES: _("查看指标"),
    Permission.VIEW_CASE: _("查看申报案例"),
    Permission.EDIT_CASE: _("编写申报案例"),
    Permission.JUDGE: _("对须人工判断的要求作出判断"),
    Permission.MAINTAIN_REQUIREMENTS: _("维护行业基准值和引领值"),
    Permission.MANAGE_USERS: _("管理用户与角色"),
    Permission.RUN_ROUND: _("组织征集、决定和管理名单"),
    Permission.REVIEW_CASE: _("审阅辖区内单位的申报"),
    Permission.MAINTAIN_EXPERTS: _("维护专家库"),
    Permission.VIEW_MANIFESTS: _("查看转移联单"),
    Permission.HANDLE_MANIFESTS: _("填写、签发和更正联单"),
    Permission.SIGN_MANIFESTS: _("签署起运、运抵和接收"),
    Permission.VIEW_TRACKS: _("查看运输轨迹"),
    Permission.KEEP_PERMITS: _("维护许可证、车辆和驾驶员"),
    Permission.VERIFY_PERMITS: _("核实许可证"),
}
SCOPE_LABELS = {
    Scope.ORGANISATIONS_READ: _("读取单位信息"),
    Scope.ORGANISATIONS_WRITE: _("修改单位信息"),
    Scope.LEDGER_READ: _("读取台账"),
    Scope.LEDGER_WRITE: _("记账与冲正"),
    Scope.INDICATORS_READ: _("读取指标"),
    Scope.EVALUATION_READ: _("读取评价"),
    Scope.CASES_READ: _("读取申报案例"),
    Scope.CASES_WRITE: _("编写申报案例"),
    Scope.REVIEWS_READ: _("读取申报与评审"),
    Scope.REVIEWS_WRITE: _("申报与办理评审"),
    Scope.TRANSFERS_READ: _("读取转移联单"),
    Scope.TRANSFERS_WRITE: _("填写与签署联单"),
}
ACCOUNT_REFUSALS = {
    "username_taken": _("这个用户名已经有人用了，请换一个。"),
    "username_malformed": _("用户名只能有字母、数字和 @ . + - _，不超过 150 个字符。"),
    "email_malformed": _("这不是邮箱地址；应如 name@example.com，不超过 254 个字符。"),
    "email_unconfirmed": _("确认链接已失效，请重新填写邮箱。"),
    "own_account": _("不能停用自己的账号，请由另一位管理员操作。"),
    "last_administrator": _("至少要留一位能登录的系统管理员。"),
    "role_unfit": _("这个角色不适用于该类单位，例如“主管部门人员”只能在主管部门中担任。"),
    "role_held": _("该用户在这个单位已有这个角色。"),
    "role_not_held": _("该用户在这个单位没有这个角色，可能刚被别人移除。"),
}
MEMBERSHIP_REFUSALS = {
    "not_a_park": _("该单位不是园区，没有成员。"),
    "never_a_member": _("园区和主管部门不能成为园区成员。"),
    "already_member": _("该单位在这一天已是成员，请先登记离园，或改用离园以后的日期。"),
    "not_a_member": _("该单位现在不是成员，可能刚被别人登记离园。"),
    "left_before_joined": _("离园日期不能早于入园日期。"),
}
SUCCESSION_REFUSALS = {
    "name_missing": _("请填写新名称，不超过 200 字。"),
    "name_same": _("新名称与现名称相同。"),
    "day_ahead": _("日期不能晚于今天，请在办理完毕后再登记。"),
    "before_founding": _("日期不能早于成立日期，请核对。"),
    "before_last_change": _("日期须晚于上一次更名，请核对沿革。"),
    "goes_in_a_circle": _("承继单位本身就出自该单位，不能反过来登记。请核对两个单位。"),
    "recorded_already": _("这项承继已经登记过了，请查看沿革。"),
    "kind_unfit": _("请选择合并重组，或注销后重新设立。"),
    "closed_already": _("该单位已登记终止，请查看沿革。"),
}
SECOND_FACTOR_REFUSALS = {
    "already_confirmed": _("两步验证已经启用。"),
    "not_begun": _("请重新打开本页，扫描新的二维码。"),
    "none": _("两步验证没有启用。"),
    "code_wrong": _("验证码不对或已用过。请核对手机时间，等下一个验证码出现后再试。"),
}
TOKEN_REFUSALS = {
    "scope_unknown": _("有不认识的授权范围，请重新勾选。"),
    "scopes_missing": _("请至少勾选一项授权范围。"),
    "expires_in_past": _("到期时间须在今天以后。"),
    "already_revoked": _("这个令牌已经撤销。"),
}


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": _("用户名或密码不对，或者账号已停用。连续输错 5 次后，要等 15 分钟才能再试。"),
        "inactive": _("账号已停用，请联系系统管理员。"),
    }

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("用户名")
        self.fields["password"].label = _("密码")


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("验证码"),
        max_length=20,
        help_text=_("打开手机上的验证器应用，输入 6 位数字；手机不在身边时，可输入一个恢复码。"),
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}
        ),
    )


class EnrolForm(forms.Form):
    code = forms.CharField(
        label=_("应用显示的 6 位验证码"),
        max_length=10,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class PasswordForm(PasswordChangeForm):
    """Asks for the old password; the rules themselves are the service's."""

    error_messages = {
        "password_mismatch": _("两次输入的新密码不一样。"),
        "password_incorrect": _("原密码不对。"),
    }

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["old_password"].label = _("原密码")
        self.fields["new_password1"].label = _("新密码")
        self.fields["new_password1"].help_text = password_validators_help_text_html()
        self.fields["new_password2"].label = _("再输一次新密码")
        self.fields["new_password2"].help_text = ""


class PasswordAgainForm(forms.Form):
    """Before the second factor is given up, the password is asked for again."""

    password = forms.CharField(
        label=_("密码"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )


class TokenForm(forms.Form):
    name = forms.CharField(label=_("名称"), max_length=60, help_text=_("例如：1 号地磅。"))
    scopes = forms.MultipleChoiceField(
        label=_("授权范围"), choices=[(s.value, label) for s, label in SCOPE_LABELS.items()],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": TOKEN_REFUSALS["scopes_missing"]},
    )  # fmt: skip
    days = forms.TypedChoiceField(
        label=_("有效期"),
        coerce=int,
        choices=[(30, _("30 天")), (90, _("90 天")), (365, _("1 年"))],
        initial=90,
    )


class OrganisationFilter(forms.Form):
    q = forms.CharField(label=_("名称或信用代码"), required=False, max_length=100)
    kind = forms.ChoiceField(
        label=_("类型"), required=False, choices=[("", _("全部类型")), *OrganisationKind.choices]
    )
    division = forms.CharField(label=_("行政区划代码"), required=False, max_length=6)


def _fact_widgets() -> dict[str, forms.Widget]:
    return {
        "established_on": DayInput(),
        "email": forms.EmailInput(),
        "phone": forms.TextInput(attrs={"type": "tel"}),
    }


class OrganisationForm(forms.ModelForm):
    """What an organisation itself may change of its facts; `version` is where the edit began."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = Organisation
        fields = (
            "name", "industry_code", "address", "established_on", "head", "contact", "phone", "fax", "email",
            "website", "site_area_m2", "employee_count",
        )  # fmt: skip
        widgets = _fact_widgets()
        help_texts = {"industry_code": _("GB/T 4754—2017 的代码，例如 44 或 441。")}

    def clean_industry_code(self) -> str:
        typed: str = self.cleaned_data["industry_code"].strip().upper()
        if not typed:
            return ""
        reading = read_industry_code(typed)
        if reading.fault:
            raise forms.ValidationError(reading.message)
        return typed.lstrip("ABCDEFGHIJKLMNOPQRST")


class OrganisationByOperatorForm(OrganisationForm):
    """What an administrator may change besides."""

    class Meta(OrganisationForm.Meta):
        fields = ("name", "kind", "division_code", "branch", *OrganisationForm.Meta.fields[1:])  # type: ignore[assignment]
        help_texts = {
            **OrganisationForm.Meta.help_texts,
            "division_code": _(
                "六位数字，例如 500110（重庆市綦江区）；部委填 000000。它决定由哪里的主管部门监管。"
            ),
            "branch": _("主管部门才有；评审环节按它认定由谁办理。"),
        }

    def clean_division_code(self) -> str:
        code: str = self.cleaned_data["division_code"].strip()
        known = code == COUNTRY or division_of_code(code[:2]) is not None
        if len(code) != 6 or not code.isdecimal() or not known:
            raise forms.ValidationError(_("没有这个行政区划代码，请填六位数字，例如 500110。"))
        return code


class RegistrationForm(OrganisationByOperatorForm):
    uscc = forms.CharField(
        label=_("统一社会信用代码"), max_length=30, help_text=_("18 位，最后一位是校验码。")
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    field_order = ("uscc",)

    def clean_uscc(self) -> str:
        try:
            return rules.read_uscc(self.cleaned_data["uscc"])
        except rules.InvalidUscc as fault:
            raise forms.ValidationError(
                _(
                    "不是有效的统一社会信用代码：须为 18 位，且校验码（最后一位）要对得上。请对照营业执照核对。"
                )
            ) from fault


class MemberFilter(forms.Form):
    q = forms.CharField(label=_("名称或信用代码"), required=False, max_length=100)
    state = forms.ChoiceField(
        label=_("状态"), required=False, choices=[("", _("现有成员")), ("all", _("含已离园的"))]
    )


class JoinForm(forms.Form):
    uscc = forms.CharField(label=_("成员的统一社会信用代码"), max_length=30)
    joined_on = forms.DateField(label=_("入园日期"), widget=DayInput())

    def __init__(self, *args: Any, joinable: QuerySet[Organisation], today: date, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._joinable = joinable
        self.fields["joined_on"].initial = today

    def clean_uscc(self) -> Organisation:
        compact = "".join(self.cleaned_data["uscc"].split()).upper()
        found = self._joinable.filter(uscc=compact).first()
        if found is None:  # the same words whether it is elsewhere or nowhere
            raise forms.ValidationError(
                _("本园区所在区划内没有登记这个单位。请核对代码；在别处登记的单位，请系统管理员办理入园。")
            )
        return found


class CounterpartyForm(forms.Form):
    """A form that names another organisation by its code."""

    other = forms.CharField(label=_("对方的统一社会信用代码"), max_length=30)

    def clean_other(self) -> Organisation:
        compact = "".join(self.cleaned_data["other"].split()).upper()
        found = Organisation.objects.filter(uscc=compact).first()
        if found is None:
            raise forms.ValidationError(_("没有登记这个单位；请核对代码，或请系统管理员登记。"))
        return found


CODES_HINT = _("代码或类别，以逗号、顿号或空格分开，例如 HW08、900-041-49。")


def read_codes(text: str) -> list[str]:
    """
    Return the codes that a person wrote one after the other.

    >>> read_codes("HW08、900-041-49， hw49")
    ['HW08', '900-041-49', 'hw49']
    """
    return [each for each in re.split(r"[\s,，、;；]+", text) if each]


class PermitForm(forms.Form):
    kind = forms.ChoiceField(label=_("类型"), choices=PermitKind.choices)
    number = forms.CharField(label=_("许可证编号"), max_length=60)
    issued_by = forms.CharField(label=_("发证机关"), max_length=120, required=False)
    valid_from = forms.DateField(label=_("有效期自"), widget=DayInput())
    valid_through = forms.DateField(label=_("有效期至"), widget=DayInput())
    waste_codes = forms.CharField(
        label=_("废物代码或类别"), max_length=2000, required=False, help_text=CODES_HINT
    )
    modes = forms.CharField(label=_("利用、处置方式"), max_length=200, required=False)
    capacity = forms.DecimalField(
        label=_("年经营能力（吨）"), max_digits=14, decimal_places=6, required=False,
        help_text=_("运输许可不填。类别不同、能力分开核定的，分次登记。"),
    )  # fmt: skip


class ContractForm(CounterpartyForm):
    purpose = forms.ChoiceField(label=_("内容"), choices=Contract.Purpose.choices)
    number = forms.CharField(label=_("合同编号"), max_length=60)
    signed_on = forms.DateField(label=_("签订日期"), widget=DayInput())
    valid_through = forms.DateField(label=_("有效期至"), widget=DayInput())
    waste_codes = forms.CharField(
        label=_("废物代码或类别"), max_length=2000, required=False, help_text=CODES_HINT
    )


class DueDiligenceForm(CounterpartyForm):
    checked_on = forms.DateField(label=_("核实日期"), widget=DayInput())
    valid_through = forms.DateField(label=_("有效期至"), widget=DayInput())
    qualification = forms.CharField(label=_("主体资格"), max_length=300)
    capability = forms.CharField(label=_("技术能力"), max_length=300)
    is_passed = forms.BooleanField(label=_("核实通过"), required=False)
    note = forms.CharField(label=_("备注"), max_length=300, required=False)


class VehicleForm(forms.Form):
    plate = forms.CharField(label=_("车牌号"), max_length=20)
    permit_number = forms.CharField(label=_("道路运输证号"), max_length=60, required=False)
    valid_through = forms.DateField(label=_("有效期至"), widget=DayInput(), required=False)
    load = forms.DecimalField(
        label=_("核定载质量（吨）"), max_digits=9, decimal_places=6, required=False,
        help_text=_("行驶证上的数；装载超过它的，联单上会标出。"),
    )  # fmt: skip


class DriverForm(forms.Form):
    name = forms.CharField(label=_("姓名"), max_length=60)
    phone = forms.CharField(label=_("电话"), max_length=30, required=False)
    permit_number = forms.CharField(label=_("从业资格证号"), max_length=60, required=False)
    valid_through = forms.DateField(label=_("有效期至"), widget=DayInput(), required=False)


class LeaveForm(forms.Form):
    left_on = forms.DateField(label=_("离园日期（最后一天）"), widget=DayInput())


class RenameForm(forms.Form):
    name = forms.CharField(label=_("新名称"), max_length=200)
    on = forms.DateField(label=_("更名日期"), widget=DayInput(), help_text=_("营业执照变更登记的日期。"))
    document = forms.CharField(
        label=_("依据"), max_length=200, help_text=_("例如：登记机关的变更通知书文号。")
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


class SuccessionForm(forms.Form):
    uscc = forms.CharField(label=_("承继单位的统一社会信用代码"), max_length=30)
    kind = forms.ChoiceField(
        label=_("事项"),
        choices=[(kind.value, kind.label) for kind in Succession.Kind if kind != Succession.Kind.RENAME],
    )
    on = forms.DateField(label=_("日期"), widget=DayInput())
    document = forms.CharField(label=_("依据"), max_length=200, help_text=_("例如：合并协议、批复文号。"))

    def __init__(self, *args: Any, among: QuerySet[Organisation], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._among = among

    def clean_uscc(self) -> Organisation:
        compact = "".join(self.cleaned_data["uscc"].split()).upper()
        found = self._among.filter(uscc=compact).first()
        if found is None:
            raise forms.ValidationError(
                _("您可登记的范围内没有这个单位。请核对代码；承继单位在别处的，请系统管理员登记。")
            )
        return found


class CloseForm(forms.Form):
    on = forms.DateField(label=_("终止日期"), widget=DayInput(), help_text=_("注销登记的日期。"))


class UserFilter(forms.Form):
    q = forms.CharField(label=_("用户名或姓名"), required=False, max_length=100)
    role = forms.ChoiceField(
        label=_("角色"),
        required=False,
        choices=[("", _("全部角色")), *((r.value, label) for r, label in ROLE_LABELS.items())],
    )
    state = forms.ChoiceField(
        label=_("状态"), required=False,
        choices=[("", _("全部状态")), ("active", _("可登录")), ("inactive", _("已停用"))],
    )  # fmt: skip


class EmailField(forms.CharField):
    """Where a person is mailed to; what is an address the service says."""

    def __init__(self) -> None:
        super().__init__(
            label=_("邮箱"), required=False, max_length=400, help_text=_("待办、退回和到期提醒也发到这里；留空则只在系统内提醒。"),
            widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        )  # fmt: skip


class UserEmailForm(forms.Form):
    email = EmailField()


class OwnEmailForm(UserEmailForm):
    """The password is asked for again: whoever has the address may learn what is told."""

    password = forms.CharField(
        label=_("密码"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )


class UserForm(forms.Form):
    username = forms.CharField(label=_("用户名"), max_length=150, help_text=_("字母、数字和 @ . + - _。"))
    full_name = forms.CharField(label=_("姓名"), max_length=60)
    phone = forms.CharField(label=_("电话"), max_length=60, required=False)
    email = EmailField()
    password = forms.CharField(
        label=_("初始密码"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = password_validators_help_text_html()


class NewPasswordForm(forms.Form):
    password = forms.CharField(
        label=_("新密码"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = password_validators_help_text_html()


class RoleForm(forms.Form):
    uscc = forms.CharField(label=_("单位的统一社会信用代码"), max_length=30)
    role = forms.ChoiceField(label=_("角色"), choices=[(r.value, label) for r, label in ROLE_LABELS.items()])

    def clean_uscc(self) -> Organisation:
        compact = "".join(self.cleaned_data["uscc"].split()).upper()
        found = Organisation.objects.filter(uscc=compact).first()
        if found is None:
            raise forms.ValidationError(_("没有登记这个单位，请先登记，或核对代码。"))
        return found


class AuditFilter(forms.Form):
    q = forms.CharField(label=_("人员或对象"), required=False, max_length=100)
    action = forms.ChoiceField(label=_("操作"), required=False)
    since = forms.DateField(label=_("从"), required=False, widget=DayInput())
    through = forms.DateField(label=_("到"), required=False, widget=DayInput())

    def __init__(self, *args: Any, actions: list[str], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["action"].choices = [("", _("全部操作")), *((a, action_label(a)) for a in actions)]  # type: ignore[attr-defined]


ACTION_LABELS = {
    "registry.register_organisation": _("登记单位"),
    "registry.change_organisation": _("修改单位信息"),
    "registry.rename_organisation": _("登记更名"),
    "registry.record_succession": _("登记承继"),
    "registry.close_organisation": _("登记终止"),
    "registry.join_park": _("入园"),
    "registry.leave_park": _("离园"),
    "registry.assign_role": _("分配角色"),
    "registry.remove_role": _("移除角色"),
    "ledger.post": _("记账"),
    "ledger.reverse": _("冲正"),
    "ledger.correct": _("冲正并重记（联单更正）"),
    "ledger.record_identification": _("记危险性判别"),
    "collection.activate": _("设立小微企业账号"),
    "collection.close_point": _("停用收集点"),
    "collection.declare": _("小微企业月度申报"),
    "collection.decline": _("不予确认登记"),
    "collection.enrol": _("开通小微收运"),
    "collection.plan_round": _("安排收运轮次"),
    "collection.record_point": _("登记收集点"),
    "collection.renew_receipt": _("重发登记凭条"),
    "collection.set_signing_code": _("设置签收码"),
    "filings.file_plan": _("备案管理计划"),
    "filings.publish_disclosure": _("公开信息"),
    "labels.keep_particulars": _("填写标签内容"),
    "labels.print": _("打印标签"),
    "labels.reserve_numbers": _("预留数字识别码"),
    "shopfloor.abandon": _("放弃没有收下的记录"),
    "shopfloor.register_phone": _("登记手机"),
    "shopfloor.set_aside": _("搁置读数"),
    "storage.close_corrective_action": _("办结整改"),
    "storage.close_sheet": _("盘点结束"),
    "storage.count_lot": _("盘点"),
    "storage.declare_zone": _("登记贮存分区"),
    "storage.open_sheet": _("开盘点表"),
    "storage.place_lot": _("放入分区"),
    "storage.post_differences": _("盘盈盘亏记账"),
    "storage.record_inspection": _("贮存设施检查"),
    "tracking.acknowledge": _("说明运输提醒"),
    "tracking.delete_old_positions": _("删除期满的位置"),
    "tracking.state_route": _("申报运输路线"),
    "ledger.close_month": _("结账"),
    "ledger.verify": _("校验台账"),
    "store.back_up": _("备份"),
    "store.restore": _("恢复备份"),
    "ledger.declare_store": _("登记贮存设施"),
    "ledger.declare_stream": _("登记废物"),
    "capture.stage_upload": _("上传工作簿"),
    "capture.confirm_upload": _("确认导入"),
    "capture.import": _("导入工作簿"),
    "indicators.state_operation": _("填报年度经营"),
    "indicators.state_product": _("填报产品"),
    "policies.declare": _("填报声明"),
    "policies.judge": _("人工判断"),
    "policies.state_value": _("填报取值"),
    "policies.maintain_requirements": _("维护行业要求"),
    "ledger.transform": _("转化"),
    "ledger.reverse_transformation": _("冲正转化"),
    "ledger.record_lineage": _("记录批次的去向"),
    "ledger.describe_container": _("登记容器"),
    "ledger.make_waste_report": _("生成官方台账"),
    "registry.record_permit": _("登记许可证"),
    "registry.verify_permit": _("核实许可证"),
    "registry.revoke_permit": _("登记许可证终止"),
    "registry.record_contract": _("登记合同"),
    "registry.record_due_diligence": _("登记核实记录"),
    "registry.end_contract": _("终止合同"),
    "registry.record_vehicle": _("登记车辆"),
    "registry.end_vehicle": _("停用车辆"),
    "registry.end_driver": _("驾驶员离职"),
    "registry.record_driver": _("登记驾驶员"),
    "transfers.create_draft": _("新建联单"),
    "transfers.edit_draft": _("修改联单草稿"),
    "transfers.issue": _("签发联单"),
    "transfers.cancel": _("作废联单"),
    "transfers.load": _("联单起运"),
    "transfers.hand_over": _("联单接运"),
    "transfers.store": _("联单中途暂存"),
    "transfers.resume": _("联单继续运输"),
    "transfers.deliver": _("联单运抵"),
    "transfers.accept": _("接受联单"),
    "transfers.partly_accept": _("部分接受联单"),
    "transfers.refuse": _("拒收联单"),
    "transfers.take_back": _("收回退回的废物"),
    "transfers.propose_revision": _("提出联单更正"),
    "transfers.agree_to_revision": _("同意联单更正"),
    "transfers.reject_revision": _("不同意联单更正"),
    "transfers.withdraw_revision": _("撤回联单更正"),
    "transfers.settle_discrepancy": _("处理接收差异"),
    "transfers.reopen_discrepancy": _("重开接收差异"),
    "transfers.receive_load": _("合并过磅"),
    "transfers.record_approval": _("登记跨省批准"),
}


def action_label(action: str) -> str:
    """Return the Chinese name of an action, or its code where a room gave it none."""
    return str(ACTION_LABELS.get(action, action))
