"""What the pages of tracking write: coordinates, lengths of ways and of time."""

from datetime import datetime, timedelta

from django import template
from django.utils.translation import gettext as _

from wufei.tracking.incidents import KIND_LABELS, AlertKind
from wufei.tracking.models import Alert

register = template.Library()


@register.filter
def degrees_of(udeg: int | None, ends: str) -> str:
    """
    Write micro-degrees to a metre: to five places.

    >>> degrees_of(29_028_126, "NS"), degrees_of(-500_000, "EW"), degrees_of(None, "NS")
    ('29.02813°N', '0.50000°W', '—')
    """
    if udeg is None:
        return "—"
    whole, part = divmod(round(abs(udeg) / 10), 100_000)
    return f"{whole}.{part:05d}°{ends[0] if udeg >= 0 else ends[1]}"


@register.filter
def kilometres(metres: int | None) -> str:
    """
    Write metres as people say them.

    >>> kilometres(850), kilometres(104_960), kilometres(None)
    ('850 米', '105.0 公里', '—')
    """
    if metres is None:
        return "—"
    return f"{metres} 米" if metres < 1000 else f"{metres / 1000:,.1f} 公里"


@register.filter
def lasted(span: timedelta | None) -> str:
    """
    Write a length of time to the minute.

    >>> lasted(timedelta(minutes=80)), lasted(timedelta(seconds=20)), lasted(timedelta(days=3, hours=1, minutes=5))
    ('1 小时 20 分', '不到 1 分', '3 天 1 小时')
    """
    if span is None:
        return "—"
    minutes = int(span.total_seconds()) // 60
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    if days:
        return f"{days} 天" + (f" {hours} 小时" if hours else "")
    if hours:
        return f"{hours} 小时" + (f" {minutes} 分" if minutes else "")
    return f"{minutes} 分" if minutes else "不到 1 分"


@register.filter
def since(at: datetime | None, now: datetime) -> str:
    """Write how long ago it was."""
    return lasted(now - at) if at is not None else "—"


@register.filter
def alert_label(kind: str) -> str:
    return _(KIND_LABELS[AlertKind(kind)])


@register.filter
def lasting(alert: Alert, now: datetime) -> str:
    """Write how long what was noticed lasted, or has lasted by now."""
    return lasted((alert.ended_at or now) - alert.began_at)
