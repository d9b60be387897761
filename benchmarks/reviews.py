"""
A round of 20,000 cases and 300 experts: assigning, ranking with normalisation and ties, and every list page.

The rows are written past the services, in bulk, as a season would have left them; what is measured goes
through the services and queries that the pages call.
"""

import random
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from benchmarks import pages, reviews_season
from benchmarks.reviews_season import DISTRICTS

CASES, EXPERTS, REQUESTS = 20_000, 300, 30
EDITION = "miit-2025-539-enterprise"
NOW = datetime(2026, 7, 1, 2, 0, tzinfo=UTC)
INDUSTRIES = 40  # groups, each with as many peers
TEXTS, CHARACTERS = 200, 1_600  # written by a hundred applicants each: more alike than any year's
GIVEN = (
    "本单位严格执行固体废物污染环境防治的各项制度，分类收集、规范贮存、如实记录。" * 3
)  # as a form gives the words
WORDS = ("固体废物资源化", "冶金", "建材", "化工", "能源", "清洁生产", "园区管理", "信息化")


def measure(cases: int = CASES, experts: int = EXPERTS) -> dict[str, Any]:
    """Build the round, assign, score, rank, let the season pass; return seconds and the spread of the loads."""
    import django  # the settings are chosen by the environment of this process

    django.setup()
    from wufei.registry.services import operator  # app ready
    from wufei.reviews.queries.ranking import ranking
    from wufei.reviews.services.assignments import assign_cases

    chance = random.Random(20260701)
    by = operator()
    round_ = _round(cases, experts, chance, by)
    given, assigning = _timed(lambda: assign_cases(round_=round_, by=by, now=NOW))
    _score(round_, chance)
    found, first = _timed(lambda: ranking(round_=round_))
    again = [_timed(lambda: ranking(round_=round_))[1] for _ in range(4)]
    reviews_season.fill(ministry_round=round_, now=NOW, by=by, chance=chance)
    return {
        "cases": cases, "experts": experts, "assignments": given.assignments, "assigning_s": assigning[0], "assigning_cpu_s": assigning[1],
        "smallest_load": given.smallest_load, "largest_load": given.largest_load, "mismatches": given.mismatches,
        "ranked": len(found.rows), "tied": sum(bool(row.decided_by) or row.is_shared for row in found.rows),
        "ranking_s": [each[0] for each in (first, *again)], "ranking_cpu_s": [each[1] for each in (first, *again)],
    }  # fmt: skip


