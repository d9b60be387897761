"""What reads third-party agencies: who may be asked, what is with them, how their work was judged."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Concat, Substr

from wufei.policies import queries as policy_queries
from wufei.registry.access import Role
from wufei.registry.models import Branch, Organisation, OrganisationKind, RoleAssignment, User
from wufei.registry.queries import jurisdiction_prefix
from wufei.reviews import stages
from wufei.reviews.conflicts import Conflict, Ties, conflict
from wufei.reviews.models import (
    AgencyExclusion,
    AgencyMark,
    AgencyReport,
    Application,
    ExpertTie,
    Round,
    SpotCheck,
)
from wufei.reviews.queries.applications_seen import within
from wufei.reviews.queries.experts import interests_of

# Whose business agencies are: 第二十一条 has the authorities of industry judge them, with those of environment.
JUDGES = frozenset({Branch.INDUSTRY.value, Branch.ENVIRONMENT.value})

# ---- who may be asked ------------------------------------------------------------------------


def agencies() -> QuerySet[Organisation]:
    """Return the agencies that work in this system: registered, not closed, with somebody who can write a report."""
    staff = RoleAssignment.objects.filter(
        organisation=OuterRef("pk"), role=Role.AGENCY_STAFF, user__is_active=True
    )
    rows = Organisation.objects.filter(Exists(staff), kind=OrganisationKind.AGENCY, closed_on=None)
    return rows.order_by("name", "pk")


def exclusions_for(*, division_code: str, on: date) -> QuerySet[AgencyExclusion]:
    """Return the exclusions that hold for applicants of the division: its own authorities', of every level."""
    codes = {division_code, f"{division_code[:4]}00", f"{division_code[:2]}0000", "000000"}
    return AgencyExclusion.objects.filter(authority__division_code__in=codes, on__lte=on)


def is_excluded(*, agency: Organisation, division_code: str, on: date) -> bool:
    """Return whether the agency may not evaluate applicants of the division."""
    return exclusions_for(division_code=division_code, on=on).filter(agency=agency).exists()


def agencies_for(*, application: Application, on: date) -> QuerySet[Organisation]:
    """Return whom the applicant may ask: all agencies that are not excluded where it is."""
    shut_out = exclusions_for(division_code=application.district_code, on=on).values("agency_id")
    return agencies().exclude(pk__in=shut_out)


def conflict_of_agency(*, agency: Organisation, application: Application) -> Conflict | None:
    """
    Return what keeps the agency from evaluating the applicant: the same pure rule as for experts.

    Its own code, and those of organisations at which its people hold roles as well, must not be the applicant's or
    of its lineage; what its people are registered to be tied to (adviser, group, kin, employer) neither.
    """
    staff = RoleAssignment.objects.filter(organisation=agency, user__is_active=True).values("user_id")
    roles = RoleAssignment.objects.filter(user__in=staff).exclude(
        organisation__kind=OrganisationKind.AUTHORITY
    )
    employers = {agency.uscc, *roles.values_list("organisation__uscc", flat=True)}
    own = Q(expert__employer_uscc=agency.uscc) | Q(expert__user__in=staff)
    ties = ExpertTie.objects.filter(own, ended_at=None).values_list("uscc", "kind")
    [interests] = interests_of(applications=Application.objects.filter(pk=application.pk)).values()
    held = Ties(employers=frozenset(employers), ties=frozenset(ties))
    # That it has evaluated the applicant before is no tie of this kind.
    return conflict(held, replace(interests, agencies=frozenset()))


# ---- assignments and reports -----------------------------------------------------------------


def agency_at(*, user: User, application: Application, on: date) -> Organisation | None:
    """Return the agency for which the person evaluates the application; none where the agency is excluded."""
    staffs = RoleAssignment.objects.filter(user=user, role=Role.AGENCY_STAFF).values("organisation_id")
    shut_out = exclusions_for(division_code=application.district_code, on=on).values("agency_id")
    rows = AgencyReport.objects.filter(application=application, agency__in=staffs, withdrawn_at=None)
    found = rows.exclude(agency__in=shut_out).select_related("agency").order_by("-assigned_at", "-pk").first()
    return found.agency if found else None


def live_report(*, application: Application) -> AgencyReport | None:
    """Return the application's report or assignment that stands, the latest."""
    rows = AgencyReport.objects.filter(application=application, withdrawn_at=None)
    return rows.select_related("agency", "submitted_by").order_by("-assigned_at", "-pk").first()


def reports_of(*, user: User) -> QuerySet[AgencyReport]:
    """Return what was assigned to the person's agencies; what was taken back stays in sight."""
    staffs = RoleAssignment.objects.filter(user=user, role=Role.AGENCY_STAFF).values("organisation_id")
    rows = AgencyReport.objects.filter(agency__in=staffs, application__isnull=False)
    return rows.select_related("agency", "organisation", "application__round")


