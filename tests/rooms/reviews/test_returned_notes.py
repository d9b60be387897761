"""What was said when a case was sent back stands in its editor at the place it concerns, until it is handed in."""

import pytest
from django.urls import reverse

from tests.conftest import NOW
from tests.rooms.reviews import world as worlds
from tests.rooms.reviews.world import CHONGQING
from wufei.cases.models import Case
from wufei.reviews.services.applying import submit

SAID = {"results": "请说明 2025 年综合利用量的去向。"}


@pytest.fixture(autouse=True)
def files(tmp_path, settings):
    described = {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": described}
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture
def world(db, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    built = worlds.build(experts=0, second_officers=False)
    worlds.keep_ledger(built, built.works, tonnes=100)
    return built


@pytest.fixture
def case(world):
    return worlds.ready_case(world, world.works, edition_id=CHONGQING)


@pytest.fixture
def round_(world):
    return worlds.round_of(world, CHONGQING)


def editor(client, world, case):
    client.force_login(world.people["applicant"], backend="django.contrib.auth.backends.ModelBackend")
    return client.get(reverse("cases:case", args=[world.works.uscc, case.pk]))


def notes(response) -> dict[str, str]:
    context = response.context
    fields = [*context["body"], *context["own"], *context["short"]]
    return {field.name: field.note.words for field in fields if field.note}


def test_a_comment_stands_at_its_field_with_who_and_when_until_the_case_is_handed_in_again(
    client, world, round_, case
):
    by = world.people["applicant"]
    application = submit(round_=round_, case=case, by=by, now=NOW)
    assert notes(editor(client, world, case)) == {}
    version = Case.objects.get(pk=case.pk).version
    criterion = next(iter(worlds.policy_queries.edition(CHONGQING).criteria))

    worlds.act(
        world, application, "DISTRICT_INDUSTRY", "RETURN", words="佐证不一致，请补正。",
        comments=SAID | {criterion.id: "请补充文件。"},
    )  # fmt: skip

    shown = editor(client, world, case)
    assert notes(shown) == SAID
    page = shown.content.decode()
    own = page.partition('id="field-results"')[2].partition('id="field-innovation"')[0]
    assert SAID["results"] in own
    assert world.authorities["DISTRICT_INDUSTRY"].name in own
    assert page.count(SAID["results"]) == 1
    assert "佐证不一致，请补正。" in page
    assert f"{criterion.clause}：请补充文件。" in page
    assert world.people["DISTRICT_INDUSTRY"].username not in page, "the authority, not the officer"
    assert Case.objects.get(pk=case.pk).version == version, "nobody's open draft is disturbed"

    submit(round_=round_, case=Case.objects.get(pk=case.pk), by=by, now=NOW)
    assert notes(editor(client, world, case)) == {}
    assert "佐证不一致" not in editor(client, world, case).content.decode()


def test_the_notes_of_the_last_return_alone_stand(client, world, round_, case):
    by = world.people["applicant"]
    application = submit(round_=round_, case=case, by=by, now=NOW)
    worlds.act(world, application, "DISTRICT_INDUSTRY", "RETURN", words="一", comments=SAID)
    application = submit(round_=round_, case=Case.objects.get(pk=case.pk), by=by, now=NOW)
    worlds.act(
        world, application, "DISTRICT_INDUSTRY", "RETURN", words="二", comments={"plan": "请写明目标。"}
    )

    assert notes(editor(client, world, case)) == {"plan": "请写明目标。"}
