"""What a city recommends reaches the ministry's round as a signed package: whole, once, and only there."""

import copy

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from tests.conftest import NOW, valid_uscc
from tests.rooms.reviews import world as worlds
from wufei.registry.models import Organisation
from wufei.registry.queries import NotPermitted
from wufei.reviews.models import Application, Package, SigningKey
from wufei.reviews.package import new_key, seal, unseal
from wufei.reviews.queries.packages import course_below
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services import packages
from wufei.reviews.stages import Action
from wufei.reviews.telling import ACTION_WORDS
from wufei.reviews.wording import words_of


@pytest.fixture
def world(db):
    return worlds.build()


@pytest.fixture
def city_round(world):
    round_ = worlds.round_of(world, worlds.CHONGQING)
    for works in (world.works, worlds.applicant(world, "綦江铝业有限公司")):
        worlds.advance(world, worlds.handed_in(world, round_, works), "ministry-decision")
    worlds.handed_in(world, round_, worlds.applicant(world, "綦江水泥有限公司"))  # not that far
    return round_


@pytest.fixture
def ministry_round(world):
    return worlds.round_of(world, worlds.MIIT)


def exported(world, round_):
    return packages.export_round(round_=round_, by=world.people["CITY_INDUSTRY"], now=NOW)


def loaded(world, round_, package):
    return packages.load_package(
        round_=round_, package=package, by=world.people["MINISTRY_INDUSTRY"], now=NOW
    )


def signed_anew(package: bytes, private_key: str, change=lambda manifest: None) -> bytes:
    """Return the package with a change in what it says, well signed with the key."""
    trusted = frozenset(SigningKey.objects.values_list("public_key", flat=True))
    opened = unseal(package, trusted=trusted)
    manifest = copy.deepcopy({key: value for key, value in opened.manifest.items() if key != "files"})
    change(manifest)
    return seal(manifest=manifest, files=opened.files, private_key=private_key)


def at(*path, put):
    """Return a change that puts something at the path; with `DROPPED`, takes away what is there."""

    def change(manifest):
        inner = manifest
        for step in path[:-1]:
            inner = inner[step]
        if put is DROPPED:
            del inner[path[-1]]
        else:
            inner[path[-1]] = put

    return change


DROPPED = object()
FIRST = ("applications", 0)
SUBMITTED = (*FIRST, "submission")
MALFORMED = {
    "no target": at("target_edition", put=DROPPED),
    "no title": at("title", put=DROPPED),
    "year in letters": at("year", put="abc"),
    "year as text": at("year", put="2026"),
    "round no uuid": at("round", put="x"),
    "sender no mapping": at("authority", put="city"),
    "sender with a wrong code": at("authority", "uscc", put="11500000MA5R99999X"),
    "applications no list": at("applications", put={}),
    "application no mapping": at("applications", put=["x"]),
    "applicant with no code": at(*FIRST, "organisation", "uscc", put="BAD"),
    "applicant an authority": at(*FIRST, "organisation", "kind", put="AUTHORITY"),
    "applicant in no division": at(*FIRST, "organisation", "division_code", put="5001"),
    "applicant with a long name": at(*FIRST, "organisation", "name", put="长" * 201),
    "applicant with a NUL in its name": at(*FIRST, "organisation", "name", put="a\x00b"),
    "no content": at(*SUBMITTED, "content", put=DROPPED),
    "content no mapping": at(*SUBMITTED, "content", put=[]),
    "no instant": at(*SUBMITTED, "submitted_at", put="yesterday"),
    "an instant of nowhere": at(*SUBMITTED, "submitted_at", put="2026-03-01T08:00:00"),
    "number too large": at(*SUBMITTED, "number", put=10**12),
    "no such case file": at(*FIRST, "case_file", put="nowhere.docx"),
    "acts no list": at(*FIRST, "acts", put=None),
    "an act of no kind": at(*FIRST, "acts", 0, "action", put="DANCE"),
}


@pytest.mark.parametrize("change", MALFORMED.values(), ids=MALFORMED)
def test_a_well_signed_package_that_says_nonsense_is_refused_in_words(
    world, city_round, ministry_round, change
):
    package = exported(world, city_round)
    nonsense = signed_anew(package, SigningKey.objects.get().private_key, change)
    known = Organisation.objects.count()

    for take_in in (
        lambda: loaded(world, ministry_round, nonsense),
        lambda: packages.manifest_of(package=nonsense),
    ):
        with pytest.raises(ReviewRefused) as why:
            take_in()
        assert code_of(why) == ("package_broken", "manifest_malformed")
    assert "清单" in words_of(why.value)
    assert (Organisation.objects.count(), Application.objects.filter(round=ministry_round).count()) == (
        known,
        0,
    )
    assert not Package.objects.filter(is_incoming=True).exists()


