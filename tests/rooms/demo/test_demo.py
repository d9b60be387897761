"""The made-up district: 2020 is what was published, and what follows is believable and whole."""

import json
import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from django.conf import settings

from tests import stores
from tests.conftest import NOW
from tests.contract.test_readme import READMES, commands_of
from wufei.demo import services
from wufei.demo.district import district, district_totals, uscc_of, workbooks
from wufei.indicators.queries import figures
from wufei.ledger import queries
from wufei.ledger.models import Movement
from wufei.policies.queries import evaluation
from wufei.registry.models import Organisation, User
from wufei.registry.services import operator
from wufei.terms.truth import Truth

TEN_THOUSAND = Decimal(10_000)


def rounded(value: Decimal, places: str) -> Decimal:
    return value.quantize(Decimal(places), ROUND_HALF_UP)


def test_what_the_file_says_of_2020_is_what_the_plan_published():
    published, totals = district()["published_2020"], district_totals(2020)

    made = {kind: made / TEN_THOUSAND for kind, (made, _) in totals.items()}
    used = sum(used for _, used in totals.values()) / TEN_THOUSAND
    assert made == {kind: Decimal(value) for kind, value in published["kinds"].items()}
    assert rounded(sum(made.values()), "0.01") == Decimal(published["generation"])
    assert rounded(used, "0.01") == Decimal(published["utilisation"])
    assert rounded(used / sum(made.values()) * 100, "0.01") == Decimal(published["utilisation_rate_pct"])


def test_the_rows_of_a_year_add_up_to_the_year():
    for workbook in workbooks():
        for each in district()["enterprises"]:
            if each["id"] != workbook.id:
                continue
            for stream in each["streams"]:
                for at, year in enumerate(district()["years"]):
                    kg = sum(
                        row[3] * (1000 if row[4] == "吨" else 1)
                        for row in workbook.sheets["台账"]
                        if (row[0].year, row[1], row[2]) == (int(year), stream["code"], "产生")
                    )
                    assert Decimal(kg) / 1000 == Decimal(stream["generation"][at]), (each["id"], year)


def test_the_same_file_gives_the_same_rows():
    assert workbooks() == workbooks()


@pytest.mark.slow
@pytest.mark.any_database  # test_season builds all of it on PostgreSQL too
def test_the_district_is_built_through_the_doors_that_people_use(db, tmp_path):
    services.build(folder=tmp_path, by=operator(), now=NOW, report=lambda _: None)
    enterprises = {
        each["id"]: Organisation.objects.get(uscc=uscc_of(each["serial"]))
        for each in district()["enterprises"]
    }

    assert services.is_built()
    assert len(enterprises) >= 8
    assert queries.verify().is_ok
    _check_published_totals(enterprises)
    _check_verdicts(enterprises)
    said = {person["username"] for person in services.accounts()}
    assert said == set(User.objects.exclude(username="operator").values_list("username", flat=True))


def _check_published_totals(enterprises: dict[str, Organisation]) -> None:
    """The ledger's own figures of 2020, general waste only, over the whole district."""
    published = district()["published_2020"]
    made = used = Decimal(0)
    for organisation in enterprises.values():
        for figure in figures(organisation=organisation, from_year=2020, to_year=2020):
            if figure.stream is None and figure.dimension is None:
                if figure.indicator == "general_generation_t":
                    made += figure.value
                if figure.indicator == "general_utilisation_t":
                    used += figure.value
    assert rounded(made / TEN_THOUSAND, "0.01") == Decimal(published["generation"])
    assert rounded(used / TEN_THOUSAND, "0.01") == Decimal(published["utilisation"])
    assert rounded(used / made * 100, "0.01") == Decimal(published["utilisation_rate_pct"])


def _check_verdicts(enterprises: dict[str, Organisation]) -> None:
    """One that qualifies, one that was punished, one that uses too little, one that says too little."""
    on = NOW.date()

    def verdict(name: str, criterion: str) -> Truth:
        judged = evaluation(
            organisation=enterprises[name], edition_id="miit-2025-539-enterprise", year=2025, on=on
        )
        return next(f.verdict for f in judged.findings if f.criterion.id == criterion)

    assert verdict("power", "basic-1") == Truth.MET
    assert verdict("power", "basic-2") == Truth.MET
    assert verdict("wheel", "basic-3") == Truth.NOT_MET
    assert verdict("food", "basic-1") == Truth.NOT_MET
    assert verdict("repair", "basic-3") == Truth.UNKNOWN

    scored = evaluation(
        organisation=enterprises["gear"], edition_id="gbt-36132-2025-green-factory", year=2025, on=on
    )
    # The one question that asks for a person's eye (绿色设计, weight 8) leaves a range, not a score.
    assert (scored.verdict, scored.score) == (Truth.MET, None)
    assert scored.score_max - scored.score_min == 8


