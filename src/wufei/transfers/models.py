"""What is stored of manifests. Write only through `transfers.services`; signatures, versions and flags are append-only."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from wufei.ledger.models import Lot, Stream, WasteClass
from wufei.registry.models import Organisation, PermitGroup, Vehicle
from wufei.transfers.states import ACT_LABELS, LABELS, PARTY_LABELS, Act, Party, State

STATES = [(state.value, LABELS[state]) for state in State]
PARTIES = [(party.value, PARTY_LABELS[party]) for party in Party]
ACTS = [(act.value, ACT_LABELS[act]) for act in Act]


class Manifest(models.Model):
    """
    A manifest 转移联单, or a transfer record of general waste.

    `said` holds the fields of its own part, by name (`fields.FIELDS`); it has a number from its issue on.
    """

    uid = models.UUIDField(
        unique=True, default=uuid.uuid4
    )  # made by the client, so that a retry makes no second
    number = models.CharField(_("联单编号"), max_length=15, null=True, unique=True)  # noqa: DJ001  # unique
    waste_class = models.CharField(_("废物属性"), max_length=10, choices=WasteClass.choices)
    state = models.CharField(_("状态"), max_length=20, choices=STATES, default=State.DRAFT.value)
    generator = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    receiver = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    said = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)
    declared_g = models.BigIntegerField(_("移出量（克）"), default=0)  # of all lines
    received_g = models.BigIntegerField(_("接受量（克）"), null=True)
    issued_on = models.DateField(_("签发日期"), null=True)
    loaded_at = models.DateTimeField(_("起运时间"), null=True)
    delivered_at = models.DateTimeField(_("运抵时间"), null=True)
    confirm_due_on = models.DateField(_("确认期限"), null=True)  # None where the year isn't loaded
    confirmed_at = models.DateTimeField(_("确认时间"), null=True)
    weighed_load = models.ForeignKey(
        "WeighedLoad", models.PROTECT, null=True, related_name="manifests"
    )  # None: weighed by itself
    created_at = models.DateTimeField(_("建立时间"))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state="DRAFT", number=None)
                | Q(state="CANCELLED")
                | (
                    ~Q(state="DRAFT")
                    & Q(number__isnull=False, receiver__isnull=False, issued_on__isnull=False)
                ),
                name="transfers_manifest_number_from_issue",
            ),
            models.CheckConstraint(
                condition=Q(receiver=None) | ~Q(receiver=F("generator")),
                name="transfers_manifest_to_another",
            ),
        )
        indexes = (
            models.Index(fields=("generator", "-id"), name="transfers_manifest_generator"),
            models.Index(fields=("receiver", "-id"), name="transfers_manifest_receiver"),
            models.Index(fields=("state", "confirm_due_on"), name="transfers_manifest_due"),
        )

    def __str__(self) -> str:
        return self.number or f"draft {self.uid}"

    @property
    def reference(self) -> str:
        """What an address names it by: its number, before it has one its uid."""
        return self.number or str(self.uid)

    @property
    def is_hazardous(self) -> bool:
        return self.waste_class == WasteClass.HAZARDOUS

    @property
    def now_in(self) -> State:
        return State(self.state)


class WeighedLoad(models.Model):
    """One weighing 合并过磅 of many manifests on one vehicle; each line's share of it is what it received."""

    client_id = models.UUIDField(unique=True, default=uuid.uuid4)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    received_g = models.BigIntegerField(_("过磅量（克）"))
    declared_g = models.BigIntegerField(_("移出量合计（克）"))
    shares = models.JSONField()  # [[the manifest's number, the line's position, grams], …]
    mode = models.CharField(_("利用、处置方式"), max_length=8)
    plate = models.CharField(_("车牌号"), max_length=20, blank=True, default="")
    weighed_at = models.DateTimeField(_("过磅时间"))
    weighed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(received_g__gt=0) & Q(declared_g__gt=0), name="transfers_load_is_positive"
            ),
        )
        indexes = (models.Index(fields=("organisation", "-id"), name="transfers_load_of"),)

    def __str__(self) -> str:
        return f"load {self.pk}: {self.received_g} g"