def test_a_file_that_is_not_what_the_application_says_is_refused(world, city_round, ministry_round):
    package = exported(world, city_round)
    file = {
        "path": "applications/nowhere.pdf", "file_name": "a.pdf", "category": "PROOF", "kind": "pdf", "size": 1,
        "sha256": "0" * 64, "shingles": [],
    }  # fmt: skip
    for wrong in (file, file | {"kind": "../../x"}):
        changed = signed_anew(
            package, SigningKey.objects.get().private_key, at(*FIRST, "evidence", put=[wrong])
        )
        with pytest.raises(ReviewRefused) as why:
            loaded(world, ministry_round, changed)
        assert code_of(why) == ("package_broken", "manifest_malformed")


def test_a_package_with_nothing_in_it_is_refused_and_the_true_one_still_comes_in(
    world, city_round, ministry_round
):
    package = exported(world, city_round)
    empty = signed_anew(package, SigningKey.objects.get().private_key, at("applications", put=[]))

    with pytest.raises(ReviewRefused) as why:
        loaded(world, ministry_round, empty)

    assert code_of(why) == ("package_broken", "nothing_in_it")
    assert len(loaded(world, ministry_round, package)) == 2


def test_nobody_sends_applicants_of_another_place(world, city_round, ministry_round):
    """Guangdong's key is trusted, and signs what it says Chongqing's enterprises claim."""
    private, public = new_key()
    guangdong = world.authorities["PROVINCE_INDUSTRY"]
    SigningKey.objects.create(
        authority=guangdong, public_key=public, made_at=NOW, trusted_by=world.people["applicant"]
    )
    said = {
        "uscc": guangdong.uscc,
        "name": guangdong.name,
        "division_code": "500000",
    }  # what it says is no matter
    foreign = signed_anew(exported(world, city_round), private, at("authority", put=said))

    with pytest.raises(ReviewRefused) as why:
        loaded(world, ministry_round, foreign)

    assert why.value.code == "package_beyond_jurisdiction"
    assert "綦江铝业有限公司" in words_of(why.value)
    assert "辖区" in words_of(why.value)
    assert not Application.objects.filter(round=ministry_round).exists()


def test_an_enterprise_unknown_here_is_of_the_place_that_the_package_says(world, city_round, ministry_round):
    stranger = {
        "uscc": valid_uscc("91440106MA5R88888"), "name": "广州某公司", "kind": "ENTERPRISE", "division_code": "440106",
        "industry_code": "3011",
    }  # fmt: skip
    package = exported(world, city_round)
    private = SigningKey.objects.get().private_key

    with pytest.raises(ReviewRefused) as why:
        loaded(world, ministry_round, signed_anew(package, private, at(*FIRST, "organisation", put=stranger)))
    assert code_of(why) == ("package_beyond_jurisdiction", "广州某公司")
    assert not Organisation.objects.filter(uscc=stranger["uscc"]).exists()

    near = stranger | {"division_code": "500153"}
    changed = signed_anew(package, private, at(*FIRST, "organisation", put=near))
    assert "广州某公司" in {each.organisation.name for each in loaded(world, ministry_round, changed)}


def test_who_is_no_authority_sends_nothing(world, city_round, ministry_round):
    private, public = new_key()
    SigningKey.objects.create(
        authority=world.works, public_key=public, made_at=NOW, trusted_by=world.people["applicant"]
    )
    said = {"uscc": world.works.uscc, "name": world.works.name, "division_code": world.works.division_code}

    with pytest.raises(ReviewRefused) as why:
        loaded(
            world,
            ministry_round,
            signed_anew(exported(world, city_round), private, at("authority", put=said)),
        )

    assert code_of(why) == ("package_broken", "sender_not_an_authority")


def test_a_header_that_is_no_hex_is_answered_with_words(world, ministry_round, client):
    line = b'WUFEI-PACKAGE 1\n{"algorithm":"Ed25519","key":"\\ud800","signature":"zz"}\n'
    client.force_login(world.people["MINISTRY_INDUSTRY"])

    got = client.post(
        reverse("reviews:load-package", args=[ministry_round.pk]),
        {"file": SimpleUploadedFile("a.wufei", line)}, follow=True,
    )  # fmt: skip

    assert got.status_code == 200
    assert "签名格式不对" in got.content.decode()


def code_of(why) -> tuple[str, str]:
    return why.value.code, why.value.detail


