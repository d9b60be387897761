"""What reads consultations: what is asked of a department, and what an application's departments have said."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import F, Q, QuerySet

from wufei.policies import queries as policy_queries
from wufei.registry.access import Role
from wufei.registry.models import OrganisationKind, RoleAssignment, User
from wufei.reviews import stages
from wufei.reviews.models import Act, Application, Consultation
from wufei.reviews.queries.roles import authority_roles, roles_on
from wufei.reviews.stages import Action
from wufei.terms.day import local_day

RULE = "逾期未答复的，登记为未答复，不视为同意。"


def own_consultations(*, user: User) -> QuerySet[Consultation]:
    """Return what is asked of the person's authorities."""
    own = RoleAssignment.objects.filter(
        user=user, role=Role.AUTHORITY_OFFICER, organisation__kind=OrganisationKind.AUTHORITY
    )
    rows = Consultation.objects.filter(authority__in=own.values("organisation_id"))
    return rows.select_related("application__organisation", "application__round", "authority", "asked_by")


def narrowed(*, among: QuerySet[Consultation], text: str = "", state: str = "") -> QuerySet[Consultation]:
    """Narrow consultations by a part of the applicant's name or code, and by whether they were answered."""
    if text:
        named = Q(application__organisation__name__icontains=text)
        among = among.filter(named | Q(application__code__icontains=text))
    conditions = {
        "open": Q(answered_at=None, application__stage=F("stage"), application__outcome=""),
        "answered": Q(answered_at__isnull=False),
        "silent": Q(closed_unanswered_at__isnull=False),
    }
    return among.filter(conditions[state]) if state in conditions else among


def acts_on(*, user: User, application: Application) -> bool:
    """Return whether the person is one of those whom the edition lets decide, not only a department that is asked."""
    edition = policy_queries.edition(application.round.edition)
    named = stages.roles_that_act(edition.stages)
    held = authority_roles(user=user, division_code=application.district_code)
    return any(role in named for role, _ in held)


def may_ask(*, user: User, application: Application, on: date) -> bool:
    """Return whether the application is at a consultation that the person concludes."""
    edition = policy_queries.edition(application.round.edition)
    stage = stages.stage_of(edition.stages, application.stage)
    if application.outcome or stage.kind != "consultation" or application.round.closed_at is not None:
        return False
    return concludes(user=user, application=application, stage_id=stage.id, on=on)


def concludes(*, user: User, application: Application, stage_id: str, on: date) -> bool:
    """Return whether the person is one of those who conclude the stage of the application, done or not."""
    edition = policy_queries.edition(application.round.edition)
    deciders = stages.deciders(stages.stage_of(edition.stages, stage_id))
    return bool(set(roles_on(user=user, application=application, on=on)) & set(deciders))


def is_open(consultation: Consultation) -> bool:
    """Return whether a reply is still taken: late too, as long as the round goes on and the case was not withdrawn."""
    application = consultation.application
    is_gone = application.outcome == stages.Outcome.WITHDRAWN or application.round.closed_at is not None
    return consultation.answered_at is None and not is_gone


def late_among(rows: Iterable[Consultation]) -> set[int]:
    """Return which of an application's consultations were answered after their term, or when the stage was done."""
    answered = [row for row in rows if row.answered_at is not None]
    if not answered:
        return set()
    done = Act.objects.filter(application=answered[0].application_id, action=Action.CONCLUDE)
    ended = dict(done.order_by("seq").values_list("stage", "at"))
    return {
        row.pk for row in answered
        if row.answered_at is not None
        and (local_day(row.answered_at) > row.due_on or row.answered_at > ended.get(row.stage, row.answered_at))
    }  # fmt: skip


def consultation_for(*, user: User, key: int, on: date) -> tuple[Consultation, bool]:
    """
    Return the consultation for its page, and whether it is the person's own department that is asked.

    :raises Consultation.DoesNotExist: unless the person's department is asked, or the person concludes the stage
    """
    rows = Consultation.objects.select_related(
        "application__organisation",
        "application__round",
        "application__submission",
        "authority",
        "answered_by",
    )
    row = rows.get(pk=key)
    if own_consultations(user=user).filter(pk=key).exists():
        return row, True
    if concludes(user=user, application=row.application, stage_id=row.stage, on=on):
        return row, False
    raise Consultation.DoesNotExist


def document_for(*, user: User, key: int, on: date) -> Consultation:
    """
    Return a consultation whose file the person may read: the department's own, and those who decide.

    :raises Consultation.DoesNotExist: otherwise
    """
    row = Consultation.objects.select_related("application__round").get(pk=key)
    own = own_consultations(user=user).filter(pk=key).exists()
    if not row.sha256 or not (own or acts_on(user=user, application=row.application)):
        raise Consultation.DoesNotExist
    return row


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One department: asked or not yet, and what the reader may do about it."""

    department: str
    consultation: Consultation | None
    state: str  # UNASKED, WAITING, OVERDUE, ANSWERED, SILENT
    is_own: bool
    may_close: bool
    may_reply: bool = False
    is_late: bool = False  # answered after its term, or when the stage was done
    is_beyond: bool = False  # its term ends after the stage's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    rows: Sequence[Row]
    may_ask: bool
    unasked: Sequence[str]
    rule: str = RULE


def asked(*, user: User, application: Application, on: date) -> Asked:
    """
    Return the departments of the application's consultations, as far as the reader may know.

    A department that is only asked reads its own opinion, never the others'.
    """
    edition = policy_queries.edition(application.round.edition)
    stage = stages.stage_of(edition.stages, application.stage)
    may = may_ask(user=user, application=application, on=on)
    own = {org.pk for _role, org in authority_roles(user=user, division_code=application.district_code)}
    found = list(application.consultations.select_related("authority", "answered_by").order_by("pk"))
    if not acts_on(user=user, application=application):
        found = [row for row in found if row.authority_id in own]
    late = late_among(found)
    heard = {
        stage_id for stage_id in dict.fromkeys(row.stage for row in found)
        if concludes(user=user, application=application, stage_id=stage_id, on=on)
    }  # fmt: skip
    rows = []
    for row in found:
        row.application = application
        rows.append(_row(row, on, own, may, late, row.stage in heard))
    names = [d.name for d in stage.departments] if may else []
    done = {row.department for row in found if row.stage == stage.id}
    unasked = [name for name in names if name not in done]
    rows += [
        Row(department=n, consultation=None, state="UNASKED", is_own=False, may_close=False) for n in unasked
    ]
    return Asked(rows=rows, may_ask=may, unasked=unasked)


def _row(row: Consultation, on: date, own: set[int], may: bool, late: set[int], is_heard: bool) -> Row:
    if row.answered_at is not None:
        state = "ANSWERED"
    elif row.closed_unanswered_at is not None:
        state = "SILENT"
    else:
        state = "OVERDUE" if on > row.due_on else "WAITING"
    application, is_own = row.application, row.authority_id in own
    stage_due_on = application.due_on if application.stage == row.stage else None
    return Row(
        department=row.department, consultation=row, state=state, is_own=is_own,
        may_close=may and state == "OVERDUE", may_reply=is_open(row) and (is_own or is_heard),
        is_late=row.pk in late, is_beyond=stage_due_on is not None and row.due_on > stage_due_on,
    )  # fmt: skip
