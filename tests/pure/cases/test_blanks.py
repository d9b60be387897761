"""What the cover note says of entries that are blank or unknown."""

from dataclasses import fields, replace

import pytest

from tests.pure.cases import examples
from wufei.cases.blanks import blanks, remarks
from wufei.cases.dossier import Texts
from wufei.cases.filling import case_file

WRITTEN = {"contact", "phone", "email"}  # the registry's own do as well


def labels(dossier):
    return [blank.label for blank in blanks(case_file(dossier))]


def test_of_an_organisation_that_wrote_nothing_every_entry_is_named():
    said = set(labels(examples.nothing(examples.ENTERPRISE_SPEC)))

    assert said == {
        "地址", "联系人", "电话", "邮箱", "申报日期", "题目（典型案例名称）", "一、建设方案制定情况",
        "（一）主要做法", "（二）取得的成效", "（三）创新点", "（四）推广应用的条件", "填表人", "职务", "联系电话",
        "从事行业", "网址", "负责人", "手机", "传真", "厂区面积（平方米）", "员工数量", "企业自述", "附件",
        "省份", "案例简要描述",
    }  # fmt: skip


def test_of_a_park_that_wrote_nothing_what_table_1_alone_asks_is_named_too():
    said = set(labels(examples.nothing(examples.PARK_SPEC)))

    assert {"主导产业", "园区负责人", "规上企业数量", "园区自述", "主要企业"} <= said


@pytest.mark.parametrize("full", [examples.enterprise(), examples.park()], ids=["enterprise", "park"])
def test_nothing_is_said_of_a_form_that_is_full(full):
    assert labels(full) == []


def test_a_blank_says_where_it_stands_and_what_to_do():
    dossier = examples.enterprise(applicant=replace(examples.APPLICANT, website="", fax=""))

    assert remarks(case_file(dossier))[-2:] == [
        "网址：未填（表2）。请在“单位信息”填写。",
        "传真：未填（表2）。请在“单位信息”填写。",
    ]


def test_a_case_without_attachments_says_so():
    [said] = remarks(case_file(examples.enterprise(attachments=())))[-1:]

    assert said.startswith("附件：未填（随附材料）。请在“随附材料”附上建设方案")


@pytest.mark.parametrize("field", sorted({field.name for field in fields(Texts)} - WRITTEN))
def test_each_text_of_the_draft_that_is_taken_away_is_missed(field):
    """`leading_industry` falls back to the registry; `above_scale_count` is the park's."""
    full = examples.park()
    without = replace(full.texts, **{field: None if field in ("above_scale_count", "filed_on") else ""})
    missed = {blank.field for blank in blanks(case_file(replace(full, texts=without)))}

    assert missed == (set() if field == "leading_industry" else {field})
