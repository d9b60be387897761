"""Tags and filters of every page: icons, amounts as people read them, verdicts, times, the shell."""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from django import forms, template
from django.core.paginator import Page
from django.template.context import Context
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from wufei.policies.queries import known_editions
from wufei.terms.mass import GRAMS_PER_UNIT
from wufei.terms.truth import Truth
from wufei.tracking import queries as tracking
from wufei.web import navigation

register = template.Library()

NOT_KNOWN = "—"
TASKS_SHOWN = 20
_TRUTH_WORDS = {
    Truth.MET: ("满足", "circle-check"),
    Truth.NOT_MET: ("不满足", "circle-x"),
    Truth.UNKNOWN: ("未知", "help-circle"),
}


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str) -> SafeString:
    """Draw an icon of the vendored sprite; it is decoration, the words stand beside it."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("vendor/tabler-icons/icons.svg"),
        name,
    )


@register.filter
def amount(value: Decimal | int | None, places: int | str | None = None) -> str:
    """
    Write a number with thousands separators and without trailing zeros.

    With `places` it is rounded half up to so many decimals, and keeps them.

    >>> amount(Decimal("1234567.500")), amount(Decimal("94.098"), 2), amount(None)
    ('1,234,567.5', '94.10', '—')
    """
    if value is None:
        return NOT_KNOWN
    number = Decimal(value)
    if places not in (None, ""):
        return f"{number.quantize(Decimal(1).scaleb(-int(places)), ROUND_HALF_UP):,f}"  # type: ignore[arg-type]
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@register.filter
def rounded(value: Decimal | None, places: int | str) -> Decimal | None:
    """
    Round half up to so many decimals at most; `amount` then leaves out the zeros at the end.

    >>> amount(rounded(Decimal("186000.000000"), 6)), amount(rounded(Decimal("0.04761904"), 6))
    ('186,000', '0.047619')
    """
    return None if value is None else value.quantize(Decimal(1).scaleb(-int(places)), ROUND_HALF_UP)


@register.filter
def edition_title(edition_id: str) -> str:
    """Name a programme's edition; one that was taken down since keeps its number only."""
    edition = known_editions().get(edition_id)
    return edition.title if edition else _("版本已撤下（%(id)s）") % {"id": edition_id}


@register.filter
def tonnes(grams: int | None, places: int | str | None = None) -> str:
    """
    Write grams as 吨, exactly unless `places` are asked for.

    >>> tonnes(1_250_000), tonnes(12_345_678_000_001), tonnes(0)
    ('1.25', '12,345,678.000001', '0')
    """
    return NOT_KNOWN if grams is None else amount(Decimal(grams) / GRAMS_PER_UNIT["吨"], places)


@register.filter
def wan_tonnes(grams: int | None, places: int | str | None = None) -> str:
    """
    Write grams as 万吨, exactly unless `places` are asked for.

    >>> wan_tonnes(1_020_000_000_000), wan_tonnes(10_000, 4)
    ('102', '0.0000')
    """
    return NOT_KNOWN if grams is None else amount(Decimal(grams) / GRAMS_PER_UNIT["万吨"], places)


@register.filter
def percent(value: Decimal | None, places: int | str = 2) -> str:
    """
    Write a value that is in per cent already.

    >>> percent(Decimal("94.0988")), percent(None)
    ('94.10%', '—')
    """
    return NOT_KNOWN if value is None else f"{amount(value, places)}%"


@register.simple_tag
def truth_badge(truth: Truth | str) -> SafeString:
    """Show a verdict as icon and word, never by colour alone."""
    verdict = Truth(truth)
    words, symbol = _TRUTH_WORDS[verdict]
    return format_html('<span class="badge-truth {}">{}{}</span>', verdict.value, icon(symbol), _(words))


@register.filter
def local_time(at: datetime | None) -> SafeString | str:
    """Write an instant in the reader's time zone, to the minute."""
    if at is None:
        return NOT_KNOWN
    local = timezone.localtime(at)
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), f"{local:%Y-%m-%d %H:%M}")


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: Any) -> str:
    """Return the page's query string with the changes; None takes a parameter away."""
    parameters = context["request"].GET.copy()
    if "page" not in changes:
        parameters.pop("page", None)
    for name, value in changes.items():
        if value is None:
            parameters.pop(name, None)
        else:
            parameters[name] = str(value)
    return f"?{parameters.urlencode()}"


@register.filter
def page_numbers(page: Page[Any]) -> list[int | None]:
    """Return the page numbers to offer; None stands for those left out."""
    return [n if isinstance(n, int) else None for n in page.paginator.get_elided_page_range(page.number)]


@register.inclusion_tag("web/_sort_header.html", takes_context=True)
def sort_header(context: Context, key: str, label: str, is_number: bool = False) -> dict[str, Any]:
    """Head a column that sorts: the same column again sorts the other way."""
    found = context["listing"]
    current = found["sort"] if isinstance(found, dict) else found.sort
    descending = current == key
    return {
        "label": label,
        "is_number": is_number,
        "state": {key: "ascending", f"-{key}": "descending"}.get(current, "none"),
        "address": query(context, sort=f"-{key}" if descending else key),
    }


@register.filter
def is_checkbox(field: forms.BoundField) -> bool:
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.filter
def is_choice_group(field: forms.BoundField) -> bool:
    return isinstance(field.field.widget, (forms.RadioSelect, forms.CheckboxSelectMultiple))


@register.filter
def dressed(field: forms.BoundField) -> SafeString:
    """Render a field's widget with the classes that the style sheet knows."""
    widget = field.field.widget
    if isinstance(widget, (forms.CheckboxInput, forms.RadioSelect, forms.CheckboxSelectMultiple)):
        dress = "form-check-input"
    else:
        dress = "form-select" if isinstance(widget, forms.Select) else "form-control"
    attributes: dict[str, str | bool] = {
        "class": f"{widget.attrs.get('class', '')} {dress}{' is-invalid' if field.errors else ''}".strip()
    }
    if field.errors:
        hint = f"{field.auto_id}_helptext " if field.help_text else ""
        attributes["aria-describedby"] = f"{hint}{field.auto_id}_error"
    return field.as_widget(attrs=attributes)


@register.filter
def dressed_choice(choice: forms.boundfield.BoundWidget) -> SafeString:
    """Render one of several boxes to tick with the class that the style sheet knows."""
    choice.data["attrs"]["class"] = "form-check-input"
    return choice.tag()


@register.simple_tag(takes_context=True)
def road_tasks(context: Context) -> dict[str, Any]:
    """Return the alerts of the road that wait for a word of the reader's organisations, the latest first."""
    user = context["request"].user
    waiting = tracking.waiting_for(user=user)
    rows = list(tracking.with_parties(waiting).order_by("-began_at", "-pk")[:TASKS_SHOWN])
    own = tracking.own_among(user=user, alerts=rows)
    return {"rows": [(row, own[row.pk]) for row in rows], "total": waiting.count() if rows else 0}


@register.simple_tag(takes_context=True)
def shell(context: Context) -> navigation.Shell:
    """Return what the frame of a page shows: the reader's organisations and where they may go."""
    request = context["request"]
    return navigation.shell(request=request, organisation=context.get("organisation"))
