"""`wufei register …` and `wufei workdays`: every key that the issue names."""

from datetime import date

import pytest

from tests.rooms.reviews import world as worlds
from tests.rooms.reviews.titles import answered, given, happened

FACTORY = worlds.CHONGQING_FACTORY


@pytest.fixture(autouse=True)
def _on_the_first_of_july(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: worlds.NOW)


@pytest.fixture
def world(db):
    return worlds.build(experts=0, second_officers=False)


def test_the_register_of_a_day(wufei, world):
    title = given(world, number="A", edition=FACTORY, on=date(2024, 5, 10))
    given(world, number="OTHER")
    happened(world, title, "RENAMED", date(2025, 1, 1), holder_name="新名称公司")

    before = wufei("register", "list", "--edition", FACTORY, "--at", "2024-12-31", "--json")
    after = wufei("register", "list", "--edition", FACTORY, "--json")

    assert before.code == 0
    [row] = before.json["titles"]
    assert (before.json["edition"], before.json["at"]) == (FACTORY, "2024-12-31")
    assert (row["number"], row["holder"], row["organisation"], row["state"]) == (
        "A", world.works.name, world.works.uscc, "IN_FORCE",
    )  # fmt: skip
    assert [row["holder"] for row in after.json["titles"]] == ["新名称公司"]
    assert "新名称公司" in wufei("register", "list", "--edition", FACTORY).out


def test_the_re_evaluation_of_a_year(wufei, world):
    titles = [
        given(world, worlds.organisation(f"企业{n}"), f"T{n:02d}", edition=FACTORY, on=date(2023, 1, 9))
        for n in range(1, 22)
    ]
    for year in (2024, 2025, 2026):
        for n, title in enumerate(titles[:20], 1):
            answered(world, title, year, str(60 + n))

    got = wufei("register", "reevaluate", "--edition", FACTORY, "--year", 2026, "--json")

    assert got.code == 0
    assert (got.json["edition"], got.json["year"], got.json["population"]) == (FACTORY, 2026, 20)
    assert set(got.json["scores"][0]) == {
        "number", "organisation", "holder", "score", "rank", "in_bottom", "years_in_bottom",
    }  # fmt: skip
    assert got.json["bottom"] == ["T01"]
    [due] = got.json["removals_due"]
    assert (due["number"], due["holder"]) == ("T01", "企业1")
    assert [year["year"] for year in due["proof"]["years"]] == [2024, 2025, 2026]
    assert [row["number"] for row in got.json["no_answer"]] == ["T21"]
    assert "企业20" in wufei("register", "reevaluate", "--edition", FACTORY, "--year", 2026).out


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        (("register", "list", "--edition", "none"), 1, "没有政策版本 none"),
        (("register", "list", "--edition", FACTORY, "--at", "昨天"), 2, "日期“昨天”不对"),
        (("register", "list"), 2, "--edition"),
        (("register", "reevaluate", "--edition", worlds.MIIT, "--year", "2026"), 1, "没有末位移出的规定"),
        (("register", "reevaluate", "--edition", FACTORY, "--year", "x"), 2, "--year"),
        (("workdays", "2026-12-28", "20"), 1, "2027年的节假日安排尚未导入"),
        (("workdays", "2026-02-30", "1"), 2, "日期“2026-02-30”不对"),
        (("workdays", "2026-02-03", "0"), 2, "N"),
    ],
)
def test_what_is_asked_wrongly_is_refused_in_words(wufei, world, said, code, words):
    got = wufei(*said, "--json")

    assert got.code == code
    assert words in got.err


def test_the_end_of_some_working_days(wufei):
    assert wufei("workdays", "2025-09-30", "1", "--json").json["end"] == "2025-10-09"
