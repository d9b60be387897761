"""One manifest: what it says, who signed what, what was revised, what is open, and what this person may do."""

from collections.abc import Set
from dataclasses import replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.ledger.views.desk import Desk, desk
from wufei.registry.access import Permission
from wufei.transfers import manifest_pdf, queries, services
from wufei.transfers.fields import MASSES, SIGNED_IN, Field, Part, Shape, fields_of, is_sealed, named
from wufei.transfers.forms import AnswerForm, ReasonForm, RevisionForm
from wufei.transfers.models import Discrepancy, Manifest, ManifestLine, Revision
from wufei.transfers.refusals import TransferRefused
from wufei.transfers.services import Change
from wufei.transfers.services.revising import NEVER
from wufei.transfers.states import ACT_LABELS, LABELS, Act, Party, State, address_of
from wufei.transfers.tolerance import tolerance_on
from wufei.transfers.views.drafting import manifest_at, tell
from wufei.transfers.wording import FLAG_TEXT, in_tonnes, words

QUIET = {Act.CANCEL, Act.REFUSE, Act.STORE, Act.PARTLY_ACCEPT}


@require_safe
def manifest(request: HttpRequest, uscc: str, reference: str) -> HttpResponse:
    """Show one manifest."""
    at = desk(request, uscc, Permission.VIEW_MANIFESTS)
    return _page(request, at, manifest_at(at, reference))


def _page(
    request: HttpRequest, at: Desk, row: Manifest, refused: TransferRefused | None = None
) -> HttpResponse:
    lines, legs = queries.lines_of(row), queries.legs_of(row)
    acts = queries.acts_for(manifest=row, organisation=at.organisation, user=at.user, on=at.today)
    revisions = list(queries.revisions_of(row))
    parties = queries.parties_of(row, at.organisation, legs)
    waiting = next((each for each in revisions if each.state == Revision.State.PROPOSED), None)
    context = at.context(
        row=row,
        has_acts=bool(acts) or (_may_revise(at, row, bool(parties)) and waiting is None),
        lines=[
            (line, labelled(Part.LINE, queries.line_values(line), row, skip=SHOWN_IN_ROW)) for line in lines
        ],
        legs=[(leg, labelled(Part.LEG, queries.leg_values(leg), row, skip={"carrier"})) for leg in legs],
        facts=labelled(Part.MANIFEST, queries.manifest_values(row), row, skip={"receiver"}),
        acts=[(address_of(act), ACT_LABELS[act], act in QUIET) for act in acts],
        signatures=[(s, ACT_LABELS[Act(s.act)]) for s in queries.signatures_of(row)],
        versions=row.versions.order_by("number"),
        flags=[(flag, FLAG_TEXT[flag.code]) for flag in queries.flags_of(row)],
        revisions=[(each, _changes(each, row)) for each in revisions],
        open_revision=waiting,
        may_answer=bool(parties) and Permission.HANDLE_MANIFESTS in at.held,
        may_agree=waiting is not None
        and queries.may_agree(revision=waiting, manifest=row, organisation=at.organisation),
        is_of_generator=Party.GENERATOR in parties,
        may_revise=_may_revise(at, row, bool(parties)),
        discrepancies=queries.discrepancies_of(row),
        tolerance=tolerance_on(at.today),
        refusals=[words(reason) for reason in refused.reasons] if refused else [],
    )
    return render(request, "transfers/manifest.html", context, status=409 if refused else 200)


SHOWN_IN_ROW = {"stream", "lot", "declared_g", "received_g", "mode", "package_count", "received_count"}


def _may_revise(at: Desk, row: Manifest, is_party: bool) -> bool:
    may = Permission.HANDLE_MANIFESTS in at.held
    return is_party and may and row.now_in not in (State.DRAFT, State.CANCELLED)


def labelled(
    part: Part, values: dict[str, Any], row: Manifest, skip: Set[str] = frozenset()
) -> list[tuple[Field, str]]:
    """Return the fields of a part with what they say in words; the empty ones are left out."""
    day = row.issued_on or row.created_at.date()
    found = []
    for field in fields_of(part, on=day, is_hazardous=row.is_hazardous):
        value = values.get(field.name)
        if field.name not in skip and value not in (None, ""):
            found.append((field, in_words(field, value)))
    return found


