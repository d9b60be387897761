"""Applications: lists, the page of those who decide, the page of the applicant, and what is done there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from wufei.cases.models import Case
from wufei.cases.queries import label_of
from wufei.cases.refusals import sentence
from wufei.catalogue.industries import industry
from wufei.paper.attachments import EvidenceRefused
from wufei.policies.edition import Edition, Stage
from wufei.registry.models import Organisation, OrganisationKind
from wufei.registry.views.listing import ROWS_PER_PAGE, export, filters, page_number
from wufei.registry.views.organisations import division_name
from wufei.reviews import checklist, claims, stages, telling
from wufei.reviews.duties import Duty, duty_of
from wufei.reviews.forms.applications import ApplicationFilter, PassOnForm
from wufei.reviews.models import Act, ActDocument, Application, Consultation
from wufei.reviews.queries import applications as queries
from wufei.reviews.queries import consultations
from wufei.reviews.queries.acting import other_duty
from wufei.reviews.queries.applications import Audience, Offer, Wanted
from wufei.reviews.queries.applications_seen import Held, held_roles
from wufei.reviews.queries.packages import course_below
from wufei.reviews.queries.rounds_recommending import NotYet, lacking, recommending_stage
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import batches, deciding
from wufei.reviews.services.deciding import Said
from wufei.reviews.stages import Action, Outcome, Standing
from wufei.reviews.views.rounds import attached
from wufei.reviews.views.rounds_desk import Desk, RoundDesk, desk, one_application, round_desk
from wufei.reviews.wording import words_of

# These are done on pages of their own: a list goes into a notice and out of it as a whole.
ELSEWHERE = frozenset({Action.SUBMIT, Action.WITHDRAW, Action.PUBLISH, Action.CONFIRM, Action.REMOVE})
TICKS = (("", _("未看")), ("YES", _("符合")), ("NO", _("不符合")), ("DOUBT", _("存疑")))
TICK_WORDS = dict(TICKS)


# ---- the list of those who decide ------------------------------------------------------------


def _filtered(request: HttpRequest, of: RoundDesk) -> tuple[ApplicationFilter, QuerySet[Application]]:
    seen = queries.officers_list(user=of.at.user, on=of.at.today, edition=of.edition).filter(round=of.round)
    held = held_roles(user=of.at.user, on=of.at.today)
    districts = [(code, division_name(code)) for code in queries.divisions_below(held=held)]
    form = ApplicationFilter(request.GET, stages=of.edition.stages, districts=districts)
    wanted = Wanted.of(filters(form))
    first = [of.edition.stages[0].id]
    return form, queries.narrowed(among=seen, wanted=wanted, on=of.at.today, first_stages=first)


@require_safe
def applications(request: HttpRequest, round_id: int) -> HttpResponse:
    """List the round's applications that an officer sees."""
    of = round_desk(request, round_id)
    form, rows = _filtered(request, of)
    if request.GET.get("export") == "xlsx":
        ordered = queries.ordered(rows, queries.sort_of(request.GET.get("sort", "")))
        return export(title=_("申报名单"), columns=_columns(of), rows=ordered.iterator(chunk_size=2000))
    sort = queries.sort_of(request.GET.get("sort", ""))
    shown = queries.listed(
        rows=rows, sort=sort, page=page_number(request.GET.get("page")), per_page=ROWS_PER_PAGE
    )
    is_filtered = any(request.GET.get(name) for name in form.fields)
    roles = _roles_in(of)
    context = of.context(
        listing={"page": shown.page, "sort": sort, "is_filtered": is_filtered}, form=form,
        rows=[_row(of, row) for row in shown.rows], roles=roles,
        batch_actions=[(a.value, telling.ACTION_WORDS[a]) for a in Action if a in batches.ACTIONS],
        role_words=[(role, telling.role_words(role)) for role in roles],
    )  # fmt: skip
    return render(request, "reviews/applications_list.html", context)


def _roles_in(of: RoundDesk) -> list[str]:
    """Return the roles that the edition names in which the person acts."""
    named = stages.roles_that_act(of.edition.stages)
    held = held_roles(user=of.at.user, on=of.at.today)
    return list(dict.fromkeys(h.role for h in held if h.role in named and not h.is_applicant))


