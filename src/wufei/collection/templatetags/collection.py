"""What the pages of small generators write: masses of a few drums in 千克, and words for what is known."""

from decimal import Decimal

from django import template

from wufei.collection.months import Word
from wufei.collection.queries import LACK_TEXT
from wufei.collection.wording import WORD_TEXT
from wufei.terms.mass import GRAMS_PER_UNIT

register = template.Library()


@register.filter
def kg(grams: int | None) -> str:
    """
    Write grams as 千克, exactly; what is unknown says so.

    >>> kg(12_340), kg(60_000), kg(1), kg(0), kg(None)
    ('12.34', '60', '0.001', '0', '未知')
    """
    if grams is None:
        return "未知"
    text = f"{Decimal(grams) / GRAMS_PER_UNIT['千克']:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@register.filter
def word(said: Word | str) -> str:
    """Return what is known of a month in words."""
    return WORD_TEXT[Word(said)]


@register.filter
def lack(code: str) -> str:
    """Return why the collector may not take a waste; "" where it may."""
    return LACK_TEXT.get(code, "")
