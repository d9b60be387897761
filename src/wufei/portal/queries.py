"""
What is published? The one place that says so; the public's pages read nothing beside it.

A round is published when its call is, a notice when it was put up, a title when it is in the register, its end
when it was announced, a draw with its commitment, an agency when it is recommended or excluded. Who objected, what is not decided, and who judged are not.
"""

import hmac
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Prefetch, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform

from wufei.catalogue.working_days import YearNotLoaded, working_days_between
from wufei.reviews import draw as drawing
from wufei.reviews.models import (
    AgencyExclusion,
    AgencyMark,
    Draw,
    NoticeItem,
    Objection,
    PublicNotice,
    Round,
    RoundDocument,
    Title,
    TitleEvent,
)
from wufei.reviews.queries import agencies, register
from wufei.reviews.queries.targets import Programme

HOLDING = (TitleEvent.Kind.GRANTED, TitleEvent.Kind.RENAMED, TitleEvent.Kind.REORGANISED)

# ---- calls ------------------------------------------------------------------------------


def calls(*, on: date, only_open: bool = False, text: str = "") -> QuerySet[Round]:
    """Return the published rounds, the newest first."""
    rows = Round.objects.filter(published_at__isnull=False).select_related("authority")
    if only_open:
        rows = rows.filter(Q(submission_deadline=None) | Q(submission_deadline__gte=on), closed_at=None)
    if text:
        rows = rows.filter(Q(title__icontains=text) | Q(authority__name__icontains=text))
    return rows.order_by("-published_at", "-pk")


def is_open(round_: Round, *, on: date) -> bool:
    """Return whether cases may still be handed in to a published round."""
    deadline = round_.submission_deadline
    return round_.closed_at is None and (deadline is None or on <= deadline)


def call(*, pk: int) -> Round | None:
    """Return a published round with its public documents, its notices and its draws."""
    rows = Round.objects.filter(published_at__isnull=False).select_related("authority")
    public = RoundDocument.objects.filter(is_public=True).order_by("pk")
    return rows.prefetch_related(
        Prefetch("documents", public, to_attr="public_documents"),
        Prefetch("notices", PublicNotice.objects.order_by("-pk"), to_attr="put_up"),
        Prefetch("draws", Draw.objects.order_by("-pk"), to_attr="committed"),
    ).filter(pk=pk).first()  # fmt: skip


def document(*, round_id: int, document_id: int) -> RoundDocument | None:
    """Return a file of a published round that is marked public."""
    rows = RoundDocument.objects.filter(round_id=round_id, round__published_at__isnull=False, is_public=True)
    return rows.filter(pk=document_id).first()


# ---- notices ----------------------------------------------------------------------------


def notices(*, on: date, state: str = "", text: str = "") -> QuerySet[PublicNotice]:
    """Return the notices that were put up, those that run first; each with `listed`, how many stand in it."""
    rows = PublicNotice.objects.select_related("round__authority").annotate(
        listed=Count("items", filter=Q(items__removed_at=None))
    )
    if state == "running":
        rows = rows.filter(ends_on__gte=on)
    elif state == "past":
        rows = rows.filter(ends_on__lt=on)
    if text:
        named = NoticeItem.objects.filter(name_shown__icontains=text).values("notice_id")
        rows = rows.filter(Q(title__icontains=text) | Q(pk__in=named))
    return rows.order_by("-ends_on", "-pk")


def notice(*, pk: int) -> PublicNotice | None:
    """Return a notice with its extensions."""
    rows = PublicNotice.objects.select_related("round__authority").prefetch_related("extensions")
    return rows.filter(pk=pk).first()


def items(*, of: PublicNotice, text: str = "") -> QuerySet[NoticeItem]:
    """Return what stands in the notice; one that was removed stays to be seen, its reason does not."""
    rows = NoticeItem.objects.filter(notice=of).select_related("application").defer("removed_reason")
    return (rows.filter(name_shown__icontains=text) if text else rows).order_by("position")


def item(*, notice_id: int, position: int) -> NoticeItem | None:
    """Return what stands at the position of the notice."""
    rows = NoticeItem.objects.filter(notice_id=notice_id, position=position)
    return rows.select_related("notice__round__authority").first()


def days_left(of: PublicNotice, *, on: date) -> int | None:
    """Return how many working days are left, today among them; None: the calendar of a year is not loaded."""
    try:
        return working_days_between(max(on - timedelta(days=1), of.begins_on), of.ends_on)
    except YearNotLoaded:
        return None


def objection(*, code: str, contact: str) -> Objection | None:
    """Return the objection of that code to whoever knows the contact that came with it."""
    row = Objection.objects.filter(code=code.strip().upper()).select_related("item__notice").first()
    given = _plain(contact)
    kept = _plain(row.objector_contact) if row is not None else ""
    same = hmac.compare_digest(given.encode(), kept.encode())
    return row if row is not None and kept and same else None


