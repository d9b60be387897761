"""The page that looks a waste code, an industry or a division up in the catalogue."""

from collections.abc import Iterator
from dataclasses import dataclass

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from wufei.catalogue.exemptions import Exemption, exemptions_for
from wufei.catalogue.industries import CLASSES_NOT_LOADED, industries_near
from wufei.catalogue.search import Hit, Kind, search

SHOWN = 50


class LookupForm(forms.Form):
    q = forms.CharField(
        label=_("代码、名称或拼音首字母"),
        required=False,
        max_length=60,
        help_text=_("如 900-249-08、粉煤灰、fmh。"),
    )
    kind = forms.ChoiceField(
        label=_("种类"),
        required=False,
        choices=[
            ("", _("全部")),
            (Kind.WASTE.value, _("废物代码")),
            (Kind.INDUSTRY.value, _("行业")),
            (Kind.DIVISION.value, _("行政区划")),
        ],
        help_text=_("不选则都查。"),
    )
    industry = forms.CharField(
        label=_("产生行业"), required=False, max_length=30, help_text=_("行业代码或名称，只筛废物。")
    )


@dataclass(frozen=True, slots=True)
class Row:
    hit: Hit
    kind_label: str
    exemptions: tuple[Exemption, ...]


@require_safe
def lookup(request: HttpRequest) -> HttpResponse:
    """Show what matches; each entry with its edition and whether it is verified."""
    form = LookupForm(request.GET or None)
    said = form.cleaned_data if form.is_bound and form.is_valid() else {}
    text, industry = said.get("q", "").strip(), said.get("industry", "").strip()
    kinds = [said["kind"]] if said.get("kind") else list(Kind)
    found = search(text, kinds=kinds, industry=industry, limit=SHOWN, data_dir=settings.DATA)
    return render(
        request,
        "web/lookup.html",
        {
            "form": form,
            "rows": list(_rows(found.hits)),
            "total": found.total,
            "is_asked": bool(text or industry),
            "near": () if found.total else industries_near(text or industry),
            "classes_not_loaded": CLASSES_NOT_LOADED,
        },
    )


def _rows(hits: tuple[Hit, ...]) -> Iterator[Row]:
    labels = dict(LookupForm.base_fields["kind"].choices)  # type: ignore[attr-defined]
    for hit in hits:
        is_waste = hit.kind == Kind.WASTE
        yield Row(hit, str(labels[hit.kind.value]), exemptions_for(hit.code) if is_waste else ())
