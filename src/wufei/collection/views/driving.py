"""The driver's phone: the stops in their order, and one page for each with what is handed over there."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from wufei.collection import queries, services
from wufei.collection.forms import LeaveOutForm, SpotForm
from wufei.collection.models import SigningCode, Stop
from wufei.collection.refusals import CollectionRefused
from wufei.collection.views.collecting import round_of
from wufei.collection.views.registering import tell
from wufei.collection.wording import words
from wufei.ledger.views.desk import Desk, desk
from wufei.registry.access import Permission
from wufei.transfers.states import State


@require_safe
def drive(request: HttpRequest, uscc: str, number: int) -> HttpResponse:
    """Show the stops of the round, large, for a phone; the next one first."""
    at = desk(request, uscc, Permission.SIGN_MANIFESTS)
    row = round_of(at, number)
    stops = queries.stops_of(row)
    waiting = [each for each in stops if each.state == Stop.State.WAITING]
    context = at.context(
        row=row, waiting=waiting, settled=[each for each in stops if each not in waiting],
        is_under_way=row.state == "UNDER_WAY", is_planned=row.state == "PLANNED",
    )  # fmt: skip
    return render(request, "collection/drive.html", context)


@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def stop(request: HttpRequest, uscc: str, number: int, stop_id: int) -> HttpResponse:
    """Take over what a generator hands over, or leave it out with the reason."""
    at = desk(request, uscc, Permission.SIGN_MANIFESTS)
    row = round_of(at, number)
    found = next((each for each in queries.stops_of(row) if each.pk == stop_id), None)
    if found is None:
        raise Http404
    posted = request.POST if request.method == "POST" else None
    is_signed = found.manifest.now_in is State.ISSUED
    lines = list(found.manifest.lines.all())
    form = SpotForm(
        posted if posted and posted.get("what") == "sign" else None, lines=[] if is_signed else lines
    )
    left = LeaveOutForm(posted if posted and posted.get("what") == "leave-out" else None)
    if posted is not None and _do(request, at, found, posted.get("what", ""), form, left):
        messages.success(request, _("已办理：%(name)s。") % {"name": found.generator.name})
        return redirect("collection:drive", at.uscc, number)
    context = at.context(
        row=row, stop=found, lines=lines, form=form, left=left, is_signed=is_signed,
        has_code=SigningCode.objects.filter(organisation=found.generator).exists(),
        may_act=row.state == "UNDER_WAY" and found.state == Stop.State.WAITING,
    )  # fmt: skip
    is_wrong = form.errors or left.errors
    return render(request, "collection/stop.html", context, status=422 if is_wrong else 200)


def _do(request: HttpRequest, at: Desk, found: Stop, what: str, form: SpotForm, left: LeaveOutForm) -> bool:
    """Do what was asked; where it is refused, say so at the form."""
    said: dict[str, Any] = {"stop": found, "by": at.user, "now": at.now}
    asked = left if what == "leave-out" else form
    if asked.is_bound and not asked.is_valid():
        return False
    try:
        if what == "leave-out":
            services.leave_out(reason=left.cleaned_data["reason"], words=left.cleaned_data["words"], **said)
        elif what == "load":
            services.load_signed(**said)
        elif what == "sign":
            services.sign_on_the_spot(code=form.cleaned_data["code"], masses=form.masses(), **said)
        else:
            return False
    except CollectionRefused as refused:
        if asked.is_bound:
            tell(asked, refused)
        else:
            messages.error(request, words(refused))
        return False
    return True
