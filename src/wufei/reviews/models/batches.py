"""Acting on many applications at once, and an authority's recommendation list in its order."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from wufei.registry.models import Organisation
from wufei.reviews.models.applications import Application
from wufei.reviews.models.rounds import Round
from wufei.reviews.stages import Action


class Batch(models.Model):
    """
    One act on many applications: planned, looked at, confirmed, done one by one, and stopped if somebody says so.

    What became of each is on its item; what was done stands as an act, as if it had been done alone.
    """

    round = models.ForeignKey(Round, models.PROTECT, related_name="batches")
    action = models.CharField(_("动作"), max_length=16, choices=[(a.value, a.value) for a in Action])
    role = models.CharField(_("身份"), max_length=40)
    words = models.TextField(_("意见"), blank=True, default="")
    made_at = models.DateTimeField(_("预览时间"))
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(_("确认时间"), null=True)
    stopped_at = models.DateTimeField(_("停止时间"), null=True)
    ended_at = models.DateTimeField(_("结束时间"), null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(confirmed_at__isnull=False),
                name="reviews_batch_ends_confirmed",
            ),
        )

    def __str__(self) -> str:
        return f"{self.action} in {self.round_id} #{self.pk}"


class BatchItem(models.Model):
    """What would happen to one application, and what happened."""

    class State(models.TextChoices):
        PLANNED = "PLANNED", _("待办理")
        DONE = "DONE", _("已办理")
        REFUSED = "REFUSED", _("未办理")

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="items")
    position = models.PositiveIntegerField()
    application = models.ForeignKey(Application, models.PROTECT, related_name="+")
    version = models.PositiveIntegerField()  # that was looked at
    foreseen_stage = models.CharField(max_length=80, blank=True, default="")
    foreseen_outcome = models.CharField(max_length=16, blank=True, default="")
    foreseen_refusal = models.CharField(max_length=40, blank=True, default="")  # code; "": it will be done
    state = models.CharField(_("状态"), max_length=8, choices=State.choices, default=State.PLANNED)
    refusal = models.CharField(max_length=40, blank=True, default="")
    detail = models.CharField(max_length=200, blank=True, default="")
    handled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("batch", "application"), name="reviews_batch_item_once"),
            models.UniqueConstraint(fields=("batch", "position"), name="reviews_batch_position_once"),
            models.CheckConstraint(
                condition=Q(state="PLANNED", handled_at=None)
                | (~Q(state="PLANNED") & Q(handled_at__isnull=False)),
                name="reviews_batch_item_handled_at",
            ),
        )

    def __str__(self) -> str:
        return f"{self.application_id} in batch {self.batch_id}"


class RecommendationPlace(models.Model):
    """An application's place in an authority's recommendation list of a round, as it was put by hand or by score."""

    round = models.ForeignKey(Round, models.PROTECT, related_name="+")
    authority = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    application = models.ForeignKey(Application, models.PROTECT, related_name="+")
    position = models.PositiveIntegerField(_("推荐排序"))
    put_at = models.DateTimeField()
    put_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("authority", "application"), name="reviews_recommendation_place_once"
            ),
            models.UniqueConstraint(
                fields=("round", "authority", "position"), name="reviews_recommendation_position_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.position} {self.application_id}"