def in_words(field: Field, value: Any) -> str:
    """Return a value as people read it."""
    if field.shape is Shape.MASS and isinstance(value, int):
        return _("%s 吨") % in_tonnes(value)
    return dict(field.choices).get(str(value), str(value)) if field.shape is Shape.CHOICE else str(value)


def _changes(revision: Revision, row: Manifest) -> list[dict[str, Any]]:
    by_key = {
        (f.part.value, f.name): f
        for f in fields_of(Part.MANIFEST, on=row.created_at.date(), is_hazardous=True)
    }
    for part in (Part.LINE, Part.LEG):
        by_key |= {
            (f.part.value, f.name): f for f in fields_of(part, on=row.created_at.date(), is_hazardous=True)
        }
    found = []
    for each in revision.changes:
        field = by_key.get((each["part"], each["field"]))
        label = field.label if field else each["field"]
        where = {"line": _("第 %d 行") % each["position"], "leg": _("第 %d 段") % each["position"]}.get(
            each["part"], ""
        )
        said = [in_words(field, each[key]) if field else str(each[key]) for key in ("from", "to")]
        found.append({"label": f"{where} {label}".strip(), "from": each["from"] and said[0], "to": said[1]})
    return found


@require_safe
def pdf(request: HttpRequest, uscc: str, reference: str) -> HttpResponse:
    """Hand out the manifest as a PDF."""
    at = desk(request, uscc, Permission.VIEW_MANIFESTS)
    row = manifest_at(at, reference)
    content = manifest_pdf.drawn(sheet_of(row))
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="manifest-{row.reference}.pdf"'
    return response


def sheet_of(row: Manifest) -> manifest_pdf.Sheet:
    """Return what the paper shows of the manifest."""
    lines, legs = queries.lines_of(row), queries.legs_of(row)

    def rows(part: Part, values: dict[str, Any], skip: Set[str]) -> list[tuple[str, str]]:
        return [(field.label, text) for field, text in labelled(part, values, row, skip)]

    values = queries.manifest_values(row)
    of_receiver = {"receiving_contact", "opinion"}
    every = {field.name for field, _text in labelled(Part.MANIFEST, values, row)}
    return manifest_pdf.Sheet(
        title=_("危险废物转移联单") if row.is_hazardous else _("一般工业固体废物转移记录"),
        number=row.number or _("草稿"),
        state=LABELS[row.now_in],
        generator=(row.generator.name, row.generator.uscc),
        receiver=(row.receiver.name, row.receiver.uscc) if row.receiver else ("", ""),
        own=rows(Part.MANIFEST, values, {"receiver", *of_receiver}),
        taken=rows(Part.MANIFEST, values, every - of_receiver),
        legs=[(leg.carrier.name, rows(Part.LEG, queries.leg_values(leg), {"carrier"})) for leg in legs],
        lines=[
            manifest_pdf.Line(
                position=line.position, name=line.waste_name, code=line.waste_code, lot=line.lot_code,
                hazards=line.said.get("hazards", ""), packaging=_packaging(line.said.get("packaging", "")),
                count=line.package_count, declared_g=line.declared_g, received_g=line.received_g, mode=line.mode,
            )
            for line in lines
        ],
        signatures=[
            (ACT_LABELS[Act(s.act)], s.organisation_name, s.signer_name, s.signed_at, s.content_sha256)
            for s in queries.signatures_of(row)
        ],
        corrections=_corrections(row),
    )  # fmt: skip


def _corrections(row: Manifest) -> list[manifest_pdf.Correction]:
    """Return what was corrected after the signatures, the earliest first."""
    agreed = queries.revisions_of(row).filter(state=Revision.State.AGREED).order_by("answered_at", "pk")
    return [
        manifest_pdf.Correction(
            label=change["label"], before=str(change["from"] or ""), after=str(change["to"]), reason=each.reason,
            proposed_for=each.proposed_for.name, agreed_for=each.answered_for.name if each.answered_for else "",
            agreed_at=each.answered_at or each.proposed_at,
        )
        for each in agreed
        for change in _changes(each, row)
    ]  # fmt: skip


def _packaging(code: str) -> str:
    return in_words(named(Part.LINE, "packaging"), code) if code else ""


