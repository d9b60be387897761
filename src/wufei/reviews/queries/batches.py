"""What reads batches: what would happen, how far it is, and what happened."""

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from wufei.registry.models import User
from wufei.reviews.models import Batch, BatchItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    planned: int
    done: int
    refused: int
    foreseen_refused: int

    @property
    def total(self) -> int:
        return self.planned + self.done + self.refused

    @property
    def share(self) -> int:
        """Return how much is handled, in whole per cent."""
        return (self.done + self.refused) * 100 // self.total if self.total else 0


def batch_for(*, user: User, key: int) -> Batch:
    """
    Return the batch for a page: a batch is its maker's own.

    :raises Batch.DoesNotExist:
    """
    rows = Batch.objects.filter(made_by=user).select_related("round__authority", "made_by")
    return rows.get(pk=key)


def progress_of(*, batch: Batch) -> Progress:
    """Return how far the batch is, in one query."""
    state = BatchItem.State
    found = batch.items.aggregate(
        planned=Count("pk", filter=Q(state=state.PLANNED)),
        done=Count("pk", filter=Q(state=state.DONE)),
        refused=Count("pk", filter=Q(state=state.REFUSED)),
        foreseen_refused=Count("pk", filter=~Q(foreseen_refusal="")),
    )
    return Progress(**found)


def items_of(*, batch: Batch, only_refused: bool = False) -> QuerySet[BatchItem]:
    """Return the items with their applications, in their order; all, or what can't be or could not be done."""
    rows = batch.items.select_related("application__organisation").order_by("position")
    return rows.filter(~Q(foreseen_refusal="") | Q(state=BatchItem.State.REFUSED)) if only_refused else rows
