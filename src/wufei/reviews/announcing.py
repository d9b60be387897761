"""What does the public announcement of a removal or a revocation say?"""

from datetime import date

HEADINGS = {"REMOVED": "关于将{holder}移出{title}名单的公告", "REVOKED": "关于撤销{holder}{title}称号的公告"}
ENDINGS = {"REMOVED": "现将其移出{title}名单", "REVOKED": "现撤销其{title}称号"}


def heading(*, kind: str, holder: str, title: str) -> str:
    """Return the heading of the announcement."""
    return HEADINGS[kind].format(holder=holder, title=title)


def announcement(
    *,
    kind: str,
    holder: str,
    title: str,
    number: str,
    authority: str,
    on: date,
    cause: str,
    bars_until: date | None,
) -> str:
    """Return the text that is proposed; the officer may change it before it is announced."""
    said = (
        f"{holder}（{title}，编号{number}）：经查，适用{cause.rstrip('。')}。"
        f"{ENDINGS[kind].format(title=title)}，自{_day(on)}起生效。"
    )
    if bars_until is not None:
        said += f"该单位（含更名或重新设立后的单位）在{_day(bars_until)}及以前不得重新申报。"
    return f"{said}\n\n{authority}\n{_day(on)}"


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
