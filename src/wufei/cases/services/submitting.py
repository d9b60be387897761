"""Handing in: what is claimed is frozen."""

from datetime import datetime

from wufei.cases.models import Case, Submission
from wufei.registry.models import User


def freeze(*, case: Case, by: User, now: datetime) -> Submission:
    """
    Freeze the case as it stands: texts, numbers with their movements, evaluation, evidence, chain heads.

    :raises NotPermitted, NotReady, LedgerChanging:
    """
    raise NotImplementedError
