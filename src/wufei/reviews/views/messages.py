"""Messages to the reader, and who stands in for whom."""

from django.contrib import messages as flashes
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from wufei.registry.models import User
from wufei.registry.views.listing import ROWS_PER_PAGE, page_at
from wufei.reviews.forms.messages import DelegationForm
from wufei.reviews.models import Message
from wufei.reviews.queries import messages as queries
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import messages as services
from wufei.reviews.views.rounds_desk import Desk, desk
from wufei.reviews.wording import words_of


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """List the reader's messages."""
    at = desk(request)
    only_unread = request.GET.get("only") == "unread"
    rows = queries.inbox(user=at.user, only_unread=only_unread)
    page = page_at(Paginator(rows, ROWS_PER_PAGE), request.GET.get("page"))
    return render(request, "reviews/messages_list.html", at.context(page=page, only_unread=only_unread))


@require_POST
def read(request: HttpRequest, key: int) -> HttpResponse:
    """Note that the reader read a message, and go where it leads."""
    at = desk(request)
    message = Message.objects.filter(pk=key, to=at.user).first()
    if message is None:
        raise Http404
    services.mark_read(message=message, by=at.user, now=at.now)
    return redirect(message.link or "reviews:messages")


@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Note that the reader read everything."""
    at = desk(request)
    services.mark_all_read(by=at.user, now=at.now)
    return redirect("reviews:messages")


@require_http_methods(["GET", "POST"])
def delegations(request: HttpRequest) -> HttpResponse:
    """List the hand-overs from and to the reader, and make one."""
    at = desk(request)
    colleagues = queries.colleagues_of(user=at.user)
    form = DelegationForm(request.POST or None, colleagues=colleagues)
    if request.method == "POST" and form.is_valid() and _delegated(at, form, colleagues):
        flashes.success(request, _("已交办。期间由对方代办，您也可随时收回。"))
        return redirect("reviews:delegations")
    rows = queries.delegations_of(user=at.user)
    context = at.context(form=form, rows=rows, has_colleagues=bool(colleagues))
    return render(request, "reviews/tasks_delegations.html", context, status=422 if form.errors else 200)


def _delegated(at: Desk, form: DelegationForm, colleagues: list[User]) -> bool:
    said = form.cleaned_data
    deputy = next(user for user in colleagues if str(user.pk) == said["deputy"])
    try:
        services.delegate(
            principal=at.user, deputy=deputy, from_day=said["from_day"], to_day=said["to_day"],
            reason=said["reason"], by=at.user, now=at.now,
        )  # fmt: skip
    except ReviewRefused as refused:
        form.add_error(
            "to_day" if refused.code in ("days_reversed", "deadline_in_past") else None, words_of(refused)
        )
        return False
    return True


@require_POST
def end_delegation(request: HttpRequest, key: int) -> HttpResponse:
    """End a hand-over before its time."""
    at = desk(request)
    row = next((each for each in queries.delegations_of(user=at.user) if each.pk == key), None)
    if row is None:
        raise Http404
    try:
        services.end_delegation(delegation=row, by=at.user, now=at.now)
        flashes.success(request, _("已收回。"))
    except ReviewRefused as refused:
        flashes.error(request, words_of(refused))
    return redirect("reviews:delegations")
