"""What is stored of organisations and people. Write only through `registry.services`."""

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from wufei.registry.access import Role


class OrganisationKind(models.TextChoices):
    ENTERPRISE = "ENTERPRISE", _("企业")
    PARK = "PARK", _("园区")
    UTILISER = "UTILISER", _("利用处置单位")
    CARRIER = "CARRIER", _("运输单位")
    AUTHORITY = "AUTHORITY", _("主管部门")
    AGENCY = "AGENCY", _("第三方机构")


class Branch(models.TextChoices):
    """What an authority is an authority for."""

    INDUSTRY = "INDUSTRY", _("经信")
    ENVIRONMENT = "ENVIRONMENT", _("生态环境")
    DEVELOPMENT = "DEVELOPMENT", _("发展改革")
    EMERGENCY = "EMERGENCY", _("应急管理")
    MARKET = "MARKET", _("市场监管")
    TAX = "TAX", _("税务")


class Organisation(models.Model):
    """A legal person known by its 统一社会信用代码; a park by that of its committee."""

    uscc = models.CharField(_("统一社会信用代码"), max_length=18, unique=True)
    name = models.CharField(_("单位名称"), max_length=200)
    kind = models.CharField(_("单位类型"), max_length=16, choices=OrganisationKind.choices)
    industry_code = models.CharField(_("行业代码"), max_length=4, blank=True, default="")
    division_code = models.CharField(_("行政区划代码"), max_length=6, db_index=True)
    branch = models.CharField(_("主管领域"), max_length=12, choices=Branch.choices, blank=True, default="")
    closed_on = models.DateField(_("终止日期"), null=True, blank=True)
    address = models.CharField(_("详细地址"), max_length=300, blank=True, default="")
    established_on = models.DateField(_("成立日期"), null=True, blank=True)
    head = models.CharField(_("负责人"), max_length=60, blank=True, default="")
    contact = models.CharField(_("联系人"), max_length=60, blank=True, default="")
    phone = models.CharField(_("电话"), max_length=60, blank=True, default="")
    fax = models.CharField(_("传真"), max_length=60, blank=True, default="")
    email = models.CharField(_("邮箱"), max_length=120, blank=True, default="")
    website = models.CharField(_("网址"), max_length=200, blank=True, default="")
    site_area_m2 = models.DecimalField(
        _("厂区面积（平方米）"), max_digits=16, decimal_places=2, null=True, blank=True
    )
    employee_count = models.PositiveIntegerField(_("员工数量"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1)  # a stale edit is refused
    created_at = models.DateTimeField(_("登记时间"))

    class Meta:
        verbose_name = _("单位")

    def __str__(self) -> str:
        return f"{self.name}（{self.uscc}）"


class Succession(models.Model):
    """An organisation that goes on in another, or under another name: what its past was stays its past."""

    class Kind(models.TextChoices):
        RENAME = "RENAME", _("更名")
        MERGER = "MERGER", _("合并、分立、重组")
        REFOUNDED = "REFOUNDED", _("注销后重新设立")

    predecessor = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    successor = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    kind = models.CharField(_("事项"), max_length=12, choices=Kind.choices)
    on = models.DateField(_("日期"))
    former_name = models.CharField(_("原名称"), max_length=200)
    document = models.CharField(_("依据"), max_length=200, blank=True, default="")
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            # A rename keeps the code, so it is the same organisation; all else is another one.
            models.CheckConstraint(
                condition=Q(kind="RENAME", predecessor=F("successor"))
                | (~Q(kind="RENAME") & ~Q(predecessor=F("successor"))),
                name="registry_succession_rename_or_other",
            ),
            models.UniqueConstraint(
                fields=("predecessor", "successor", "kind", "on"), name="registry_succession_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.predecessor_id} {self.kind} {self.successor_id}"


class ParkMembership(models.Model):
    """A member of a park, from the day it joined through the day it left."""

    park = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    member = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    joined_on = models.DateField(_("入园日期"))
    left_on = models.DateField(_("离园日期"), null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("park", "member", "joined_on"), name="registry_membership_once"),
            models.CheckConstraint(
                condition=Q(left_on=None) | Q(left_on__gte=F("joined_on")),
                name="registry_membership_ends_after_it_begins",
            ),
            models.CheckConstraint(condition=~Q(park=F("member")), name="registry_membership_of_another"),
        )

    def __str__(self) -> str:
        return f"{self.member_id} in {self.park_id} from {self.joined_on}"


class User(AbstractUser):
    """A person who signs in."""

    full_name = models.CharField(_("姓名"), max_length=60, blank=True, default="")
    phone = models.CharField(_("电话"), max_length=60, blank=True, default="")

    def __str__(self) -> str:
        return self.full_name or self.username


class RoleAssignment(models.Model):
    """A role that a person holds in an organisation."""

    user = models.ForeignKey(User, models.PROTECT, related_name="role_assignments")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    role = models.CharField(_("角色"), max_length=24, choices=[(r.value, r.value) for r in Role])

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("user", "organisation", "role"), name="registry_role_once"),
        )

    def __str__(self) -> str:
        return f"{self.user_id} {self.role} of {self.organisation_id}"