def reports_within(*, authority: Organisation) -> QuerySet[AgencyReport]:
    """Return the reports on applicants within the authority's jurisdiction."""
    rows = AgencyReport.objects.filter(
        organisation__division_code__startswith=jurisdiction_prefix(authority.division_code)
    )
    return rows.select_related("agency", "organisation", "application", "submitted_by")


def narrowed_reports(
    *, among: QuerySet[AgencyReport], text: str = "", state: str = ""
) -> QuerySet[AgencyReport]:
    """Narrow reports by a part of a name, and by how far they are."""
    if text:
        among = among.filter(
            Q(organisation__name__icontains=text)
            | Q(agency__name__icontains=text)
            | Q(application__code__icontains=text)
        )
    conditions = {
        "open": Q(submitted_at=None, withdrawn_at=None),
        "submitted": Q(submitted_at__isnull=False),
        "withdrawn": Q(withdrawn_at__isnull=False),
        "unchecked": Q(submitted_at__isnull=False, spot_checks=None),
    }
    return among.filter(conditions[state]) if state in conditions else among


def report_for(*, user: User, key: int) -> AgencyReport:
    """
    Return a report that is the person's agency's.

    :raises AgencyReport.DoesNotExist: if there is none
    """
    return reports_of(user=user).select_related("application__submission").get(pk=key)


def waiting(*, authority: Organisation) -> QuerySet[Application]:
    """Return the applications within the jurisdiction that need an agency and have none."""
    rounds: dict[str, list[int]] = {}
    for pk, edition_id in Round.objects.filter(closed_at=None).values_list("pk", "edition"):
        rounds.setdefault(edition_id, []).append(pk)
    at = Q(pk__in=[])
    for edition in policy_queries.known_editions().values():
        ids = [stage.id for stage in edition.stages if stage.kind == "third_party"]
        if ids and edition.id in rounds:
            at |= Q(round__in=rounds[edition.id], stage__in=ids)
    given = AgencyReport.objects.filter(application=OuterRef("pk"), withdrawn_at=None)
    rows = Application.objects.filter(at, within(authority.division_code), ~Exists(given), outcome="")
    return rows.select_related("organisation", "round")


def needs_agency(*, application: Application) -> bool:
    """Return whether the application is at a stage at which an agency evaluates it."""
    if application.outcome:
        return False
    edition = policy_queries.edition(application.round.edition)
    return stages.stage_of(edition.stages, application.stage).kind == "third_party"


# ---- how their work was judged ---------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An agency as an authority sees it: what it did within the jurisdiction, and how that was found."""

    agency: Organisation
    assigned: int
    submitted: int
    checked: int
    flawed: int
    false: int
    mark: AgencyMark | None
    exclusion: AgencyExclusion | None

    @property
    def mean(self) -> Decimal | None:
        return mean_of(self.mark) if self.mark else None


def mean_of(mark: AgencyMark) -> Decimal:
    """Return the grade: the three marks count alike; the measures give no weights, so this is our reading."""
    total = mark.strength + mark.report_quality + mark.process
    return (total / 3).quantize(Decimal("0.01"), ROUND_HALF_UP)


SORTS = {
    "name": ("name",),
    "assigned": ("assigned", "name"),
    "submitted": ("submitted", "name"),
    "false": ("false_count", "name"),
    "mean": ("marks", "name"),
}


def agencies_seen(
    *, authority: Organisation, year: int, text: str = "", state: str = ""
) -> QuerySet[Organisation]:
    """Return the agencies with what is known of their work, counted in the database, to be sorted and paged."""
    rows = _counted(authority, year)
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(uscc__icontains=text))
    mark = AgencyMark.objects.filter(authority=authority, agency=OuterRef("pk"), year=year)
    shut_out = AgencyExclusion.objects.filter(authority=authority, agency=OuterRef("pk"))
    conditions = {
        "recommended": Exists(mark.filter(is_recommended=True)),
        "unmarked": ~Exists(mark),
        "excluded": Exists(shut_out),
    }
    return rows.filter(conditions[state]) if state in conditions else rows


