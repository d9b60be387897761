"""What a person is told, and who stands in for whom."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Message(models.Model):
    """A notice to one person, in the system and by e-mail."""

    to = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    subject = models.CharField(_("标题"), max_length=200)
    text = models.TextField(_("内容"))
    link = models.CharField(max_length=300, blank=True, default="")
    key = models.CharField(max_length=120, blank=True, default="")  # a reminder is sent once
    sent_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("to", "key"), condition=~Q(key=""), name="reviews_message_once"),
        )
        indexes = (models.Index(fields=("to", "read_at", "-id"), name="reviews_message_by_person"),)

    def __str__(self) -> str:
        return self.subject


class Delegation(models.Model):
    """A person's tasks handed to another for some days; both stand in what is done."""

    principal = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    deputy = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    from_day = models.DateField(_("自"))
    to_day = models.DateField(_("至"))
    reason = models.CharField(_("事由"), max_length=200, blank=True, default="")
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=~Q(principal=F("deputy")), name="reviews_delegation_to_another"),
            models.CheckConstraint(
                condition=Q(to_day__gte=F("from_day")), name="reviews_delegation_ends_after_it_begins"
            ),
        )

    def __str__(self) -> str:
        return f"{self.principal_id} to {self.deputy_id}"