def test_the_ministry_takes_in_what_the_city_recommended_and_nothing_else(world, city_round, ministry_round):
    sent = {
        a.organisation.name: a.submission for a in city_round.applications.filter(stage="ministry-decision")
    }

    taken = loaded(world, ministry_round, exported(world, city_round))

    assert {a.organisation.name: a.submission.content for a in taken} == {
        name: submission.content for name, submission in sent.items()
    }
    assert {(a.stage, a.outcome, a.is_direct) for a in taken} == {("ministry-experts", "", False)}
    assert Package.objects.filter(round=ministry_round, is_incoming=True).get().application_count == 2


def test_the_course_below_comes_with_the_case_and_is_read_by_officers(
    world, city_round, ministry_round, client
):
    [first, _] = loaded(world, ministry_round, exported(world, city_round))
    source = city_round.applications.get(organisation=first.organisation)

    told = [(each.action, each.authority, each.words, each.at) for each in course_below(first)]
    done = source.acts.select_related("acted_for").order_by("seq")
    assert told == [(ACTION_WORDS[Action(a.action)], a.acted_for.name, a.words, a.at) for a in done]
    assert {each.stage for each in course_below(first)} >= {"择优推荐至两部", "区县现场核实"}

    client.force_login(world.people["MINISTRY_INDUSTRY"])
    read = client.get(reverse("reviews:application", args=[first.code])).content.decode()
    assert read.count("下级办理") == len(told)
    worlds.act(world, source, "", Action.RELEASE, by=world.people["CITY_INDUSTRY"])
    client.force_login(world.applicant_of(first.organisation))
    read = client.get(reverse("reviews:application", args=[first.code])).content.decode()
    assert "下级办理" not in read


def test_what_came_in_goes_on_to_a_title(world, city_round, ministry_round):
    [first, _] = loaded(world, ministry_round, exported(world, city_round))

    assert worlds.advance(world, first).outcome == "RECOGNISED"


def test_a_package_is_taken_in_once(world, city_round, ministry_round):
    package = exported(world, city_round)
    loaded(world, ministry_round, package)

    for again in (package, exported(world, city_round)):
        with pytest.raises(ReviewRefused) as why:
            loaded(world, ministry_round, again)
        assert why.value.code == "package_loaded"
    assert ministry_round.applications.count() == 2


def test_a_package_for_another_round_is_refused(world, city_round):
    other_year = worlds.round_of(world, worlds.MIIT, 2027)

    with pytest.raises(ReviewRefused) as why:
        loaded(world, other_year, exported(world, city_round))

    assert code_of(why) == ("package_of_another_round", "miit-2025-539-enterprise 2026")
    assert not other_year.applications.exists()


def test_a_changed_byte_is_refused_and_nothing_is_taken_in(world, city_round, ministry_round):
    package = bytearray(exported(world, city_round))
    package[len(package) // 2] ^= 1

    with pytest.raises(ReviewRefused) as why:
        loaded(world, ministry_round, bytes(package))

    assert why.value.code == "package_broken"
    assert not ministry_round.applications.exists()


def test_a_package_signed_by_a_stranger_is_refused_until_its_key_is_trusted_for_that_authority(
    world, city_round, ministry_round
):
    private, public = new_key()
    forged = signed_anew(exported(world, city_round), private)
    with pytest.raises(ReviewRefused) as why:
        loaded(world, ministry_round, forged)
    assert code_of(why) == ("package_broken", "key_not_trusted")

    # Trusted for somebody else, it still does not sign for the city.
    other = world.authorities["PROVINCE_INDUSTRY"]
    SigningKey.objects.create(
        authority=other, public_key=public, made_at=NOW, trusted_by=world.people["applicant"]
    )
    with pytest.raises(ReviewRefused) as why:
        loaded(world, ministry_round, forged)
    assert code_of(why) == ("package_broken", "key_of_another_authority")


def test_who_does_not_run_the_round_neither_sends_nor_takes_in(world, city_round, ministry_round):
    package = exported(world, city_round)

    for person in ("applicant", "DISTRICT_INDUSTRY", "PROVINCE_INDUSTRY", "expert1", "nobody"):
        with pytest.raises(NotPermitted):
            packages.export_round(round_=city_round, by=world.people[person], now=NOW)
        with pytest.raises(NotPermitted):
            packages.load_package(round_=ministry_round, package=package, by=world.people[person], now=NOW)
    assert not Application.objects.filter(round=ministry_round).exists()


def test_a_round_that_recommends_nothing_has_nothing_to_send(world):
    round_ = worlds.round_of(world, worlds.CHONGQING)
    withdrawn = worlds.handed_in(world, round_)
    worlds.act(world, withdrawn, "APPLICANT", Action.WITHDRAW)

    with pytest.raises(ReviewRefused) as why:
        exported(world, round_)

    assert why.value.code == "nothing_to_send"