def _as_a_stranger_types(words: list[str], folder: Path) -> Result:
    """Run a command of the README on the store of this test; what it writes goes to the folder."""
    from wufei.web.cli import main  # app ready

    here = [word.replace("var/demo", str(settings.DATA)) for word in words]
    return CliRunner().invoke(main, [re.sub("^var/", f"{folder}/", word) for word in here])


@pytest.fixture
def demo_store(
    tmp_path, settings, monkeypatch, django_db_setup, django_db_blocker
) -> Iterator[dict[str, str]]:
    """A copy of the store that the command makes; what the command said."""
    settings.DATA = tmp_path / "demo"
    said = stores.copy_demo(settings.DATA)
    default = settings.STORAGES["default"]
    options = default["OPTIONS"] | {"location": settings.DATA / "files"}
    settings.STORAGES = settings.STORAGES | {"default": default | {"OPTIONS": options}}
    monkeypatch.setenv("WUFEI_DATA", str(settings.DATA))
    monkeypatch.setenv("WUFEI_STORE_IS_OPEN", "1")
    address = f"sqlite:///{settings.DATA / 'wufei.sqlite3'}"
    with django_db_blocker.unblock(), stores.connected_to(stores.described(address)):
        yield said


@pytest.mark.slow
@pytest.mark.any_database  # test_season builds all of it on PostgreSQL too
def test_the_demo_command_ends_with_the_main_job_done_and_a_second_run_builds_nothing(demo_store, tmp_path):
    from wufei.demo.cli import demo  # app ready

    rows = Movement.objects.count()
    second = CliRunner().invoke(demo, ["--no-serve", "--json"])

    assert second.exit_code == 0
    assert "不再重建" in second.stderr
    told = json.loads(second.stdout)
    assert (told["address"], len(told["accounts"])) == (None, len(services.accounts()))
    assert [each["verdict"] for each in told["cases"]] == ["met", "met"]
    assert Movement.objects.count() == rows
    for each in district()["people"]:
        assert each["username"] in demo_store["lines"]
    [folder] = (settings.DATA / "case-files").glob("重庆綦晟*")
    assert {"申报书.docx", "汇总表.xlsx", "provenance.json"} <= {p.name for p in folder.iterdir()}
    assert str(folder.name) in demo_store["unbroken"]
    assert json.loads((folder / "provenance.json").read_text())["numbers"]
    # Nothing is cut off at 80 columns, and the whole has a verdict.
    assert "…" not in demo_store["lines"]
    assert "总的结论：重庆綦晟火力发电有限公司 满足" in demo_store["lines"]
    assert "--data DATA evaluate 9" in demo_store["unbroken"]
    # Every command of both READMEs can be typed as it stands.
    (tmp_path / "var").mkdir()
    for readme in READMES:
        for words in commands_of(readme):
            typed = _as_a_stranger_types(words, tmp_path / "var")
            assert typed.exit_code == 0, (words, typed.output)
    assert Movement.objects.count() == rows


@pytest.mark.slow
@pytest.mark.any_database  # of the command's own store
def test_a_bag_that_left_by_manifest_is_followed_until_it_lies_in_the_landfill(demo_store):
    told = json.loads(_typed("trace", "LH-0005", "--json").stdout)

    assert [node["organisation"] for node in told["nodes"]] == [
        "重庆綦铝电解铝业有限公司",
        "重庆长寿危险废物处置场（演示）",
    ]
    [edge] = told["edges"]
    assert (edge["from"], edge["kind"], edge["mass_g"]) == ("LH-0005", "TRANSFER", told["steps"][0]["mass_g"])
    assert [step["kind"] for step in told["steps"]] == [
        "GENERATION", "DISPATCH", "CONTRACTED_DISPOSAL", "RECEIPT", "OWN_DISPOSAL",
    ]  # fmt: skip


def _typed(*words: str) -> Result:
    from wufei.web.cli import main  # app ready

    return CliRunner().invoke(main, list(words))