class TransferApproval(models.Model):
    """An approval 跨省转移批准, or a filing 备案, of one waste from the one to the other, with what is left of it."""

    class Kind(models.TextChoices):
        APPROVAL = "APPROVAL", _("批准")
        FILING = "FILING", _("备案")

    generator = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    receiver = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    kind = models.CharField(_("类型"), max_length=8, choices=Kind.choices)
    number = models.CharField(_("文号"), max_length=80)
    waste_code = models.CharField(_("废物代码"), max_length=16)
    approved_g = models.BigIntegerField(_("批准数量（克）"))
    used_g = models.BigIntegerField(_("已用数量（克）"), default=0)
    valid_from = models.DateField(_("有效期自"))
    valid_through = models.DateField(_("有效期至"))
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("generator", "receiver", "number", "waste_code"), name="transfers_approval_once"
            ),
            models.CheckConstraint(
                condition=Q(used_g__gte=0) & Q(used_g__lte=F("approved_g")),
                name="transfers_approval_not_overdrawn",
            ),
            models.CheckConstraint(
                condition=Q(valid_through__gte=F("valid_from")),
                name="transfers_approval_ends_after_it_begins",
            ),
        )

    def __str__(self) -> str:
        return f"{self.number} {self.waste_code}"


class ManifestLine(models.Model):
    """One waste on a manifest: a container, or a load of bulk."""

    manifest = models.ForeignKey(Manifest, models.CASCADE, db_index=False, related_name="lines")
    position = models.PositiveSmallIntegerField()
    stream = models.ForeignKey(Stream, models.PROTECT, related_name="+")
    lot = models.ForeignKey(Lot, models.PROTECT, null=True, related_name="+")  # None: of the stream's bulk
    lot_code = models.CharField(_("容器、批次编码"), max_length=80, blank=True, default="")
    waste_code = models.CharField(_("废物代码"), max_length=16)
    waste_category = models.CharField(_("废物类别"), max_length=4)
    waste_name = models.CharField(_("废物名称"), max_length=120)
    store_code = models.CharField(_("贮存设施"), max_length=240, blank=True, default="")
    said = models.JSONField(default=dict)
    package_count = models.PositiveIntegerField(_("包装数量"), null=True)
    declared_g = models.BigIntegerField(_("移出量（克）"))
    received_g = models.BigIntegerField(_("接受量（克）"), null=True)
    returned_g = models.BigIntegerField(_("退回量（克）"), default=0)
    received_count = models.PositiveIntegerField(_("接受件数"), null=True)
    mode = models.CharField(_("利用、处置方式"), max_length=8, blank=True, default="")
    # Whose capacity of which year it takes, and of which approval.
    permit_group = models.ForeignKey(PermitGroup, models.PROTECT, null=True, db_index=False, related_name="+")
    capacity_year = models.PositiveSmallIntegerField(null=True)
    approval = models.ForeignKey(
        TransferApproval, models.PROTECT, null=True, db_index=False, related_name="+"
    )
    receipt_lot = models.ForeignKey(Lot, models.PROTECT, null=True, related_name="+")  # the receiver's own
    holds_lot = models.BooleanField(default=False)  # from issue until the manifest ends: no other may take it

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("manifest", "position"), name="transfers_line_position_once"),
            models.UniqueConstraint(
                fields=("lot",), condition=Q(holds_lot=True), name="transfers_line_lot_on_one_manifest"
            ),
            models.CheckConstraint(condition=Q(declared_g__gt=0), name="transfers_line_mass_is_positive"),
            models.CheckConstraint(
                condition=Q(returned_g__gte=0) & Q(returned_g__lte=F("declared_g")),
                name="transfers_line_returns_no_more",
            ),
            models.CheckConstraint(
                condition=Q(received_g=None) | Q(received_g__gte=0),
                name="transfers_line_received_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(holds_lot=False) | Q(lot__isnull=False), name="transfers_line_holds_a_lot"
            ),
        )

    def __str__(self) -> str:
        return f"{self.position} of {self.manifest_id}"


class Leg(models.Model):
    """One carrier's part of the way, in turn."""

    manifest = models.ForeignKey(Manifest, models.CASCADE, db_index=False, related_name="legs")
    position = models.PositiveSmallIntegerField()
    carrier = models.ForeignKey(Organisation, models.PROTECT, db_index=False, related_name="+")
    vehicle = models.ForeignKey(Vehicle, models.PROTECT, null=True, related_name="+")
    said = models.JSONField(default=dict)
    signed_at = models.DateTimeField(_("签署时间"), null=True)
    ended_at = models.DateTimeField(_("结束时间"), null=True)  # handed over, or delivered

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("manifest", "position"), name="transfers_leg_position_once"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(signed_at__isnull=False),
                name="transfers_leg_ends_after_it_began",
            ),
        )
        indexes = (models.Index(fields=("carrier", "manifest"), name="transfers_leg_by_carrier"),)

    def __str__(self) -> str:
        return f"leg {self.position} of {self.manifest_id}"