def _counted(authority: Organisation, year: int) -> QuerySet[Organisation]:
    reports = AgencyReport.objects.filter(
        agency=OuterRef("pk"), year=year,
        organisation__division_code__startswith=jurisdiction_prefix(authority.division_code),
    )  # fmt: skip
    marks = AgencyMark.objects.filter(authority=authority, agency=OuterRef("pk"), year=year)
    had = Exists(AgencyReport.objects.filter(agency=OuterRef("pk")))
    known = Q(pk__in=agencies().values("pk")) | Q(had)
    return Organisation.objects.filter(known, kind=OrganisationKind.AGENCY).annotate(
        assigned=_number(reports.filter(withdrawn_at=None), "agency"),
        submitted=_number(reports.filter(submitted_at__isnull=False), "agency"),
        checked=_number(_checks(authority, year), "report__agency"),
        flawed=_number(_checks(authority, year).filter(result=SpotCheck.Result.FLAWED), "report__agency"),
        false_count=_number(_checks(authority, year).filter(result=SpotCheck.Result.FALSE), "report__agency"),
        marks=Subquery(
            marks.annotate(sum=F("strength") + F("report_quality") + F("process")).values("sum")[:1]
        ),
    )


def _checks(authority: Organisation, year: int) -> QuerySet[SpotCheck]:
    return SpotCheck.objects.filter(
        report__agency=OuterRef("pk"), report__year=year,
        report__organisation__division_code__startswith=jurisdiction_prefix(authority.division_code),
    )  # fmt: skip


def _number(rows: QuerySet[AgencyReport] | QuerySet[SpotCheck], by: str) -> Coalesce:
    counted = rows.order_by().values(by).annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), 0)


def judged(*, authority: Organisation, year: int, rows: Sequence[Organisation]) -> list[Judged]:
    """Return the rows of `agencies_seen` with mark and exclusion, in two queries however many they are."""
    keys = [row.pk for row in rows]
    marks = {
        m.agency_id: m for m in AgencyMark.objects.filter(authority=authority, year=year, agency__in=keys)
    }
    shut = {e.agency_id: e for e in AgencyExclusion.objects.filter(authority=authority, agency__in=keys)}
    return [
        Judged(
            agency=row, assigned=row.assigned, submitted=row.submitted, checked=row.checked,  # type: ignore[attr-defined]
            flawed=row.flawed, false=row.false_count,  # type: ignore[attr-defined]
            mark=marks.get(row.pk), exclusion=shut.get(row.pk),
        )
        for row in rows
    ]  # fmt: skip


def found_false(*, agency: Organisation, authority: Organisation, year: int) -> bool:
    """Return whether a spot check found one of the agency's reports of the year false."""
    rows = SpotCheck.objects.filter(
        report__agency=agency, report__year=year, result=SpotCheck.Result.FALSE,
        report__organisation__division_code__startswith=jurisdiction_prefix(authority.division_code),
    )  # fmt: skip
    return rows.exists()


def recommended_agencies(*, authority: Organisation, year: int) -> list[AgencyMark]:
    """Return the authority's list of the year, for the public: the best first; who is excluded stands on no list."""
    shut_out = AgencyExclusion.objects.filter(authority=authority).values("agency_id")
    rows = AgencyMark.objects.filter(authority=authority, year=year, is_recommended=True)
    best = (F("strength") + F("report_quality") + F("process")).desc()
    return list(rows.exclude(agency__in=shut_out).select_related("agency").order_by(best, "agency__name"))


def published_marks() -> QuerySet[AgencyMark]:
    """
    Return the marks on all recommended lists, each with `mean`; who was excluded there, or above, is on none.

    The list of a year gone by loses an agency too: a list that stands recommends, today.
    """
    code = OuterRef("authority__division_code")
    above = (Concat(Substr(code, 1, digits), Value("0" * (6 - digits))) for digits in (4, 2))
    shut_out = AgencyExclusion.objects.filter(
        Q(authority__division_code__in=[code, *above, "000000"]), agency=OuterRef("agency")
    )
    rows = AgencyMark.objects.filter(~Exists(shut_out), is_recommended=True)
    return rows.annotate(sum=F("strength") + F("report_quality") + F("process")).select_related(
        "agency", "authority"
    )


def exclusions() -> QuerySet[AgencyExclusion]:
    """Return every exclusion: each was announced when it was made."""
    return AgencyExclusion.objects.select_related("agency", "authority")


def rubric_rows(*, report: AgencyReport) -> list[dict[str, Any]]:
    """Return the report's points and comments by item of the edition's rubric, as they are shown."""
    scoring = policy_queries.edition(report.edition).scoring
    return [
        {"item": item, "score": report.scores.get(item.id, ""), "comment": report.comments.get(item.id, "")}
        for item in (scoring.rubric if scoring else ())
    ]


def total_of(*, report: AgencyReport) -> Decimal | None:
    """Return the sum of the points; None before all are given."""
    rows = rubric_rows(report=report)
    if not rows or any(not row["score"] for row in rows):
        return None
    return sum((Decimal(row["score"]) for row in rows), Decimal(0))
