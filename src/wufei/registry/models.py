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


class Organisation(models.Model):
    """A legal person known by its 统一社会信用代码; a park by that of its committee."""

    uscc = models.CharField(_("统一社会信用代码"), max_length=18, unique=True)
    name = models.CharField(_("单位名称"), max_length=200)
    kind = models.CharField(_("单位类型"), max_length=16, choices=OrganisationKind.choices)
    industry_code = models.CharField(_("行业代码"), max_length=4, blank=True, default="")
    division_code = models.CharField(_("行政区划代码"), max_length=6, db_index=True)
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
