"""What reads editions, declarations and judgements; assembles the dossier and has it judged."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from wufei.indicators import queries as indicator_queries
from wufei.indicators.definitions import INDICATORS
from wufei.indicators.figure import Figure
from wufei.policies import loading
from wufei.policies.criteria import Evaluation, judge
from wufei.policies.dossier import (
    YEARS_BACK,
    DeclaredAnswer,
    Dossier,
    JudgedAnswer,
    Requirements,
    ScoreRange,
    Stated,
)
from wufei.policies.edition import Edition, FigureThreshold, StatedThreshold, leaves
from wufei.policies.loading import BrokenEditions, Fault
from wufei.policies.models import Declaration, Judgement, RequirementSet, StatedValue
from wufei.registry.models import Organisation

KNOWN_INDICATORS = frozenset(INDICATORS)

_Likeness = tuple[tuple[str, int, int], ...]  # path, time of change, size

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _LastSound:
    """The editions as they were last read without a fault, and what the files were like when last looked at."""

    folders: list[Path]
    seen: _Likeness
    editions: dict[str, Edition]


_last_sound: _LastSound | None = None


class UnknownEdition(LookupError):
    """There is no edition of that id."""


def _folders() -> list[Path]:
    return [loading.OURS, *settings.EDITION_FOLDERS]


def known_editions() -> dict[str, Edition]:
    """
    Return every edition at hand by id; files are read again when one of them changes.

    Where a file was broken since, the editions stay as they last were, and the faults are logged once.

    :raises BrokenEditions: if a file is no sound edition, and they never all were in this process
    """
    global _last_sound  # a cache, valid for what the files were like
    folders, last = _folders(), _last_sound
    held = last if last is not None and last.folders == folders else None
    seen = tuple(_likeness(path) for folder in folders for path in sorted(folder.glob("*.yaml")))
    if held is not None and held.seen == seen:
        return held.editions
    try:
        editions = loading.load_editions(folders, known_indicators=KNOWN_INDICATORS)
    except BrokenEditions as broken:
        if held is None:
            raise
        for fault in broken.faults:
            log.error("政策版本文件有错，仍按改动前的版本运行：%s", fault)
        editions = held.editions
    _last_sound = _LastSound(folders, seen, editions)
    return editions


def _likeness(path: Path) -> tuple[str, int, int]:
    try:
        found = path.stat()
    except OSError:  # a link to nowhere, or gone meanwhile: who reads it says so
        return str(path), 0, 0
    return str(path), found.st_mtime_ns, found.st_size


def edition(edition_id: str) -> Edition:
    """
    Return the edition.

    :raises UnknownEdition: if there is none of that id
    """
    found = known_editions().get(edition_id)
    if found is None:
        raise UnknownEdition(edition_id)
    return found


def check_file(path: Path) -> list[Fault]:
    """Return the faults of an edition's file; what it extends is also looked for among those at hand."""
    return loading.check_file(path, folders=settings.EDITION_FOLDERS, known_indicators=KNOWN_INDICATORS)


def declaration_items() -> dict[str, tuple[str, ...]]:
    """Return each declaration item that the editions at hand ask for, with the registers to look into."""
    return loading.declaration_items(known_editions().values())


def evaluation(*, organisation: Organisation, edition_id: str, year: int, on: date) -> Evaluation:
    """
    Judge the organisation by the edition, with what is known of it.

    :raises UnknownEdition: if there is none of that id
    """
    asked = edition(edition_id)
    return judge(asked, dossier(organisation=organisation, edition=asked, year=year, on=on))


def dossier(*, organisation: Organisation, edition: Edition, year: int, on: date) -> Dossier:
    """Return what is known of the organisation as far as the edition may ask for it."""
    years_back = edition.years_back(on) or YEARS_BACK
    facts: dict[str, str | date] = {"kind": organisation.kind, "division_code": organisation.division_code}
    if organisation.established_on:
        facts["established_on"] = organisation.established_on
    return Dossier(
        subject=organisation.uscc,
        year=year,
        on=on,
        figures=_figures(organisation, edition, year, years_back),
        declarations={
            (row.item, row.year): DeclaredAnswer(answer=row.answer, basis=row.basis, source=row.source)
            for row in Declaration.objects.filter(organisation=organisation, year__lte=year)
        },
        judgements=_judgements(organisation, edition, year),
        stated={
            (row.item, row.year): Stated(value=row.value, basis=row.basis)
            for row in StatedValue.objects.filter(organisation=organisation, year__lte=year)
        },
        facts=facts,
        requirements=_requirements(organisation, edition, on),
        years_back=years_back,
    )


def _figures(
    organisation: Organisation, edition: Edition, year: int, years_back: int
) -> dict[tuple[str, int], Figure]:
    offsets = [0]
    for criterion in edition.criteria:
        for leaf in leaves(criterion.test) if criterion.test else ():
            if isinstance(leaf, FigureThreshold | StatedThreshold):
                offsets.append(leaf.year_offset)
    found: Iterable[Figure] = indicator_queries.figures(
        organisation=organisation,
        from_year=year + min(offsets),
        to_year=year,
        include_integrity=True,
        span=years_back,
    )
    return {
        (figure.indicator, figure.year): figure
        for figure in found
        if figure.stream is None and (figure.dimension is None or figure.indicator == "main_product_output")
    }


def _judgements(
    organisation: Organisation, edition: Edition, year: int
) -> dict[tuple[str, str], JudgedAnswer]:
    rows = Judgement.objects.filter(organisation=organisation, edition=edition.id, year=year)
    return {
        (row.criterion, row.question): JudgedAnswer(
            answer=row.answer,
            reason=row.reason,
            judged_by=str(row.judged_by),
            judged_on=timezone.localdate(row.judged_at),
        )
        for row in rows.select_related("judged_by").order_by("pk")  # the latest of a question counts
    }


def _requirements(organisation: Organisation, edition: Edition, on: date) -> Requirements | None:
    """Return the requirement set in force of the organisation's industry; the closest edition's counts."""
    if not edition.industry_requirements or not organisation.industry_code:
        return None
    lineage, above = [edition.id], edition.extends
    while above:
        lineage.append(above)
        above = known_editions()[above].extends
    rows = RequirementSet.objects.filter(
        edition__in=lineage, industry_code=organisation.industry_code, in_force_from__lte=on
    ).order_by("in_force_from")
    by_edition = {row.edition: row for row in rows}
    row = next((by_edition[id_] for id_ in lineage if id_ in by_edition), None)
    if row is None:
        return None
    return Requirements(
        name=row.name,
        industry_code=row.industry_code,
        in_force_from=row.in_force_from,
        source=row.source,
        is_illustrative=row.is_illustrative,
        ranges={
            key: ScoreRange(baseline=Decimal(value["baseline"]), leading=Decimal(value["leading"]))
            for key, value in row.values.items()
        },
    )
