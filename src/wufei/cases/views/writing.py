"""The list of cases, and the editor: texts that save themselves, counted as the form counts."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from wufei.cases import counting, queries, services
from wufei.cases.counting import LimitCheck, TextLength
from wufei.cases.dossier import FormSpec, Texts
from wufei.cases.forms import BODY, HINTS, SHORT, OpenForm
from wufei.cases.models import Case
from wufei.cases.refusals import sentence
from wufei.cases.views.desks import CaseDesk, case_desk
from wufei.ledger.views.desk import desk
from wufei.paper.texts import cleaned, one_line
from wufei.policies import queries as policy_queries
from wufei.registry.access import Permission

YEARS = 6
ATTEMPTS = 5
LONG = (*BODY, "self_description", "brief_description")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A text's length, against its limit where it has one."""

    name: str
    label: str
    length: TextLength
    check: LimitCheck | None = None

    @property
    def share(self) -> int:
        """Return how much of the limit is used, in whole per cent of at most 100."""
        return min(100, self.length.words * 100 // self.check.limit) if self.check else 0

    @property
    def over(self) -> int:
        return -self.check.words_left if self.check else 0


@dataclass(frozen=True, slots=True)
class Note:
    """What a reviewer said of one place when the case was sent back."""

    label: str
    words: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One text of the editor."""

    name: str
    label: str
    hint: Any
    text: str
    is_long: bool
    counted: Counted | None = None
    state: str = ""  # saved, stale, refused
    error: str = ""
    saved_text: str = ""  # what is kept
    note: Note | None = None

    @property
    def base(self) -> str:
        return _digest(self.saved_text)

    @property
    def kind(self) -> str:
        return {"above_scale_count": "number", "filed_on": "date", "email": "email"}.get(self.name, "text")


@require_http_methods(["GET", "POST"])
def cases(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the organisation's cases, and open one."""
    may = Permission.EDIT_CASE if request.method == "POST" else Permission.VIEW_CASE
    at = desk(request, uscc, may)
    editions = queries.editions_to_open(organisation=at.organisation)
    asked = {"edition": request.GET.get("edition"), "year": request.GET.get("year") or at.today.year - 1}
    years = range(at.today.year, at.today.year - YEARS, -1)
    form = OpenForm(request.POST or None, editions=editions, years=years, initial=asked)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            case = services.open_case(
                organisation=at.organisation,
                edition_id=said["edition"],
                year=said["year"],
                by=at.user,
                now=at.now,
            )
            return redirect("cases:case", uscc, case.pk)
        except (queries.NoCaseFile, services.DraftRefused) as refused:
            form.add_error(None, sentence(refused.code))
    rows = queries.visible_cases(user=at.user, on=at.today).filter(organisation=at.organisation)
    known = policy_queries.known_editions()
    listed = [(row, known.get(row.edition)) for row in rows.order_by("-updated_at", "-pk")]
    context = at.context(form=form, cases=listed, editions=editions)
    return render(request, "cases/cases.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def case(request: HttpRequest, uscc: str, case_id: int) -> HttpResponse:
    """Show the editor; without scripts its one button saves everything."""
    may = Permission.EDIT_CASE if request.method == "POST" else Permission.VIEW_CASE
    of = case_desk(request, uscc, case_id, may)
    if request.method != "POST":
        return _editor(request, of, _fields(of, _kept(of.case)))
    sent = {name: request.POST[name] for name in _names(of) if name in request.POST}
    mine = {
        name: text for name, text in sent.items() if _digest(_as_kept(name, text)) != _base(request, name)
    }
    for _attempt in range(ATTEMPTS):
        kept = _kept(of.case)
        clashes = {n for n, text in mine.items() if _clashes(n, text, kept[n], _base(request, n))}
        if clashes:
            break
        try:
            services.save_draft(
                case=of.case, version=of.case.version, changes=mine, by=of.at.user, now=of.at.now
            )
        except services.StaleEdit:  # an autosave came between: look again whether anything clashes
            of = _fresh(request, of)
        except services.DraftRefused as refused:
            fields = _fields(of, kept | mine, errors={refused.field: sentence(refused.code)})
            return _editor(request, of, fields, status=422)
        else:
            messages.success(request, _("已保存。"))
            return redirect("cases:case", uscc, case_id)
    return _editor(request, of, _fields(of, kept | mine, stale=clashes), status=409)


def _editor(request: HttpRequest, of: CaseDesk, fields: dict[str, Field], status: int = 200) -> HttpResponse:
    counts = _counts(of.spec, {name: fields[name].text for name in LONG})
    notes = _notes(of)
    fields = {
        name: replace(field, counted=counts.get(name), note=notes.pop(name, None))
        for name, field in fields.items()
    }
    context = of.context(
        returned=_note(of, "", of.case.returned["words"]) if of.case.returned else None,
        other_notes=list(notes.values()),
        body=[fields[name] for name in BODY],
        own=[fields["self_description"], fields["brief_description"]],
        short=[field for field in fields.values() if not field.is_long],
        counts=counts,
        tab="case",
    )
    return render(request, "cases/case.html", context, status=status)


def _notes(of: CaseDesk) -> dict[str, Note]:
    """Return what was said when the case was sent back, by the field or criterion that it is about."""
    comments = of.case.returned.get("comments", {})
    return {key: _note(of, _place(of, key), words) for key, words in comments.items()}


def _note(of: CaseDesk, label: str, words: str) -> Note:
    said = of.case.returned
    return Note(label, words, said["by"], datetime.fromisoformat(said["at"]))


def _place(of: CaseDesk, key: str) -> str:
    """Name a field of the editor, or the criterion's clause."""
    if key in _names(of):
        return _label(of.spec, key)
    return next((each.clause for each in of.edition.criteria if each.id == key), key)


@require_POST
def save(request: HttpRequest, uscc: str, case_id: int) -> HttpResponse:
    """
    Save one text while it is being written.

    A text that was changed since the person saw it is not overwritten: the answer is 409 with both.
    The person then keeps theirs (its base is now what was shown) or takes the other (`adopt`).
    """
    of = case_desk(request, uscc, case_id, Permission.EDIT_CASE)
    name = request.POST.get("field", "")
    if name not in _names(of):
        raise Http404
    if "adopt" in request.POST:
        return _answer(request, of, name, _text(of.case, name), "adopted")
    sent = request.POST.get(name, "")
    for _attempt in range(ATTEMPTS):
        if _clashes(name, sent, _text(of.case, name), _base(request, name)):
            break
        try:
            saved = services.save_draft(
                case=of.case, version=of.case.version, changes={name: sent}, by=of.at.user, now=of.at.now
            )
            return _answer(request, replace(of, case=saved), name, sent, "saved")
        except services.StaleEdit:  # another text was saved between: look again
            of = _fresh(request, of)
        except services.DraftRefused as refused:
            return _answer(request, of, name, sent, "refused", error=sentence(refused.code), status=422)
    return _answer(request, of, name, sent, "stale", status=409)


def _digest(text: str) -> str:
    """Return by what a person's page knows the text that it showed."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _base(request: HttpRequest, name: str) -> str:
    """Return the digest of the text that the person wrote upon; what was shown in a conflict counts."""
    return request.POST.get("seen") or request.POST.get(f"base-{name}", "")


def _clashes(name: str, sent: str, kept: str, base: str) -> bool:
    """Return whether saving would overwrite a text that the person has not seen."""
    return kept != _as_kept(name, sent) and _digest(kept) != base


def _answer(
    request: HttpRequest,
    of: CaseDesk,
    name: str,
    text: str,
    state: str,
    *,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    field = _field(of, name, text, state=state, error=error)
    context = of.context(field=field, is_answer=True)
    return render(request, "cases/_saved.html", context, status=status)


@require_POST
def count(request: HttpRequest, uscc: str, case_id: int) -> HttpResponse:
    """Count what is being written; nothing is saved."""
    of = case_desk(request, uscc, case_id, Permission.EDIT_CASE)
    texts = {name: request.POST.get(name, "") for name in LONG}
    return render(request, "cases/_counts.html", of.context(counts=_counts(of.spec, texts), is_answer=True))


def _counts(spec: FormSpec, texts: Mapping[str, Any]) -> dict[str, Counted]:
    """Return the length of every text, and of the body against its limit."""
    checks = queries.limits(texts=Texts(**texts), spec=spec)
    labels = {name: _label(spec, name) for name in LONG} | {"body": _("申报材料合计")}
    found = {}
    if "body" in checks:
        found["body"] = Counted(
            name="body", label=labels["body"], length=checks["body"].length, check=checks["body"]
        )
    for name in LONG:
        length = counting.text_length(texts[name])
        found[name] = Counted(name=name, label=labels[name], length=length, check=checks.get(name))
    return found


def _names(of: CaseDesk) -> tuple[str, ...]:
    """Return the fields that the form of the case has; only a park's counts its larger enterprises."""
    return (*LONG, *SHORT, *(("above_scale_count",) if of.spec.is_park else ()), "filed_on")


def _kept(case: Case) -> dict[str, str]:
    return {name: _text(case, name) for name in (*LONG, *SHORT, "above_scale_count", "filed_on")}


def _text(case: Case, name: str) -> str:
    value = getattr(case, name)
    return "" if value is None else str(value)


def _as_kept(name: str, sent: str) -> str:
    return cleaned(sent) if name in services.LONG_TEXTS else one_line(sent)


def _fields(
    of: CaseDesk,
    texts: Mapping[str, str],
    *,
    stale: Collection[str] = (),
    errors: Mapping[str, str] | None = None,
) -> dict[str, Field]:
    found = {}
    for name in _names(of):
        error = (errors or {}).get(name, "")
        state = "stale" if name in stale else "refused" if error else ""
        found[name] = _field(of, name, texts.get(name, ""), state=state, error=error)
    return found


def _field(of: CaseDesk, name: str, text: str, *, state: str, error: str) -> Field:
    return Field(
        name=name, label=_label(of.spec, name), hint=HINTS.get(name, ""), text=text, is_long=name in LONG,
        state=state, error=error, saved_text=_text(of.case, name),
    )  # fmt: skip


def _label(spec: FormSpec, name: str) -> str:
    """Return what the form of this kind of subject calls the field."""
    if name == "self_description":
        return _("%(subject)s自述") % {"subject": spec.subject_word}
    if name == "leading_industry":
        return _("主导产业") if spec.is_park else _("从事行业")
    return queries.label_of(name)


def _fresh(request: HttpRequest, of: CaseDesk) -> CaseDesk:
    """Return the case as it is now."""
    return case_desk(request, of.at.uscc, of.case.pk, Permission.EDIT_CASE)
