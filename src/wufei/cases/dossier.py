"""
What is a case file filled from?

Plain data, gathered by `queries`: who applies, what the person wrote, what the ledger says, what was
stated, what the edition's form asks for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from wufei.cases.case_file import Attachment
from wufei.indicators.facts import Product
from wufei.indicators.figure import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class FormSpec:
    """What an edition's form asks for; all of it data of the edition."""

    template: str  # "": the edition has no form of its own
    subject_word: str  # 园区 / 企业
    is_park: bool
    year: int
    production_years: tuple[int, ...]
    waste_years: tuple[int, ...]
    body_limit: int
    self_description_limit: int
    brief_description_limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    uscc: str
    name: str
    industry_code: str = ""
    division_code: str = ""
    address: str = ""
    head: str = ""
    contact: str = ""
    phone: str = ""
    fax: str = ""
    email: str = ""
    website: str = ""
    site_area_m2: Decimal | None = None
    employee_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What the applicant wrote into the draft."""

    title: str = ""
    brief_description: str = ""
    plan: str = ""
    practices: str = ""
    results: str = ""
    innovation: str = ""
    conditions: str = ""
    self_description: str = ""
    leading_industry: str = ""
    filler_name: str = ""
    filler_title: str = ""
    filler_phone: str = ""
    head_mobile: str = ""
    contact: str = ""
    phone: str = ""
    email: str = ""
    above_scale_count: int | None = None
    filed_on: date | None = None

    @property
    def body(self) -> str:
        """申报材料: what the limit of the body is held against."""
        parts = (self.title, self.plan, self.practices, self.results, self.innovation, self.conditions)
        return "\n".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of a park, with what it stated for the years of the form."""

    uscc: str
    name: str
    industry_code: str = ""
    output_values: Mapping[int, Decimal] = field(default_factory=dict)  # 万元, by year; absent: not stated


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """One of the largest generators of a park."""

    uscc: str
    name: str
    industry_code: str
    products: tuple[Product, ...]
    output_value: Figure
    generation: Figure
    utilisation: Figure
    rate: Figure


class Figures:
    """Figures by what they are of; a figure that was not computed is a fault of ours, not a zero."""

    def __init__(self, figures: Iterable[Figure]):
        self._figures = tuple(figures)
        self._by_key = {(f.indicator, f.year, f.stream, f.dimension): f for f in self._figures}

    def of(
        self, indicator: str, year: int, *, stream: str | None = None, dimension: str | None = None
    ) -> Figure | None:
        return self._by_key.get((indicator, year, stream, dimension))

    def cuts(self, indicator: str, years: Sequence[int]) -> list[Figure]:
        """Return the figures of the indicator that are of one stream or dimension, in the years."""
        return [
            f for f in self._figures
            if f.indicator == indicator and f.year in years and (f.stream or f.dimension) is not None
        ]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    spec: FormSpec
    applicant: Applicant
    texts: Texts
    figures: Figures
    products: Mapping[int, tuple[Product, ...]] = field(default_factory=dict)
    stream_names: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[int, tuple[Member, ...]] = field(default_factory=dict)  # of a park, by year
    largest: tuple[Generator, ...] = ()  # the largest generators, largest first
    attachments: tuple[Attachment, ...] = ()
