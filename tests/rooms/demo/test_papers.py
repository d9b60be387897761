"""What the demo hands in with its two cases: real files, accepted as evidence like anybody's."""

import pytest

from tests.conftest import NOW
from wufei.cases import queries, services
from wufei.cases.blanks import blanks
from wufei.cases.filling import case_file
from wufei.cases.models import Evidence
from wufei.demo import services as demo
from wufei.demo.cli import SHOWN
from wufei.demo.district import district, uscc_of
from wufei.demo.papers import MAKERS
from wufei.paper.attachments import examine
from wufei.registry.models import Organisation, OrganisationKind
from wufei.registry.services import operator, register_organisation

FILES = [each for said in district()["papers"].values() for each in said["files"]]


@pytest.mark.parametrize("each", FILES, ids=lambda each: each["name"])
def test_each_file_is_what_its_name_says_and_marked_as_made_up(each):
    title, _dot, kind = each["name"].rpartition(".")
    content = MAKERS[kind](title, each.get("lines", ()))

    assert examine(name=each["name"], content=content).kind == kind
    assert content == MAKERS[kind](title, each.get("lines", ()))
    assert "演示" in title


def test_the_files_are_of_the_cases_that_the_demo_shows():
    assert [(name, said["edition"]) for name, said in district()["papers"].items()] == list(SHOWN)


def test_the_two_cases_leave_no_text_blank(db):
    serials = {each["id"]: each for each in district()["enterprises"]} | {"park": district()["park"]}
    organisations = {
        name: register_organisation(
            uscc=uscc_of(serials[name]["serial"]), name=serials[name]["name"], kind=OrganisationKind(kind),
            division_code="500110", by=operator(), now=NOW,
        )
        for name, kind in (("power", "ENTERPRISE"), ("park", "PARK"))
    }  # fmt: skip
    demo._papers(organisations, by=operator(), now=NOW)

    assert Evidence.objects.count() == len(FILES)
    for name, edition in SHOWN:
        organisation = Organisation.objects.get(pk=organisations[name].pk)
        case = services.open_case(
            organisation=organisation, edition_id=edition, year=2025, by=operator(), now=NOW
        )
        case = services.save_draft(
            case=case, version=case.version, changes=district()["cases"][name], by=operator(), now=NOW
        )
        # What the workbook says (address, head, contact …) is not here; the rest is all written.
        said = {blank.label for blank in blanks(case_file(queries.dossier(case=case)))}
        assert not said & {
            "网址",
            "传真",
            "邮箱",
            "手机",
            "填表人",
            "职务",
            "联系电话",
            "申报日期",
            "规上企业数量",
            "附件",
        }