def _plain(contact: str) -> str:
    """Return a contact as it is compared: without spaces, hyphens, brackets, width and case."""
    return re.sub(r"[\s()-]", "", unicodedata.normalize("NFKC", contact)).casefold()


# ---- the register -----------------------------------------------------------------------


def titles(*, at: date, **narrowed: Any) -> Any:
    """Return the register as of the day; see `reviews.queries.register.titles`."""
    return register.titles(at=at, **narrowed)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened to a title, as far as it was announced."""

    event: TitleEvent
    cause: str  # in the words of the rule; "" where there is none
    words: str  # of the announcement


def history(title: Title) -> list[Happening]:
    """Return who held the title and how it ended; warnings and re-evaluations are nobody else's matter."""
    said = {each.ref: each.says for each in register.causes(title=title)}
    rows = title.events.filter(kind__in=(*HOLDING, *register.ENDING)).order_by("on", "pk")
    return [_happening(event, said) for event in rows]


def _happening(event: TitleEvent, said: dict[str, str]) -> Happening:
    is_announced = event.kind in register.ENDING and event.announced_at is not None
    cause = said.get(event.cause.partition("#")[0], event.cause) if is_announced else ""
    return Happening(event, cause, event.words if is_announced else "")


def ended(*, on: date) -> QuerySet[TitleEvent]:
    """Return the announced removals and revocations, the newest first."""
    rows = TitleEvent.objects.filter(kind__in=register.ENDING, announced_at__isnull=False, on__lte=on)
    return rows.select_related("title").order_by("-on", "-pk")


# ---- typical cases ----------------------------------------------------------------------


def cases(*, of: Iterable[Programme], on: date, text: str = "") -> Any:
    """Return the titles of the programmes that have targets, each with `case_title`, those ended left out."""
    editions = {edition.id for programme in of for edition in programme.editions}
    rows = titles(at=on, text=text).filter(edition__in=editions, ended_as=None)
    return rows.annotate(
        case_title=KeyTextTransform("title", "application__submission__content__texts")
    ).order_by("-year", "number")


# ---- third-party agencies ---------------------------------------------------------------


def recommended_agencies(
    *, text: str = "", authority: str = "", year: int | None = None
) -> QuerySet[AgencyMark]:
    """Return who stands on the recommended lists; what was judged and not recommended does not."""
    rows = agencies.published_marks().defer("words")
    if year:
        rows = rows.filter(year=year)
    return _named(rows, text, authority)


def excluded_agencies(
    *, text: str = "", authority: str = "", year: int | None = None
) -> QuerySet[AgencyExclusion]:
    """Return whose leave to evaluate was taken."""
    rows = agencies.exclusions()
    if year:
        rows = rows.filter(on__year=year)
    return _named(rows, text, authority, Q(cause__icontains=text))


def _named(rows: Any, text: str, authority: str, or_: Q = Q(pk__in=[])) -> Any:  # noqa: B008 - never changed
    if authority:
        rows = rows.filter(authority__uscc=authority)
    if text:
        rows = rows.filter(Q(agency__name__icontains=text) | Q(agency__uscc__icontains=text) | or_)
    return rows


def issuers(rows: Any) -> list[tuple[str, str]]:
    """Return the authorities of such rows: code and name."""
    found = rows.order_by("authority__name").values_list("authority__uscc", "authority__name").distinct()
    return list(found)


# ---- draws ------------------------------------------------------------------------------


def draws(*, text: str = "") -> QuerySet[Draw]:
    """Return the draws of published rounds, the newest first."""
    rows = Draw.objects.filter(round__published_at__isnull=False).select_related("round__authority")
    return (rows.filter(round__title__icontains=text) if text else rows).order_by("-pk")


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """One who was drawn, with the line whose SHA-256 is the key."""

    number: str
    field: str
    line: str
    key: str


def redone(draw: Draw) -> list[DrawnLine]:
    """Return the draw made anew from what is published of it; empty while the seed is not."""
    if draw.revealed_at is None:
        return []
    candidates = [drawing.Candidate(row["number"], tuple(row["fields"])) for row in draw.candidates]
    found = drawing.draw(
        candidates, seed=draw.seed, number=draw.number, per_field=draw.per_field or None
    )  # fmt: skip
    return [
        DrawnLine(each.number, each.field, f"{draw.seed}|{each.field}|{each.number}", each.key)
        for each in found
    ]


def is_superseded(draw: Draw) -> bool:
    """Return whether another draw of the stage came before this one's seed was published."""
    later = Draw.objects.filter(round=draw.round_id, stage=draw.stage, pk__gt=draw.pk)
    return draw.revealed_at is None and later.exists()