@dataclass(frozen=True, slots=True)
class Row:
    application: Application
    stage: str
    outcome: str
    district: str
    is_overdue: bool
    is_returned: bool


def _row(of: RoundDesk, row: Application) -> Row:
    stage = stages.stage_of(of.edition.stages, row.stage)
    outcome = telling.OUTCOME_WORDS[Outcome(row.outcome)] if row.outcome else ""
    is_overdue = not row.outcome and row.due_on is not None and row.due_on < of.at.today
    is_returned = not row.outcome and stage == of.edition.stages[0]
    return Row(row, stage.label, outcome, division_name(row.district_code), is_overdue, is_returned)


def _columns(of: RoundDesk) -> list[tuple[str, Any]]:
    labels = {stage.id: stage.label for stage in of.edition.stages}
    return [
        (_("编号"), lambda row: row.code),
        (_("单位名称"), lambda row: row.organisation.name),
        (_("统一社会信用代码"), lambda row: row.organisation.uscc),
        (_("区县"), lambda row: division_name(row.district_code)),
        (_("行业代码"), lambda row: row.organisation.industry_code),
        (_("环节"), lambda row: labels[row.stage]),
        (_("结果"), lambda row: telling.OUTCOME_WORDS[Outcome(row.outcome)] if row.outcome else ""),
        (_("意见不一致"), lambda row: _("是") if row.contested else ""),
        (_("进入环节日期"), lambda row: row.stage_since.date()),
        (_("办理期限"), lambda row: row.due_on),
        (_("逾期接收理由"), lambda row: row.late_reason),
    ]


# ---- one application -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An application with what its reader may know and do."""

    at: Desk
    application: Application
    held: Sequence[Held]
    acts: Sequence[Act]
    audience: Audience


def _opened(request: HttpRequest, code: str) -> Opened:
    at = desk(request)
    found = one_application(at, code)
    held = held_roles(user=at.user, on=at.today)
    audience = queries.audience_of(held=held, application=found)
    return Opened(at=at, application=found, held=held, acts=queries.acts_of(found), audience=audience)


@require_safe
def application(request: HttpRequest, code: str) -> HttpResponse:
    """Show an application: to those who decide with what may be done, to the applicant in its words."""
    of = _opened(request, code)
    if of.audience is Audience.APPLICANT:
        return render(request, "reviews/applications_own.html", _own_context(of))
    return render(request, "reviews/applications_page.html", _officers_context(of))


def _officers_context(of: Opened, *, typed: Mapping[str, str] | None = None) -> dict[str, Any]:
    edition = queries.edition_of(of.application)
    standing = queries.standing_by(of.application, edition, of.acts)
    stage = stages.stage_of(edition.stages, standing.stage)
    offers = queries.offers_to(
        user=of.at.user, held=of.held, application=of.application, edition=edition, standing=standing
    )
    content = of.application.submission.content
    is_runner = any(h.organisation.pk == of.application.round.authority_id for h in of.held)
    typed = typed or {}
    checked = _last_checks(of.acts)
    offered = _offered(of, edition, stage, offers)
    may_act = any(not each.barred for each in offered)
    returned = next((act for act in reversed(of.acts) if act.action == Action.RETURN), None)
    is_returned = standing.outcome is None and bool(standing.returned_from) and stage == edition.stages[0]
    return of.at.context(
        application=of.application, round=of.application.round, edition=edition, stage=stage, standing=standing,
        outcome=telling.OUTCOME_WORDS[standing.outcome] if standing.outcome else "",
        offers=offered, may_act=may_act,
        kept=[] if may_act else _kept(of, typed), returned=returned if is_returned else None,
        elsewhere=[a for offer in offers for a in offer.actions if a in ELSEWHERE],
        votes=_votes(stage, standing, of.acts), timeline=_timeline(of), typed=typed, late_opinions=_late_opinions(of),
        below=course_below(of.application),
        texts=[(n, label_of(n) if hasattr(Case, n) else n, t, typed.get(f"comment-{n}", ""))
               for n, t in claims.texts(content)],
        claims=[(c, typed.get(f"tick-{c.id}", ""), typed.get(f"comment-{c.id}", ""), checked.get(c.id, ()))
                for c in claims.claims(content, edition)],
        files=of.application.submission.files.order_by("pk"), ticks=TICKS, is_runner=is_runner,
        can_release=is_runner and stages.has_untold(of.acts), pass_on=PassOnForm(),
        can_pass_on=is_runner and standing.outcome is None,
        district=division_name(of.application.district_code), industry=_industry(of.application.organisation),
        is_overdue=of.application.due_on is not None and of.application.due_on < of.at.today,
        unjudged=_unjudged(edition, stage, offers, typed), has_experts=any(each.kind == "experts" for each in edition.stages),
        lacking=_lacking(of, edition, stage, offers),
    )  # fmt: skip