class AuditEntry(models.Model):
    """Who did what, when, to whom: one row in the same transaction as every write. Append-only."""

    at = models.DateTimeField(_("时间"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+")
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, null=True, db_index=False, related_name="+"
    )
    action = models.CharField(_("操作"), max_length=60)  # "ledger.post"
    object_ref = models.CharField(_("对象"), max_length=120, default="")
    detail = models.JSONField(_("内容"), default=dict)

    class Meta:
        indexes = (models.Index(fields=("organisation", "-id"), name="registry_audit_by_organisation"),)

    def __str__(self) -> str:
        return f"#{self.pk} {self.action} {self.object_ref}"


class ApiToken(models.Model):
    """A token for machines; only its SHA-256 is kept."""

    user = models.ForeignKey(User, models.PROTECT, related_name="api_tokens")
    name = models.CharField(_("名称"), max_length=60)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(_("范围"), default=list)  # ["ledger:read", "ledger:write", ...]
    created_at = models.DateTimeField(_("创建时间"))
    expires_at = models.DateTimeField(_("到期时间"), null=True)
    revoked_at = models.DateTimeField(_("撤销时间"), null=True)

    def __str__(self) -> str:
        return f"{self.name} of {self.user_id}"


class IdempotentAnswer(models.Model):
    """What was answered to a write under a client's idempotency key, to be replayed."""

    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    key = models.CharField(max_length=128)
    request_digest = models.CharField(max_length=64)  # of method, path and body
    status = models.PositiveSmallIntegerField()
    body = models.TextField()
    answered_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "key"), name="registry_idempotency_key_once"),)

    def __str__(self) -> str:
        return f"{self.user_id} {self.key} {self.status}"


class PermitKind(models.TextChoices):
    COMPREHENSIVE = "COMPREHENSIVE", _("危险废物综合经营许可证")
    COLLECTION = "COLLECTION", _("危险废物收集经营许可证")
    TRANSPORT = "TRANSPORT", _("危险货物道路运输经营许可证")


class OperatingPermit(models.Model):
    """
    A permit 经营许可证 of an organisation, as it says itself until an authority has looked at it.

    Which wastes, in which ways, how much in a year: its groups.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    kind = models.CharField(_("类型"), max_length=16, choices=PermitKind.choices)
    number = models.CharField(_("许可证编号"), max_length=60)
    issued_by = models.CharField(_("发证机关"), max_length=120, blank=True, default="")
    valid_from = models.DateField(_("有效期自"))
    valid_through = models.DateField(_("有效期至"))
    revoked_on = models.DateField(_("吊销或注销日期"), null=True, blank=True)
    verified_at = models.DateTimeField(_("核实时间"), null=True, blank=True)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "kind", "number", "valid_from"), name="registry_permit_once"
            ),
            models.CheckConstraint(
                condition=Q(valid_through__gte=F("valid_from")), name="registry_permit_ends_after_it_begins"
            ),
            models.CheckConstraint(
                condition=Q(verified_at=None, verified_by=None)
                | Q(verified_at__isnull=False, verified_by__isnull=False),
                name="registry_permit_verified_by_somebody",
            ),
        )

    def __str__(self) -> str:
        return f"{self.number} of {self.organisation_id}"


class PermitGroup(models.Model):
    """Wastes that a permit names together, with what may be taken of them in a year."""

    permit = models.ForeignKey(OperatingPermit, models.PROTECT, related_name="groups")
    name = models.CharField(_("经营类别"), max_length=120, blank=True, default="")
    waste_codes = models.JSONField(_("废物代码或类别"))  # ["HW08", "900-249-08"]
    modes = models.JSONField(_("利用、处置方式"), default=list)  # ["R9"]
    capacity_g = models.BigIntegerField(_("年经营能力（克）"))

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(capacity_g__gt=0), name="registry_permit_group_capacity_is_positive"
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} of {self.permit_id}"


class PermitUse(models.Model):
    """How much of a group's capacity of a year is taken, over all manifests; only ever changed by a condition."""

    group = models.ForeignKey(PermitGroup, models.PROTECT, related_name="uses")
    year = models.PositiveSmallIntegerField(_("年度"))
    used_g = models.BigIntegerField(_("已用（克）"), default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("group", "year"), name="registry_permit_use_once"),
            models.CheckConstraint(condition=Q(used_g__gte=0), name="registry_permit_use_not_negative"),
        )

    def __str__(self) -> str:
        return f"{self.group_id} in {self.year}: {self.used_g} g"