@require_http_methods(["GET", "POST"])
def revise(request: HttpRequest, uscc: str, reference: str) -> HttpResponse:
    """Propose to change what one filled in oneself and signed."""
    at = desk(request, uscc, Permission.HANDLE_MANIFESTS)
    row = manifest_at(at, reference)
    rows = _revisable(at, row)
    form = RevisionForm(request.POST if request.method == "POST" else None, rows=rows)
    if request.method == "POST" and form.is_valid():
        changes = [_change(key, field, said) for key, field, said in form.changed()]
        try:
            services.propose_revision(
                manifest=row, organisation=at.organisation, changes=changes, reason=form.cleaned_data["reason"],
                is_reweighed=form.cleaned_data.get("is_reweighed", False), by=at.user, now=at.now,
            )  # fmt: skip
        except TransferRefused as refused:
            tell(form, refused)
        else:
            return redirect("transfers:manifest", at.uscc, row.reference)
    context = at.context(row=row, form=form, has_fields=bool(rows))
    return render(request, "transfers/revise.html", context, status=422 if form.errors else 200)


def _change(key: str, field: Field, said: str | int) -> Change:
    part, position, _name = key.split("-")
    return Change(part=Part(part), position=int(position), field=field.name, to=said)


def _revisable(at: Desk, row: Manifest) -> list[tuple[str, Field, Any]]:
    """Return the organisation's own fields that can be revised, with what they say."""
    lines, legs = queries.lines_of(row), queries.legs_of(row)
    parties = queries.parties_of(row, at.organisation, legs)
    parts = [(Part.MANIFEST, 0, queries.manifest_values(row), "")]
    parts += [(Part.LINE, line.position, _of_line(line), _("第 %d 行 ") % line.position) for line in lines]
    parts += [
        (Part.LEG, leg.position, queries.leg_values(leg), _("第 %d 段 ") % leg.position)
        for leg in legs
        if leg.signed_at is not None and leg.carrier_id == at.organisation.pk
    ]
    day = row.issued_on or at.today
    return [
        (
            f"{part.value}-{position}-{field.name}",
            replace(field, label=f"{before}{field.label}"),
            values.get(field.name),
        )
        for part, position, values, before in parts
        for field in fields_of(part, on=day, is_hazardous=row.is_hazardous)
        if field.filled_by in parties
        and field.name not in NEVER
        and is_sealed(field, SIGNED_IN[row.now_in])
        and (field.name not in MASSES or values.get(field.name))
    ]


def _of_line(line: ManifestLine) -> dict[str, Any]:
    """Return what the line says, without the mass that can't be revised: of what goes back, what was declared."""
    values = queries.line_values(line)
    return values | {"declared_g": None} if line.returned_g else values


@require_POST
def answer(request: HttpRequest, uscc: str, reference: str, revision_id: int) -> HttpResponse:
    """Agree to a revision, say no to it, or withdraw one's own."""
    at = desk(request, uscc, Permission.HANDLE_MANIFESTS)
    row = manifest_at(at, reference)
    revision = Revision.objects.filter(manifest=row, pk=revision_id).first()
    if revision is None:
        raise Http404
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return redirect("transfers:manifest", at.uscc, row.reference)
    said: dict[str, Any] = {
        "revision": revision,
        "organisation": at.organisation,
        "by": at.user,
        "now": at.now,
    }
    try:
        if form.cleaned_data["agrees"] == "withdraw":
            services.withdraw_revision(**said)
        else:
            services.answer_revision(
                **said, agrees=form.cleaned_data["agrees"] == "yes", answer=form.cleaned_data["answer"]
            )
    except TransferRefused as refused:
        return _page(request, at, row, refused)
    return redirect("transfers:manifest", at.uscc, row.reference)


@require_POST
def settle(request: HttpRequest, uscc: str, reference: str, discrepancy_id: int) -> HttpResponse:
    """Say why what arrived is not what was sent."""
    at = desk(request, uscc, Permission.HANDLE_MANIFESTS)
    row = manifest_at(at, reference)
    discrepancy = Discrepancy.objects.filter(manifest=row, pk=discrepancy_id).first()
    if discrepancy is None:
        raise Http404
    form = ReasonForm(request.POST)
    form.is_valid()
    try:
        services.settle_discrepancy(
            discrepancy=discrepancy, organisation=at.organisation, reason=form.cleaned_data.get("reason", ""),
            by=at.user, now=at.now,
        )  # fmt: skip
    except TransferRefused as refused:
        return _page(request, at, row, refused)
    return redirect("transfers:manifest", at.uscc, row.reference)
