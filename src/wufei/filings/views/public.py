"""What enterprises made public, for everybody: the list, one year's page as it was frozen, and its files."""

import io
import json

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from wufei.filings import disclosing, queries
from wufei.filings.disclosing import AMOUNTS
from wufei.filings.disclosure_documents import write_pdf
from wufei.filings.forms import PublicFilter
from wufei.filings.models import Disclosure
from wufei.filings.views.disclosures import figured, totalled
from wufei.registry.views.listing import filters, page_at

ROWS = 30
CONTENT_TYPES = {"pdf": "application/pdf", "json": "application/json"}


@login_not_required
@require_safe
def disclosures(request: HttpRequest) -> HttpResponse:
    """List what was published, the latest first."""
    form = PublicFilter(request.GET)
    asked = filters(form)
    rows = queries.published(text=asked.get("q", ""), year=asked.get("year"))
    page = page_at(Paginator(rows, ROWS), request.GET.get("page"))
    listing = {"is_filtered": any(request.GET.get(name) for name in form.fields)}
    return render(
        request, "filings/public_disclosures.html", {"page": page, "form": form, "listing": listing}
    )


@login_not_required
@require_safe
def disclosure(request: HttpRequest, uscc: str, year: int) -> HttpResponse:
    """Show a disclosure as it was frozen; an earlier version by its number."""
    asked = request.GET.get("version", "")
    number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 6 else None
    row = _found(uscc, year, number)
    versions = Disclosure.objects.filter(organisation=row.organisation_id, year=year).order_by("-number")
    context = {
        "row": row, "content": row.content, "rows": figured(row.content), "versions": versions,
        "labels": [label for label, _ in AMOUNTS.values()], "duties": disclosing.duties(),
        "totals": totalled(row.content),
        "is_intact": disclosing.digest(row.content) == row.sha256,
    }  # fmt: skip
    return render(request, "filings/public_disclosure.html", context)


def _found(uscc: str, year: int, number: int | None) -> Disclosure:
    row = queries.disclosure(uscc=uscc, year=year, number=number) if year <= 2200 else None
    if row is None:
        raise Http404
    return row


@login_not_required
@require_safe
def download(request: HttpRequest, uscc: str, year: int, number: int, ending: str) -> FileResponse:
    """Hand out a version as a file."""
    if ending not in CONTENT_TYPES or number > 10**6:
        raise Http404
    said = queries.handed_out(_found(uscc, year, number))
    out = io.BytesIO()
    if ending == "pdf":
        write_pdf(out, said)
    else:
        out.write(json.dumps(disclosing.document(said), ensure_ascii=False, indent=1).encode())
    out.seek(0)
    name = f"信息公开-{said.name}-{year}-{number}.{ending}"
    return FileResponse(out, as_attachment=True, filename=name, content_type=CONTENT_TYPES[ending])
