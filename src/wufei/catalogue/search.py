"""
Which wastes, industries and divisions match what was typed?

One search by code, by part of a name, and by pinyin initials (fmh → 粉煤灰), ranked. Initials
are precomputed in `data/pinyin-initials.csv`; only imported names are computed at load.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum, auto
from functools import cache
from pathlib import Path

from wufei.catalogue import tables
from wufei.catalogue.divisions import divisions, path_names
from wufei.catalogue.hazardous_list import PREFIX
from wufei.catalogue.industries import industries, industries_named
from wufei.catalogue.waste_codes import look_up_waste_code, normal_form, waste_entries
from wufei.catalogue.waste_entries import WasteEntry

INITIALS_FILE = "pinyin-initials.csv"
INITIALS_COLUMNS = ("kind", "code", "initials")


class Kind(StrEnum):
    WASTE = auto()
    INDUSTRY = auto()
    DIVISION = auto()


class Rank(IntEnum):
    """How a hit was found, best first."""

    CODE = 0
    CODE_PREFIX = auto()
    NAME = auto()
    NAME_PREFIX = auto()
    INITIALS = auto()
    INITIALS_PREFIX = auto()
    NAME_PART = auto()
    INITIALS_PART = auto()
    CONTEXT = auto()  # the category's name, the industry or the path


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    kind: Kind
    code: str
    name: str
    context: str  # category and industry of a waste, path of a division, level of an industry
    edition: str
    is_verified: bool  # in the edition that holds now
    source: str
    rank: Rank
    notices: tuple[str, ...] = ()  # of a waste: retired, successor not loaded, unverified


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    hits: tuple[Hit, ...]  # at most `limit`, best first
    total: int  # how many matched
    limit: int


@dataclass(frozen=True, slots=True)
class _Card:
    """What one entry can be found by."""

    kind: Kind
    code: str
    name: str
    initials: str
    context: str
    edition: str
    is_verified: bool
    source: str
    category: str


def initials_of(name: str) -> str:
    """
    Return the pinyin initials of a name; what is neither letter nor digit becomes one space.

    >>> initials_of("粉煤灰"), initials_of("废酸、废碱")
    ('fmh', 'fs fj')
    """
    from pypinyin import Style, lazy_pinyin  # slow import, needed only for imported names

    letters = "".join(lazy_pinyin(name, style=Style.FIRST_LETTER)).lower()
    kept = "".join(letter if letter.isascii() and letter.isalnum() else " " for letter in letters)
    return " ".join(kept.split())


def searchable_names(*, data_dir: Path | None = None) -> Iterator[tuple[Kind, str, str]]:
    """Yield kind, code and name of everything that can be found."""
    for waste in waste_entries(data_dir=data_dir):
        yield Kind.WASTE, waste.code, waste.name
    for industry in industries().values():
        yield Kind.INDUSTRY, industry.code, industry.name
    for division in divisions().values():
        yield Kind.DIVISION, division.code, division.name


@cache
def _shipped_initials() -> dict[tuple[str, str], str]:
    path = tables.SHIPPED / INITIALS_FILE
    rows = tables.read_rows(path, INITIALS_COLUMNS)
    return {(row["kind"], row["code"]): row["initials"] for _, row in rows}


@cache
def _cards(folder: Path | None, signature: tables.Signature) -> tuple[_Card, ...]:
    data_dir = folder.parent if folder is not None else None
    return (*_waste_cards(data_dir), *_industry_cards(), *_division_cards())


def _waste_cards(data_dir: Path | None) -> Iterator[_Card]:
    for waste in waste_entries(data_dir=data_dir):
        yield _Card(
            Kind.WASTE,
            waste.code,
            waste.name,
            _waste_initials(waste),
            f"{waste.category} {waste.category_name} {waste.industry}".strip(),
            waste.edition,
            waste.is_verified,
            waste.source,
            waste.category,
        )


def _waste_initials(waste: WasteEntry) -> str:
    shipped = _shipped_initials().get((Kind.WASTE, waste.code))
    is_shipped = shipped is not None and not waste.source.startswith("管理员导入")
    return shipped if is_shipped and shipped is not None else initials_of(waste.name)


def _industry_cards() -> Iterator[_Card]:
    labels = {"division": "大类", "group": "中类"}
    for industry in industries().values():
        initials = _shipped_initials()[Kind.INDUSTRY, industry.code]
        context = f"{labels[industry.level]} {industry.section}"
        yield _Card(
            Kind.INDUSTRY,
            industry.code,
            industry.name,
            initials,
            context,
            industry.edition,
            industry.is_verified,
            industry.source,
            industry.section,
        )


def _division_cards() -> Iterator[_Card]:
    for division in divisions().values():
        initials = _shipped_initials()[Kind.DIVISION, division.code]
        yield _Card(
            Kind.DIVISION,
            division.code,
            division.name,
            initials,
            "".join(path_names(division.code)),
            division.edition,
            division.is_verified,
            division.source,
            "",
        )


def search(
    text: str = "",
    *,
    kinds: Collection[Kind | str] = tuple(Kind),
    industry: str = "",
    limit: int = 20,
    data_dir: Path | None = None,
) -> SearchResult:
    """
    Return what matches the text, best first: by rank, then shorter names, then code.

    `industry` (a code of 2 or 3 digits, or part of a name) keeps only wastes of that industry,
    whose codes begin with it; with an empty text it lists them all. An empty search finds
    nothing.

    :raises ValueError: if limit is less than 1
    """
    if limit < 1:
        raise ValueError(f"The limit is at least 1, not {limit}.")
    folder = tables.imported_folder(data_dir)
    cards = _cards(folder, tables.signature(folder, PREFIX))
    of_industry = _industry_filter(industry.strip())
    rank = _ranking(text)
    wanted = {str(kind) for kind in kinds}
    found = [
        (found_by, len(card.name), card.code, card)
        for card in cards
        if card.kind in wanted and of_industry(card) and (found_by := rank(card)) is not None
    ]
    if not text.strip() and not industry.strip():
        found = []
    found.sort(key=lambda match: match[:3])
    hits = tuple(_hit(card, by, data_dir) for by, _, _, card in found[:limit])
    return SearchResult(hits=hits, total=len(found), limit=limit)


def _industry_filter(industry: str) -> Callable[[_Card], bool]:
    if not industry:
        return lambda card: True
    if industry.isdecimal():
        codes: tuple[str, ...] = (industry,)
    else:
        codes = tuple(i.code for i in industries_named(industry))
    # a waste code begins with the three digits of its industry
    return lambda card: (
        card.kind is Kind.WASTE
        and card.code != card.category
        and (card.code.startswith(codes) if codes else industry in card.context)
    )


def _ranking(text: str) -> Callable[[_Card], Rank | None]:
    """Return the function that says how a card is found by the text."""
    name, code = text.strip(), normal_form(text)
    digits = code.replace("-", "")
    initials = code.lower() if code.isascii() and code.isalpha() else ""

    def rank(card: _Card) -> Rank | None:
        if not name:
            return Rank.CONTEXT
        ways = _ways(card, name, code, digits, initials)
        return next((way for way, is_found in ways if is_found), None)

    return rank


def _ways(card: _Card, name: str, code: str, digits: str, initials: str) -> Iterator[tuple[Rank, bool]]:
    """Yield each way to find the card, best first, and whether it does."""
    plain = card.code.replace("-", "")
    yield Rank.CODE, plain == digits
    yield Rank.CODE_PREFIX, bool(digits) and (plain.startswith(digits) or card.category == code)
    yield Rank.NAME, card.name == name
    yield Rank.NAME_PREFIX, card.name.startswith(name)
    yield Rank.INITIALS, bool(initials) and card.initials == initials
    yield Rank.INITIALS_PREFIX, bool(initials) and card.initials.startswith(initials)
    yield Rank.NAME_PART, name in card.name
    # one letter stands in nearly every name
    yield Rank.INITIALS_PART, len(initials) > 1 and initials in card.initials
    yield Rank.CONTEXT, name in card.context and card.kind is not Kind.DIVISION


def _hit(card: _Card, rank: Rank, data_dir: Path | None) -> Hit:
    notices: tuple[str, ...] = ()
    is_verified = card.is_verified
    if card.kind is Kind.WASTE:
        # Of the edition that holds now: a row verified in an older table is no longer a verified answer.
        read = look_up_waste_code(card.code, data_dir=data_dir)
        notices, is_verified = read.notices, read.is_verified
    return Hit(
        kind=card.kind,
        code=card.code,
        name=card.name,
        context=card.context,
        edition=card.edition,
        is_verified=is_verified,
        source=card.source,
        rank=rank,
        notices=notices,
    )
