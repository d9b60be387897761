"""What the pages of the shop floor write: masses of one container, as a scale shows them."""

from decimal import Decimal

from django import template
from django.utils.translation import gettext as _

from wufei.shopfloor.models import Reading
from wufei.shopfloor.reading import Refused
from wufei.shopfloor.wording import READING_TEXT, words_of_waiting
from wufei.terms.mass import GRAMS_PER_UNIT

register = template.Library()


@register.filter
def kilograms(grams: int | None) -> str:
    """
    Write grams as 千克, exactly.

    >>> kilograms(12_340), kilograms(60_000), kilograms(1), kilograms(None)
    ('12.34', '60', '0.001', '—')
    """
    if grams is None:
        return "—"
    text = f"{Decimal(grams) / GRAMS_PER_UNIT['千克']:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@register.filter
def why(row: Reading) -> str:
    """Return why the reading was refused, or why it waits for a person; "" where neither is so."""
    if row.refusal:
        return _(READING_TEXT[Refused(row.refusal)])
    is_waiting = getattr(row, "use", None) is None
    return _(words_of_waiting(row.waits_because)) if row.waits_because and is_waiting else ""


@register.filter
def raw(row: Reading) -> str:
    """Return the net weight as the scale wrote it, where it means nothing."""
    return f"{row.said.get('net', '')} {row.said.get('unit', '')}"
