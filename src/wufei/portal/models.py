"""What is stored of visitors: how often an address tried something, and nothing of who it was."""

from django.db import models


class AttemptCount(models.Model):
    """How often an address tried something in an hour; the address only as a keyed digest."""

    kind = models.CharField(max_length=16)  # see `services.LIMITS`
    address_digest = models.CharField(max_length=64)
    hour = models.DateTimeField()
    number = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "address_digest", "hour"), name="portal_attempts_once_an_hour"
            ),
        )
        indexes = (models.Index(fields=("hour",), name="portal_attempts_by_hour"),)

    def __str__(self) -> str:
        return f"{self.kind}: {self.number}"