def _unjudged(
    edition: Edition, stage: Stage, offers: Sequence[Offer], typed: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Return the criteria of which something is to be said before what is offered, and nothing was yet."""
    actions = {action for offer in offers for action in offer.actions}
    if not any(checklist.is_asked_at(edition.stages, stage, action) for action in actions):
        return []
    checks = {c.id: {"tick": typed.get(f"tick-{c.id}", "")} for c in edition.criteria}
    return [(each.id, each.clause) for each in checklist.unjudged(edition, checks)]


def _kept(of: Opened, typed: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what was typed and now has no field to stand in, so that it can be copied."""
    found = [(str(_("意见")), typed.get("words", ""))]
    found += [
        (_named(of, name.removeprefix("comment-")), words)
        for name, words in typed.items()
        if name.startswith("comment-")
    ]
    return [(name, words) for name, words in found if words.strip()]


def _lacking(of: Opened, edition: Edition, stage: Stage, offers: Sequence[Offer]) -> list[NotYet]:
    """Return what is still lacking for those for whom the person recommends the case here."""
    authorities = {
        offer.organisation.pk: offer.organisation
        for offer in offers
        if Action.AGREE in offer.actions
        and offer.organisation.kind == OrganisationKind.AUTHORITY
        and recommending_stage(edition=edition, authority=offer.organisation) == stage
    }
    found = (lacking(round_=of.application.round, authority=each) for each in authorities.values())
    return [each for each in found if each.order or each.scan]


def _industry(organisation: Organisation) -> str:
    found = industry(organisation.industry_code) if organisation.industry_code else None
    return f"{organisation.industry_code} {found.name}" if found else organisation.industry_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What the page offers in one role; `barred` says why the person will be refused all the same."""

    offer: Offer
    role: str
    buttons: Sequence[tuple[str, str]]
    barred: str


def _offered(of: Opened, edition: Edition, stage: Stage, offers: Sequence[Offer]) -> list[Offered]:
    """Return the buttons, role by role; what the person will be refused stands apart, with the reason."""
    found = []
    for offer in offers:
        actions = [action for action in offer.actions if action not in ELSEWHERE]
        duties = {action: duty_of(stage.kind, action) for action in actions}
        reasons = {duty: _barred(of, edition, offer, duty) for duty in dict.fromkeys(duties.values())}
        for barred in dict.fromkeys(reasons.values()):
            buttons = [(a.value, telling.ACTION_WORDS[a]) for a in actions if reasons[duties[a]] == barred]
            role = telling.role_words(offer.role)
            found.append(Offered(offer=offer, role=role, buttons=buttons, barred=barred))
    return found


def _barred(of: Opened, edition: Edition, offer: Offer, duty: Duty | None) -> str:
    """Return why another duty in the case forbids this one to the person, or to whom it stands in for (S7)."""
    for person in (of.at.user, offer.on_behalf_of):
        if person and duty and (had := other_duty(of.application, edition, person, duty)):
            return words_of(ReviewRefused("acted_before", had))
    return ""


def _votes(stage: Stage, standing: Standing, acts: Sequence[Act]) -> list[tuple[str, str, Act | None]]:
    votes = queries.votes_at(stage, standing, acts)
    if len(votes) < 2:
        return []
    return [
        (telling.role_words(v.role), telling.ACTION_WORDS[v.action] if v.action else _("尚未表态"), v.act)
        for v in votes
    ]


def _last_checks(acts: Sequence[Act]) -> dict[str, list[tuple[str, str, str]]]:
    """Return what each role ticked last, criterion by criterion: role, tick, words."""
    found: dict[str, dict[str, tuple[str, str, str]]] = {}
    for act in acts:
        for criterion, said in act.details.get("checklist", {}).items():
            role, tick = telling.role_words(act.role), str(TICK_WORDS.get(said.get("tick", ""), ""))
            found.setdefault(criterion, {})[act.role] = (role, tick, said.get("words", ""))
    return {criterion: list(by_role.values()) for criterion, by_role in found.items()}


def _timeline(of: Opened) -> list[tuple[queries.Entry, str, str, list[tuple[str, str]]]]:
    found = []
    for entry in queries.timeline(of.application, of.audience, acts=of.acts):
        action = telling.ACTION_WORDS[Action(entry.act.action)]
        comments = [(_named(of, key), words) for key, words in entry.comments.items()]
        found.append((entry, action, telling.role_words(entry.act.role), comments))
    return found


def _late_opinions(of: Opened) -> list[Consultation]:
    """Return what departments said late, as far as the reader may know: it came after what stands in the acts."""
    rows = consultations.asked(user=of.at.user, application=of.application, on=of.at.today).rows
    return [row.consultation for row in rows if row.is_late and row.consultation is not None]


def _named(of: Opened, key: str) -> str:
    """Return what a comment concerns: a field of the case, or a criterion's clause."""
    if key in {field.name for field in Case._meta.get_fields()}:
        return label_of(key)
    edition = queries.edition_of(of.application)
    return next((c.clause for c in edition.criteria if c.id == key), key)


def _own_context(of: Opened) -> dict[str, Any]:
    told = queries.told(of.application, of.acts)
    edition = queries.edition_of(of.application)
    known = stages.told(of.acts)
    offered = stages.offers(edition.stages, told.standing, role=stages.APPLICANT)
    comments = queries.returned_comments(known) if told.is_returned else {}
    last = next((a for a in reversed(known) if a.action == Action.RETURN), None)
    return of.at.context(
        application=of.application, round=of.application.round, told=told, timeline=_timeline(of),
        outcome=telling.OUTCOME_WORDS[told.standing.outcome] if told.standing.outcome else "",
        comments=[(key, _named(of, key), words, key in _FIELDS) for key, words in comments.items()],
        returned=last if told.is_returned else None,
        can_withdraw=Action.WITHDRAW in offered and of.application.is_direct,
        can_submit=Action.SUBMIT in offered and of.application.case is not None,
        steps=_steps(edition.stages, told.standing),
        needs_agency=stages.stage_of(edition.stages, told.standing.stage).kind == "third_party",
    )  # fmt: skip


_FIELDS = frozenset(field.name for field in Case._meta.get_fields())


def _steps(all_stages: Sequence[Stage], standing: Standing) -> list[tuple[str, bool]]:
    """Return the applicant's words for the way of a case, each once, and which it is at."""
    at = stages.stage_of(all_stages, standing.stage).applicant_label
    return [(label, label == at) for label in dict.fromkeys(stage.applicant_label for stage in all_stages)]


# ---- what is done ----------------------------------------------------------------------------


@require_POST
def decide(request: HttpRequest, code: str) -> HttpResponse:
    """Do what the stage offers; who comes second is told so with 409, and keeps what was typed."""
    of = _opened(request, code)
    action, role, version = _asked(request)
    if action is None or (of.audience is Audience.APPLICANT and action is not Action.WITHDRAW):
        raise Http404
    try:
        if of.audience is Audience.APPLICANT:
            deciding.withdraw(
                application=of.application, told_version=version, said=_said(request, of), role=role,
                by=of.at.user, now=of.at.now,
            )  # fmt: skip
        else:
            deciding.decide(
                application=of.application, version=version, action=action, said=_said(request, of), role=role,
                by=of.at.user, now=of.at.now,
            )  # fmt: skip
    except EvidenceRefused as refused_file:
        return _again(request, of, sentence(refused_file.code), 422)
    except ReviewRefused as refused:
        return _again(request, of, words_of(refused), 409 if refused.is_conflict else 422)
    messages.success(request, _("已办理：%(action)s。") % {"action": telling.ACTION_WORDS[action]})
    return redirect("reviews:application", code)


def _asked(request: HttpRequest) -> tuple[Action | None, str, int]:
    """Return the action, the role and the version that were sent; the button names action and role."""
    said, _colon, role = request.POST.get("act", "").partition(":")
    version = request.POST.get("version", "")
    action = Action(said) if said in Action.__members__ else None
    return action, role, int(version) if version.isdecimal() and len(version) < 10 else 0


def _said(request: HttpRequest, of: Opened) -> Said:
    """Read the opinion, what was said of single places, the ticks, and the files."""
    if of.audience is Audience.APPLICANT:
        return Said(words=request.POST.get("words", "")[:5000])
    known = {name for name, _text in claims.texts(of.application.submission.content)}
    criteria = {c.id for c in queries.edition_of(of.application).criteria}
    comments, checks = {}, {}
    for name in known | criteria:
        if words := request.POST.get(f"comment-{name}", "").strip()[:2000]:
            comments[name] = words
    for name in sorted(criteria):
        tick = request.POST.get(f"tick-{name}", "")
        if tick and tick in TICK_WORDS:
            checks[name] = {"tick": tick, "words": comments.get(name, "")}
    documents = [(file.name or "", file.read()) for file in request.FILES.getlist("documents")]
    return Said(
        words=request.POST.get("words", "")[:5000], comments=dict(sorted(comments.items())),
        documents=documents, details={"checklist": checks} if checks else None,
    )  # fmt: skip


def _again(request: HttpRequest, of: Opened, words: str, status: int) -> HttpResponse:
    """Show the page as it is now, with what was typed and why nothing was done."""
    fresh = _opened(request, of.application.code)
    typed = {name: str(value) for name, value in request.POST.items() if name != "csrfmiddlewaretoken"}
    if fresh.audience is Audience.APPLICANT:
        context = _own_context(fresh) | {"typed": typed}
        return render(request, "reviews/applications_own.html", context | {"refusal": words}, status=status)
    context = _officers_context(fresh, typed=typed) | {"refusal": words}
    return render(request, "reviews/applications_page.html", context, status=status)


@require_POST
def pass_on(request: HttpRequest, code: str) -> HttpResponse:
    """Let the successor of the applicant go on with the case."""
    of = _opened(request, code)
    if of.audience is Audience.APPLICANT:
        raise Http404
    form = PassOnForm(request.POST)
    if not form.is_valid():
        return _again(request, of, _("请填写承继单位的统一社会信用代码，以及依据和说明。"), 422)
    successor = Organisation.objects.filter(uscc=form.cleaned_data["uscc"].strip().upper()).first()
    if successor is None:
        return _again(request, of, _("没有这个统一社会信用代码的单位，请核对或先登记。"), 422)
    try:
        deciding.pass_on(
            application=of.application, successor=successor, words=form.cleaned_data["words"], by=of.at.user,
            now=of.at.now,
        )  # fmt: skip
    except ReviewRefused as refused:
        return _again(request, of, words_of(refused), 409 if refused.is_conflict else 422)
    messages.success(request, _("已转由%(name)s继续申报。") % {"name": successor.name})
    return redirect("reviews:application", code)


# ---- files -----------------------------------------------------------------------------------


@require_safe
def act_document(request: HttpRequest, code: str, document_id: int) -> HttpResponseBase:
    """Hand out a file that stands with an act, to those who may read the act."""
    of = _opened(request, code)
    try:
        row = queries.document_for(application=of.application, document_id=document_id, audience=of.audience)
    except ActDocument.DoesNotExist as error:
        raise Http404 from error
    return attached(row.stored, row.file_name)


@require_safe
def submitted_file(request: HttpRequest, code: str, file_id: int) -> HttpResponseBase:
    """Hand out a file of the submission, as it was handed in."""
    of = _opened(request, code)
    row = of.application.submission.files.filter(pk=file_id).first()
    if row is None:
        raise Http404
    return attached(row.stored, row.file_name)


@require_safe
def case_file(request: HttpRequest, code: str) -> HttpResponseBase:
    """Hand out the case file, as it was handed in."""
    submission = _opened(request, code).application.submission
    if not submission.case_file:
        raise Http404
    return attached(submission.case_file, f"{_('申报书')}-{code}.docx")