class Revision(models.Model):
    """A change of what was signed, proposed by one party; it stands when another agrees."""

    class State(models.TextChoices):
        PROPOSED = "PROPOSED", _("待对方答复")
        AGREED = "AGREED", _("已同意")
        REJECTED = "REJECTED", _("不同意")
        WITHDRAWN = "WITHDRAWN", _("已撤回")

    manifest = models.ForeignKey(Manifest, models.PROTECT, related_name="revisions")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    changes = models.JSONField()  # [{"part", "position", "field", "from", "to"}, …]
    reason = models.CharField(_("原因"), max_length=300)
    proposed_for = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    answered_for = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)
    answer = models.CharField(_("答复"), max_length=300, blank=True, default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("manifest",), condition=Q(state="PROPOSED"), name="transfers_revision_one_open"
            ),
            models.CheckConstraint(
                condition=Q(state="PROPOSED", answered_at=None)
                | (~Q(state="PROPOSED") & Q(answered_at__isnull=False)),
                name="transfers_revision_answered",
            ),
            models.CheckConstraint(
                condition=~Q(state="AGREED") | ~Q(answered_for=F("proposed_for")),
                name="transfers_revision_agreed_by_another",
            ),
        )

    def __str__(self) -> str:
        return f"revision of {self.manifest_id}: {self.state}"


class ManifestVersion(models.Model):
    """What a manifest said at a signature or after a revision. Append-only."""

    manifest = models.ForeignKey(Manifest, models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    document = models.JSONField()
    sha256 = models.CharField(max_length=64)
    revision = models.OneToOneField(Revision, models.PROTECT, null=True, related_name="made")
    made_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("manifest", "number"), name="transfers_version_once"),)

    def __str__(self) -> str:
        return f"version {self.number} of {self.manifest_id}"


class Signature(models.Model):
    """Who signed what for whom, when, over which content. Append-only."""

    manifest = models.ForeignKey(Manifest, models.PROTECT, related_name="signatures")
    seq = models.PositiveSmallIntegerField()
    act = models.CharField(max_length=16, choices=ACTS)
    party = models.CharField(max_length=10, choices=PARTIES)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    organisation_name = models.CharField(max_length=200)  # as it was called then
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    signer_name = models.CharField(max_length=60)
    signed_at = models.DateTimeField()
    words = models.CharField(max_length=300, blank=True, default="")
    place = models.CharField(max_length=200, blank=True, default="")
    version = models.ForeignKey(ManifestVersion, models.PROTECT, related_name="signatures")
    content_sha256 = models.CharField(max_length=64)
    client_id = models.UUIDField(default=uuid.uuid4)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("manifest", "seq"), name="transfers_signature_once"),
            models.UniqueConstraint(fields=("manifest", "client_id"), name="transfers_signature_client_once"),
        )

    def __str__(self) -> str:
        return f"{self.act} of {self.manifest_id}"


class Discrepancy(models.Model):
    """A difference above tolerance, and somebody's task until it is settled with a reason."""

    class Kind(models.TextChoices):
        MASS = "MASS", _("重量")
        COUNT = "COUNT", _("件数")

    manifest = models.ForeignKey(Manifest, models.PROTECT, related_name="discrepancies")
    line = models.ForeignKey(ManifestLine, models.PROTECT, db_index=False, related_name="discrepancies")
    kind = models.CharField(max_length=5, choices=Kind.choices)
    declared = models.BigIntegerField()  # grams, or packages
    found = models.BigIntegerField()
    opened_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reason = models.CharField(_("原因"), max_length=300, blank=True, default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("line", "kind"), name="transfers_discrepancy_once"),
            models.CheckConstraint(
                condition=Q(settled_at=None, settled_by=None, reason="")
                | (Q(settled_at__isnull=False, settled_by__isnull=False) & ~Q(reason="")),
                name="transfers_discrepancy_settled_with_reason",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} of {self.line_id}"


class Flag(models.Model):
    """Something that was not refused, and yet is not right. Append-only."""

    manifest = models.ForeignKey(Manifest, models.PROTECT, related_name="flags")
    code = models.CharField(max_length=40)  # of `wording.FLAG_TEXT`
    detail = models.CharField(max_length=200, blank=True, default="")
    raised_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.code} of {self.manifest_id}"


class NumberSeries(models.Model):
    """The last serial number that a city's manifests of a year have."""

    year = models.PositiveSmallIntegerField()
    city_code = models.CharField(max_length=4)
    is_general = models.BooleanField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("year", "city_code", "is_general"), name="transfers_series_once"),
        )

    def __str__(self) -> str:
        return f"{self.year}{self.city_code}: {self.last}"
