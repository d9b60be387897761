"""What was signed is changed by a revision that the other side agrees to."""

import pytest

from tests.rooms.transfers import world as worlds
from wufei.transfers import queries, services
from wufei.transfers.fields import Part
from wufei.transfers.models import Manifest, ManifestVersion, Revision
from wufei.transfers.refusals import Code, TransferRefused
from wufei.transfers.services import Change

PHONE = Change(part=Part.MANIFEST, field="contact_phone", to="023-48609999")


def propose(world, manifest, *changes, **said) -> Revision:
    asked = {
        "organisation": world.generator,
        "by": world.officer,
        "now": world.later(minutes=1),
        "reason": "写错了",
    }
    return services.propose_revision(manifest=manifest, changes=changes or [PHONE], **(asked | said))


def answer(world, revision, **said) -> Revision:
    asked = {"organisation": world.receiver, "by": world.taker, "now": world.later(minutes=1), "agrees": True}
    return services.answer_revision(revision=revision, **(asked | said))


def code_of(call, *args, **said) -> Code:
    with pytest.raises(TransferRefused) as refused:
        call(*args, **said)
    return refused.value.code


def phone(manifest) -> str:
    return Manifest.objects.get(pk=manifest.pk).said["contact_phone"]


def test_a_revision_stands_when_the_other_side_agrees_and_both_versions_are_kept(world):
    manifest = world.issued()
    revision = propose(world, manifest)
    assert phone(manifest) == worlds.SAID["contact_phone"]
    answer(world, revision)
    assert phone(manifest) == PHONE.to
    versions = ManifestVersion.objects.filter(manifest=manifest).order_by("number")
    assert [v.document["fields"]["contact_phone"] for v in versions] == [
        worlds.SAID["contact_phone"],
        PHONE.to,
    ]
    assert versions[1].revision == revision


def test_who_proposes_does_not_agree_to_it(world):
    revision = propose(world, world.issued())
    assert (
        code_of(answer, world, revision, organisation=world.generator, by=world.officer) is Code.OWN_REVISION
    )


def test_who_says_no_says_why_and_nothing_is_changed(world):
    manifest = world.issued()
    revision = propose(world, manifest)
    assert code_of(answer, world, revision, agrees=False) is Code.REASON_MISSING
    answer(world, revision, agrees=False, answer="电话没有变")
    assert phone(manifest) == worlds.SAID["contact_phone"]
    assert code_of(answer, world, revision) is Code.REVISION_NOT_OPEN
    assert propose(world, manifest).state == "PROPOSED"  # and another may be proposed


def test_one_revision_at_a_time_and_it_can_be_withdrawn(world):
    manifest = world.issued()
    revision = propose(world, manifest)
    assert code_of(propose, world, manifest) is Code.REVISION_OPEN
    said = {"revision": revision, "now": world.later(minutes=1)}
    assert code_of(
        services.withdraw_revision, **said, organisation=world.receiver, by=world.taker
    ) is Code.WRONG_PARTY  # fmt: skip
    services.withdraw_revision(**said, organisation=world.generator, by=world.officer)
    assert propose(world, manifest).state == "PROPOSED"


def test_lines_and_legs_are_revised_too(world):
    manifest = world.loaded()
    form = Change(part=Part.LINE, position=1, field="physical_form", to="SEMI_SOLID")
    count = Change(part=Part.LINE, position=1, field="package_count", to=2)
    answer(world, propose(world, manifest, form, count))
    [line] = queries.lines_of(manifest)
    assert (line.said["physical_form"], line.package_count) == ("SEMI_SOLID", 2)
    route = Change(part=Part.LEG, position=1, field="route", to="綦江—涪陵")
    dispatcher = worlds.User.objects.get(username="调度")
    answer(world, propose(world, manifest, route, organisation=world.carrier, by=dispatcher))
    assert queries.legs_of(manifest)[0].said["route"] == "綦江—涪陵"


def test_what_is_not_signed_yet_is_filled_in_and_not_corrected(world):
    """The receiver's own fields are sealed by its own signature, as the table of fields says."""
    early = Change(part=Part.MANIFEST, field="receiving_contact", to="赵六")
    asked = {"organisation": world.receiver, "by": world.taker}
    manifest = world.delivered()
    assert code_of(propose, world, manifest, early, **asked) is Code.NOT_SEALED

    world.receive(manifest, "200")
    assert propose(world, manifest, early, **asked).changes[0]["to"] == "赵六"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (Change(part=Part.LINE, position=1, field="mode", to="R9"), Code.NOT_REVISABLE),
        (Change(part=Part.MANIFEST, field="receiver", to="x"), Code.NOT_REVISABLE),
        (Change(part=Part.MANIFEST, field="opinion", to="同意"), Code.FIELD_OF_ANOTHER_PARTY),
        (Change(part=Part.MANIFEST, field="colour", to="红"), Code.FIELD_UNKNOWN),
        (Change(part=Part.MANIFEST, field="contact", to=""), Code.FIELD_MISSING),
        (Change(part=Part.MANIFEST, field="contact_phone", to="不知道"), Code.FIELD_MALFORMED),
        (Change(part=Part.MANIFEST, field="contact", to="张三"), Code.REVISION_EMPTY),
        (Change(part=Part.LINE, position=7, field="hazards", to="T"), Code.LINE_UNKNOWN),
    ],
)
def test_what_is_no_revision(world, change, code):
    assert code_of(propose, world, world.issued(), change) is code


def test_a_draft_needs_none_and_a_reason_is_given(world):
    assert code_of(propose, world, world.draft()) is Code.ACT_NOT_NOW
    assert code_of(propose, world, world.issued(), reason=" ") is Code.REASON_MISSING


def test_who_is_no_party_revises_nothing(world):
    manifest = world.issued()
    other = worlds.organisation(50, "路人", "ENTERPRISE")
    stranger = worlds.person("ENVIRONMENT_OFFICER", other, "路人")
    assert code_of(propose, world, manifest, organisation=other, by=stranger) is Code.WRONG_PARTY
    revision = propose(world, manifest)
    assert code_of(answer, world, revision, organisation=other, by=stranger) is Code.WRONG_PARTY