class Contract(models.Model):
    """A written contract 合同 of who hands waste over with who takes or carries it."""

    class Purpose(models.TextChoices):
        RECEIVING = "RECEIVING", _("贮存、利用、处置")
        TRANSPORT = "TRANSPORT", _("运输")

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    counterparty = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    purpose = models.CharField(_("内容"), max_length=12, choices=Purpose.choices)
    number = models.CharField(_("合同编号"), max_length=60)
    signed_on = models.DateField(_("签订日期"))
    valid_through = models.DateField(_("有效期至"))
    ended_on = models.DateField(_("提前终止日期"), null=True, blank=True)
    waste_codes = models.JSONField(_("废物代码或类别"), default=list)  # empty: all
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "counterparty", "number"), name="registry_contract_once"
            ),
            models.CheckConstraint(
                condition=Q(valid_through__gte=F("signed_on")), name="registry_contract_ends_after_it_begins"
            ),
            models.CheckConstraint(
                condition=~Q(organisation=F("counterparty")), name="registry_contract_with_another"
            ),
        )

    def __str__(self) -> str:
        return f"{self.number} of {self.organisation_id} with {self.counterparty_id}"


class DueDiligence(models.Model):
    """What an organisation found when it looked at who is to take its waste: 主体资格和技术能力核实."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    checked_on = models.DateField(_("核实日期"))
    valid_through = models.DateField(_("有效期至"))
    is_passed = models.BooleanField(_("通过"))
    qualification = models.CharField(_("主体资格"), max_length=300)
    capability = models.CharField(_("技术能力"), max_length=300)
    note = models.CharField(_("备注"), max_length=300, blank=True, default="")
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(valid_through__gte=F("checked_on")), name="registry_due_diligence_ends_after"
            ),
        )
        indexes = (
            models.Index(fields=("organisation", "subject", "-checked_on"), name="registry_due_diligence_of"),
        )

    def __str__(self) -> str:
        return f"{self.organisation_id} of {self.subject_id} on {self.checked_on}"


class Vehicle(models.Model):
    """A vehicle of a carrier, with its transport permit 道路运输证."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    plate = models.CharField(_("车牌号"), max_length=20)
    permit_number = models.CharField(_("道路运输证号"), max_length=60, blank=True, default="")
    valid_through = models.DateField(_("有效期至"), null=True, blank=True)
    load_g = models.BigIntegerField(_("核定载质量（克）"), null=True, blank=True)
    ended_on = models.DateField(_("停用日期"), null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organisation", "plate"), name="registry_vehicle_once"),
        )

    def __str__(self) -> str:
        return f"{self.plate} of {self.organisation_id}"


class Driver(models.Model):
    """A driver of a carrier, with the licence for dangerous goods 从业资格证."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    name = models.CharField(_("姓名"), max_length=60)
    phone = models.CharField(_("电话"), max_length=30, blank=True, default="")
    permit_number = models.CharField(_("从业资格证号"), max_length=60, blank=True, default="")
    valid_through = models.DateField(_("有效期至"), null=True, blank=True)
    ended_on = models.DateField(_("离职日期"), null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "name", "permit_number"), name="registry_driver_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} of {self.organisation_id}"
