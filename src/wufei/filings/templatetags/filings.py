"""What is a kind of movement called where a frozen disclosure names it?"""

from django import template

from wufei.ledger.kinds import LABELS, Kind

register = template.Library()


@register.filter
def kind_label(kind: str) -> str:
    """
    Return the words of a kind.

    >>> kind_label("OWN_DISPOSAL")
    '自行处置'
    """
    return LABELS[Kind(kind)]