def look() -> list[dict[str, Any]]:
    """Measure every list page as whoever reads it; the store knows first what it holds."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return pages.measured((pages.Page(*said) for said in reviews_season.pages()), REQUESTS, warm_up=1)


def _timed(call: Callable[[], Any]) -> tuple[Any, tuple[float, float]]:
    """Return what the call returned, and its seconds by the clock and on the processor."""
    began, worked = time.perf_counter(), time.process_time()
    result = call()
    return result, (round(time.perf_counter() - began, 2), round(time.process_time() - worked, 2))


def _round(cases: int, experts: int, chance: random.Random, by: Any) -> Any:
    from wufei.cases.models import Submission
    from wufei.cases.services.comparing import keep_comparable
    from wufei.policies import queries as policy_queries
    from wufei.registry.models import Organisation, User
    from wufei.reviews.models import Application, Draw, Expert, ExpertTie, Round
    from wufei.reviews.queries.experts import expert_stage

    edition = policy_queries.edition(EDITION)
    assert edition.scoring is not None
    stage = expert_stage(edition=edition).id
    authority = Organisation.objects.create(
        uscc="11000000BENCHMARK0", name="工业和信息化部", kind="AUTHORITY", division_code="000000", branch="INDUSTRY",
        created_at=NOW,
    )  # fmt: skip
    round_ = Round.objects.create(
        uid=uuid.UUID(int=1), edition=EDITION, year=2026, authority=authority, title="基准测试", opened_at=NOW,
        opened_by=by, published_at=NOW, published_by=by,
    )  # fmt: skip
    works = Organisation.objects.bulk_create(
        (
            Organisation(
                uscc=f"91500110B{n:09d}",
                name=f"第{n}厂",
                kind="ENTERPRISE",
                division_code=DISTRICTS[n % len(DISTRICTS)],
                industry_code=f"{n % INDUSTRIES + 100:03d}1",
                created_at=NOW,
            )
            for n in range(cases)
        ),
        batch_size=5_000,
    )
    written = _written(chance)
    submissions = Submission.objects.bulk_create(
        (
            Submission(
                organisation=each, name_given=each.name, edition=EDITION, year=2025, number=1,
                content=_content(chance, written), content_sha256="0" * 64, submitted_at=NOW, submitted_by=by,
            )
            for each in works
        ),
        batch_size=2_000,
    )  # fmt: skip
    keep_comparable(submissions=submissions)
    Application.objects.bulk_create(
        (
            Application(
                round=round_, organisation=each.organisation, submission=each, code=f"2026-001-{n:05d}",
                district_code=each.organisation.division_code, stage=stage, stage_since=NOW, is_direct=False,
            )
            for n, each in enumerate(submissions)
        ),
        batch_size=5_000,
    )  # fmt: skip
    people = User.objects.bulk_create(
        User(username=f"expert{n}", password="!")
        for n in range(experts)  # nobody signs in
    )
    pool = Expert.objects.bulk_create(
        Expert(
            pool=authority, user=user, number=f"Z{n:03d}", employer_name=f"第{n}院", entered_at=NOW, entered_by=by,
            fields=sorted(chance.sample(edition.scoring.expert_fields, 2)),
        )
        for n, user in enumerate(people)
    )  # fmt: skip
    ExpertTie.objects.bulk_create(
        ExpertTie(expert=each, uscc=other.uscc, kind="ADVISER", declared_at=NOW, declared_by=by)
        for each in pool
        for other in chance.sample(works, min(10, len(works)))
    )
    Draw.objects.create(
        round=round_, stage=stage, number=experts, commitment="0" * 64, committed_at=NOW, committed_by=by, seed="x",
        drawn=[each.number for each in pool], revealed_at=NOW, revealed_by=by,
    )  # fmt: skip
    return round_


def _content(chance: random.Random, written: list[tuple[str, list[int]]]) -> dict[str, Any]:
    """Return texts and numbers of the size that a case file has."""
    from wufei.reviews.doubts import COMPARED

    numbers = [
        {"where": {"table": "可量化部分", "row": f"第{n}行", "column": "2025 年"}, "text": "1", "value": "1", "unit": "吨",
         "indicator": f"other_{n}", "year": 2025, "stream": None, "dimension": None, "basis": {}}
        for n in range(40)
    ]  # fmt: skip
    value = str(chance.randint(1, 10**6)) if chance.random() > 0.02 else None
    numbers.append(numbers[0] | {"indicator": "generation_t", "value": value})
    title = "、".join(chance.sample(WORDS, 2))
    practices, narrative = chance.choice(written)
    headline = {name: {"2025": str(chance.randint(1, 100))} for name in COMPARED}
    return {
        "texts": {"title": title, "practices": practices}, "numbers": numbers, "evaluation": {}, "narrative": narrative,
        "headline": headline,
    }  # fmt: skip


def _written(chance: random.Random) -> list[tuple[str, list[int]]]:
    """Return texts with their sketches."""
    from wufei.cases.likeness import sketch

    texts = [
        GIVEN + "".join(chr(chance.randrange(0x4E00, 0x9FA0)) for _ in range(CHARACTERS))
        for _ in range(TEXTS)
    ]
    return [(text, sketch(text)) for text in texts]


def _score(round_: Any, chance: random.Random) -> None:
    from wufei.policies import queries as policy_queries
    from wufei.reviews.models import Assignment, ScoreSheet

    scoring = policy_queries.edition(EDITION).scoring
    assert scoring is not None
    strictness = {n: chance.uniform(0.5, 0.8) for n in range(10_000)}
    sheets = []
    for pk, expert in Assignment.objects.filter(application__round=round_).values_list("pk", "expert_id"):
        share = min(1.0, strictness[expert % 10_000] + chance.uniform(0, 0.2))
        given = {item.id: str(int(item.max * Decimal(str(round(share, 2))))) for item in scoring.rubric}
        total = sum(map(Decimal, given.values()))
        sheets.append(ScoreSheet(assignment_id=pk, scores=given, total=total, saved_at=NOW, submitted_at=NOW))
    ScoreSheet.objects.bulk_create(sheets, batch_size=5_000)
