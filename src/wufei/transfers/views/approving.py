"""Approvals and filings of what leaves the province, with what is left of each."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from wufei.ledger.views.desk import desk
from wufei.registry.access import Permission
from wufei.registry.models import Contract, Organisation
from wufei.registry.queries import contracts_on
from wufei.transfers import queries, services
from wufei.transfers.forms import ApprovalForm, mass_of
from wufei.transfers.refusals import TransferRefused
from wufei.transfers.views.drafting import tell


@require_http_methods(["GET", "POST"])
def approvals(request: HttpRequest, uscc: str) -> HttpResponse:
    """List the approvals and filings, and record one."""
    at = desk(request, uscc, Permission.HANDLE_MANIFESTS)
    contracted = contracts_on(organisation=at.organisation, purpose=Contract.Purpose.RECEIVING, on=at.today)
    receivers = Organisation.objects.filter(pk__in=contracted.values("counterparty_id")).order_by("name")
    form = ApprovalForm(request.POST if request.method == "POST" else None, receivers=receivers)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        mass = mass_of(said["tonnes"])
        assert mass is not None, "it is required"
        try:
            services.record_approval(
                organisation=at.organisation, receiver=receivers.get(uscc=said["receiver"]), kind=said["kind"],
                number=said["number"], waste_code=said["waste_code"], approved=mass, valid_from=said["valid_from"],
                valid_through=said["valid_through"], by=at.user, now=at.now,
            )  # fmt: skip
        except TransferRefused as refused:
            tell(form, refused)
        else:
            return redirect("transfers:approvals", at.uscc)
    rows = [
        (row, row.approved_g - row.used_g, row.valid_through < at.today)
        for row in queries.approvals_of(organisation=at.organisation)
    ]
    context = at.context(rows=rows, form=form)
    return render(request, "transfers/approvals.html", context, status=422 if form.errors else 200)
