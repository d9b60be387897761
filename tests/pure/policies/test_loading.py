"""A broken edition is refused with file, line and reason."""

import contextlib
import re
import shutil
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from tests.pure.policies.dossiers import EDITIONS, KNOWN
from wufei.policies import loading
from wufei.policies.edition import Edition
from wufei.policies.loading import BrokenEditions, Fault, check_file, declaration_items, load_editions

SOUND = """\
id: sample
title: 样例
subject_kind: ENTERPRISE
norm:
  number: 样例〔2026〕1号
  title: 样例通知
  issuer: 样例机关
  in_force_from: 2026-01-01
in_force_from: 2026-01-01
criteria:
  - id: basic-1
    kind: indicator
    clause: 一
    says: 综合利用率不低于80%。
    parameters:
      rate_min:
        values:
          - {from: 2026-01-01, value: "80", unit: "%", source: 一}
    test: {figure: utilisation_rate_pct, name: 综合利用率, at_least: rate_min}
"""
SECOND = """\
  - id: basic-2
    kind: gate
    clause: 二
    says: 具有独立法人资格。
    test: {declaration: 独立法人资格, expects: "YES"}
"""


def faults(tmp_path: Path, text: str | bytes, name: str = "sample.yaml") -> list[tuple[int, str]]:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found = check_file(path, known_indicators=KNOWN)
    assert all(fault.file == path for fault in found)
    return [(fault.line, fault.reason) for fault in found]


def test_a_sound_edition_has_no_faults(tmp_path):
    assert faults(tmp_path, SOUND + SECOND) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("title: 样例\n", "", 1, "缺少“title”"),
        ("title: 样例\n", "title:\n", 2, "“title”须是文字"),
        ("title: 样例\n", 'title: ""\n', 2, "“title”不能为空"),
        ("id: sample\n", "id: sample\ntitel: 样例\n", 2, "不认识的键“titel”"),
        ("title: 样例\n", "title: 样例\ntitle: 又一个\n", 3, "键“title”重复"),
        ("subject_kind: ENTERPRISE", "subject_kind: FACTORY", 3, "“FACTORY”不在可选值之内"),
        ("    clause: 一\n", "", 11, "缺少“clause”"),
        ("kind: indicator", "kind: indicators", 12, "“indicators”不在可选值之内"),
        ("utilisation_rate_pct", "utilization_rate", 19, "不认识的指标“utilization_rate”"),
        ("at_least: rate_min", "at_least: rate", 19, "不认识的参数“rate”"),
        ("at_least: rate_min", "at_leest: rate_min", 19, "不认识的键“at_leest”"),
        (", at_least: rate_min", "", 19, "须且只须写 at_least、at_most 之一"),
        ("figure: utilisation_rate_pct, ", "", 19, "看不出这是哪一种条件"),
        ('value: "80"', 'value: "8o"', 18, "“8o”不是十进制数"),
        ('value: "80"', 'value: "8e1"', 18, "“8e1”不是十进制数"),
        ('value: "80"', 'value: "1,000"', 18, "“1,000”不是十进制数"),
        ('value: "80"', "value: .nan", 18, "“.nan”不是十进制数"),
        ('value: "80"', 'value: "８０"', 18, "“８０”不是十进制数"),
        ("from: 2026-01-01, ", "", 18, "缺少“from”"),
        ("from: 2026-01-01, ", "from: 2026-02-30, ", 18, "“2026-02-30”不是日历上的一天"),
        ("from: 2026-01-01, ", "from: 2026年1月, ", 18, "“2026年1月”不是日期"),
        (", source: 一", "", 18, "缺少“source”"),
        ('          - {from: 2026-01-01, value: "80", unit: "%", source: 一}\n', "", 17, "“values”须是列表"),
        ("in_force_from: 2026-01-01\ncriteria", "in_force_from: 2025-01-01\ncriteria", 9, "版本施行日期早于"),
        ("criteria:", "extends: nowhere\ncriteria:", 10, "所扩展的版本“nowhere”不存在"),
        ("criteria:", "extends: sample\ncriteria:", 10, "扩展关系成环"),
        (
            "criteria:",
            "dates:\n  - {id: d, label: 报送, on: 2026-07-24, stage: nowhere, clause: 一}\ncriteria:",
            11,
            "没有编号为“nowhere”的环节",
        ),
        ("criteria:", "parameters: 1\ncriteria:", 10, "“parameters”须是键值表"),
        ("  - id: basic-1", "  - &a\n    id: basic-1", 11, "不允许使用锚点或别名"),
        ("says: 综合", "says: !!python/name:os.system 综合", 14, "不允许使用标签"),
        ("says: 综合", "says: [综合", 15, "YAML 语法错误"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path, old, new, line, reason):
    assert SOUND.count(old) >= 1
    [(at, why)] = faults(tmp_path, SOUND.replace(old, new, 1))

    assert (at, why[: len(reason)]) == (line, reason)


@pytest.mark.parametrize(
    ("more", "line", "reason"),
    [
        (SECOND.replace("basic-2", "basic-1"), 20, "编号“basic-1”重复"),
        (SECOND.replace("kind: gate", "kind: score"), 20, "评分条款须写 score 和 weight"),
        (
            SECOND.replace("    test", '    weight: "5"\n    test'),
            20,
            "非评分条款须写 test",
        ),
        (
            SECOND.split("    test")[0].replace("gate", "score")
            + '    weight: "99"\n    score: {key: k, name: 某项, judged: 是否}\n',
            10,
            "权重合计为 99，须为 100",
        ),
        (SECOND.replace("expects", "window: years, expects"), 24, "不认识的参数“years”"),
        (
            SECOND.replace("    test", "    replaces: true\n    test"),
            20,
            "“basic-2”要替换的条款不在所扩展的版本中",
        ),
        (
            SECOND.replace("kind: gate", "kind: score").split("    test")[0]
            + '    weight: "0"\n    score: {key: k, name: 某项, judged: 是否}\n',
            24,
            "权重须大于零",
        ),
        (
            SECOND.split("    test")[0].replace("gate", "score")
            + '    weight: "100"\n    score: {key: k, name: 某项}\n',
            25,
            "评分依据须且只须写",
        ),
        (
            SECOND.split("    test")[0].replace("gate", "score")
            + '    weight: "100"\n    score: {key: k, name: 某项, stated: k}\n',
            25,
            "不认识的自报项“k”",
        ),
        (
            SECOND.split("    test")[0].replace("gate", "score")
            + '    weight: "100"\n    score: {key: k, name: 某项, judged: 是否, baseline: b}\n',
            25,
            "基准值与引领值须同时写",
        ),
        (
            SECOND.split("    test")[0] + "    test: {judgement: j, asks: 是否, benchmark: [generation]}\n",
            24,
            "不认识的指标“generation”",
        ),
        (
            SECOND.split("    test")[0]
            + "    test: {fact: established_on, name: 成立日期, years_at_least: y}\n",
            24,
            "不认识的参数“y”",
        ),
        (
            SECOND.split("    test")[0] + "    test:\n      not: {stated: k, name: 某项, at_most: y}\n",
            25,
            "不认识的自报项“k”",
        ),
        ("---\nid: other\n", 20, "一个文件只写一个版本"),
    ],
)
def test_a_fault_between_parts_is_named_with_its_line(tmp_path, more, line, reason):
    found = faults(tmp_path, SOUND + more)

    assert (line, reason) in [(at, why[: len(reason)]) for at, why in found]


SELF_CHECK = "  - {id: self-check, label: 自评, applicant_label: 自评, decided_by: [APPLICANT], clause: 一}\n"


def with_stages(*rows: str) -> str:
    return SOUND.replace("criteria:\n", "stages:\n" + SELF_CHECK + "".join(rows) + "criteria:\n")


CITY = "  - {id: city, label: 市级, applicant_label: 市级, decided_by: [CITY_INDUSTRY], clause: 二}\n"
RUBRIC = """\
scoring:
  experts_per_case: 3
  rubric:
    - {id: results, label: 成效, max: "60"}
    - {id: material, label: 材料, max: "40"}
  ties:
    - {says: 成效高者优先, item: results}
    - {says: 产生量大者优先, figure: generation_t}
"""
KIND = """\
  - id: basic-2
    kind: gate
    clause: 二
    says: 企业。
    test: {fact: kind, name: 单位类型, one_of: [ENTERPRISE, UTILISER]}
"""
ROUND = with_stages(CITY).replace("criteria:\n", RUBRIC + "criteria:\n") + KIND


def test_an_edition_by_which_a_round_can_be_run_has_no_faults(tmp_path):
    assert faults(tmp_path, ROUND) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("clause: 二}", "clause: 二, quota: nonesuch}", 12, "没有编号为“nonesuch”的名额"),
        ("[CITY_INDUSTRY]", "[MARTIAN]", 12, "没有人能有身份“MARTIAN”"),
        ("[CITY_INDUSTRY]", "[CITY_INDUSTRY, TOWN_INDUSTRY]", 12, "没有人能有身份“TOWN_INDUSTRY”"),
        ("clause: 二}", "clause: 二, concluded_by: [FOO_BAR]}", 12, "没有人能有身份“FOO_BAR”"),
        ("clause: 二}", "clause: 二, concluded_by: [EXPERT]}", 12, "没有人能有身份“EXPERT”"),
        ("clause: 二}", "clause: 二, settled_by: [CITY]}", 12, "没有人能有身份“CITY”"),
        ("clause: 二}", "clause: 二, departments: [{name: 林业, branch: FOREST}]}", 12, "不认识的部门“FOREST”"),
        (SELF_CHECK, "", 11, "第一个环节须是申报单位自评"),
        ("[APPLICANT]", "[CITY_INDUSTRY]", 11, "第一个环节须是申报单位自评"),
        ("experts_per_case: 3", "experts_per_case: 0", 14, "每件至少由一名专家评审"),
        ('max: "40"', 'max: "-25"', 17, "满分须大于零"),
        ('max: "60"', "max: 0", 16, "满分须大于零"),
        ("{id: material", "{id: results", 17, "编号“results”重复"),
        ("item: results", "item: nosuch", 19, "评分表中没有“nosuch”"),
        ("figure: generation_t", "figure: nosuch_t", 20, "不认识的指标“nosuch_t”"),
        (", figure: generation_t", "", 20, "同分规则须且只须写"),
        ("fact: kind", "fact: nosuchfact", 35, "这里不能问“nosuchfact”"),
        ("fact: kind, name: 单位类型, one_of: [ENTERPRISE, UTILISER]", "fact: kind, name: 年, years_at_least: rate_min", 35, "这里不能问“kind”"),
        ("[ENTERPRISE, UTILISER]", "[ENTERPRISE, ENTERPRISEX]", 35, "不认识的单位类型“ENTERPRISEX”"),
        ("title: 样例\n", 'title: 样例\nregion: "999999"\n', 3, "行政区划表中没有“999999”"),
    ],
)  # fmt: skip
def test_an_edition_by_which_no_round_could_be_run_is_refused(tmp_path, old, new, line, reason):
    assert ROUND.count(old) >= 1
    found = faults(tmp_path, ROUND.replace(old, new, 1))

    assert (line, reason) in [(at, why[: len(reason)]) for at, why in found]


@pytest.mark.parametrize("deciders", ["[[APPLICANT]]", "[{a: b}]"])
def test_a_decider_that_is_no_text_is_a_fault_there_and_in_no_other_file(tmp_path, deciders):
    broken = with_stages().replace("[APPLICANT]", deciders)

    assert faults(tmp_path, broken, "broken.yaml") == [(11, "“decided_by”须是文字")]
    assert faults(tmp_path, SOUND) == []


def everywhere(data, instead):
    """Yield the data with each of its parts replaced in turn."""
    yield instead
    parts = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, part in parts:
        for changed in everywhere(part, instead):
            copy = data.copy()
            copy[key] = changed
            yield copy


@pytest.mark.parametrize("instead", [None, "", "x" * 3000, [["x"]], [{"a": "b"}], {"a": ["b"]}], ids=repr)
def test_whatever_stands_anywhere_is_refused_and_never_thrown_at(instead):
    # The file with the most kinds of parts.
    whole = yaml.load((loading.OURS / "miit-2025-539-park.yaml").read_text("utf-8"), yaml.BaseLoader)
    for changed in everywhere(whole, instead):
        with contextlib.suppress(ValidationError):
            Edition.model_validate(changed)


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("says: 综合", "says: 甲: 综合", 14, "YAML 语法错误：第 12 列，这里不能再写“键: 值”"),
        ("    kind: ind", "\tkind: ind", 12, "YAML 语法错误：第 1 列，缩进不能用制表符"),
        ("title: 样例\n", "title: 样\0例\n", 2, "YAML 语法错误：第 9 列有不允许的控制字符（U+0000）"),
        ("title: 样例\n", "title: '样例\n", 2, "YAML 语法错误：第 8 列，从这里开始的引号没有闭合"),
        ("title: 样例\n", "title: [样例}\n", 2, "YAML 语法错误：第 11 列，方括号 [ ] 没有闭合"),
        ("title: 样例\n", "title: {a: b]\n", 2, "YAML 语法错误：第 13 列，花括号 { } 没有闭合"),
        ("title: 样例\n", 'title: "\\q"\n', 2, "YAML 语法错误：第 9 列，双引号里的反斜线"),
        ("title: 样例\n", "title: |z\n", 2, "YAML 语法错误：第 9 列，这里的写法无法理解"),
        ("title: 样例\n", f"title: {'x' * 2001}\n", 2, "“title”太长：最多 2000 字"),
        ("id: sample\n", "id: Sample\n", 1, "“Sample”只能用小写字母、数字和连接符"),
        ("figure: util", "figure: Util", 19, "“Utilisation_rate_pct”只能用小写字母、数字和下划线"),
        ("title: 样例\n", "title: 样例\nregion: 重庆\n", 3, "“重庆”须是六位数字的行政区划代码"),
        ('value: "80"', "value: [80]", 18, "“value”须是十进制数"),
        ("in_force_from: 2026-01-01\ncriteria", "in_force_from: [1]\ncriteria", 9, "“in_force_from”须是日期"),
        ("subject_kind: ENTERPRISE", "subject_kind:", 3, "“”不在可选值之内：ENTERPRISE、PARK"),
    ],
)
def test_a_fault_is_told_in_chinese(tmp_path, old, new, line, reason):
    assert SOUND.count(old) >= 1
    [(at, why)] = faults(tmp_path, SOUND.replace(old, new, 1))

    assert (at, why[: len(reason)]) == (line, reason)
    assert not re.search(r"[a-z]{3,} [a-z]{2,}|[a-z]+_(type|long|parsing)|\n", why)


def test_the_answers_that_may_be_given_are_listed_without_english(tmp_path):
    assert faults(tmp_path, SOUND + SECOND.replace('"YES"', "是")) == [(24, "“是”不在可选值之内：YES、NO")]


def test_why_a_file_cannot_be_read_is_told_in_chinese(tmp_path):
    loop = tmp_path / "loop.yaml"
    loop.symlink_to(loop)
    for path, why in (
        (tmp_path / "none.yaml", "没有这个文件"),
        (tmp_path, "这是文件夹，不是文件"),
        (loop, "系统拒绝读取"),
    ):
        assert check_file(path) == [Fault(path, 1, f"文件无法读取：{why}")]


@pytest.mark.parametrize(
    "second",
    [
        '{from: 2026-01-01, value: "85", source: 一}',
        '{from: 2025-12-01, value: "85", source: 一}',
    ],
)
def test_values_of_one_parameter_do_not_overlap(tmp_path, second):
    text = SOUND.replace("source: 一}\n", f"source: 一}}\n          - {second}\n", 1)

    assert faults(tmp_path, text) == [(19, "参数“rate_min”的生效期间与前一值重叠")]


def test_a_value_ends_before_the_next_begins(tmp_path):
    text = SOUND.replace("from: 2026-01-01, ", "from: 2026-01-01, to: 2026-06-30, ", 1).replace(
        "source: 一}\n", 'source: 一}\n          - {from: 2026-06-30, value: "85", source: 一}\n', 1
    )

    assert faults(tmp_path, text) == [(19, "参数“rate_min”的生效期间与前一值重叠")]


def test_a_number_of_years_is_a_whole_number(tmp_path):
    more = SECOND.replace("expects", "window: years, expects").replace(
        "    test",
        '    parameters: {years: {values: [{from: 2026-01-01, value: "2.5", source: 二}]}}\n    test',
    )

    assert faults(tmp_path, SOUND + more) == [(20, "参数“years”是年数，须为 1 至 50 的整数")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "文件须是一个版本的键值表"),
        (b"- a\n", "文件须是一个版本的键值表"),
        (b"\xff\xfe\x00", "文件不是 UTF-8 编码的文本"),
        (b"a: \x01", "YAML 语法错误"),
        (b"[" * 5000, "内容嵌套过深或过多"),
        (b"a: [" + b"1," * 60_000 + b"]", "内容嵌套过深或过多"),
        (b"# " + b"x" * 600_000, "文件超过 512 KB"),
        (b"a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", "不允许使用锚点或别名"),
        (b"? [a]\n: 1\n", "键须是文字"),
    ],
)
def test_a_hostile_file_is_refused_before_it_grows(tmp_path, content, reason):
    [(_, why)] = faults(tmp_path, content)

    assert why[: len(reason)] == reason


def test_a_norm_ends_after_it_begins_and_an_edition_keeps_its_parents_kind(tmp_path):
    ended = SOUND.replace(
        "  in_force_from: 2026-01-01\n", "  in_force_from: 2026-01-01\n  in_force_to: 2025-01-01\n", 1
    )
    assert faults(tmp_path, ended) == [(9, "文件失效日期早于施行日期")]

    (tmp_path / "sample.yaml").write_text(SOUND)
    child = SOUND.replace("id: sample", "id: child").replace("ENTERPRISE", "PARK")
    child = child.split("criteria:")[0] + "extends: sample\n"
    assert faults(tmp_path, child, "child.yaml") == [(3, "与所扩展版本的对象（企业或园区）不同")]


def test_a_change_names_both_its_level_and_its_years(tmp_path):
    text = SOUND.replace("at_least: rate_min", "at_least: rate_min, change_of: utilisation_rate_pct")

    assert faults(tmp_path, text) == [(19, "change_of、years_back 须同时写或都不写")]


def test_a_file_that_is_not_there_is_refused(tmp_path):
    [fault] = check_file(tmp_path / "none.yaml")

    assert fault.reason.startswith("文件无法读取")


def test_editions_that_extend_each_other_are_refused(tmp_path):
    for own, other in (("a", "b"), ("b", "a")):
        text = SOUND.replace("id: sample", f"id: {own}").replace("criteria:", f"extends: {other}\ncriteria:")
        (tmp_path / f"{own}.yaml").write_text(text)

    with pytest.raises(BrokenEditions) as broken:
        load_editions([tmp_path])

    assert "扩展关系成环：a → b → a" in {fault.reason for fault in broken.value.faults}


def test_two_files_may_not_use_one_id(tmp_path):
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(SOUND)

    with pytest.raises(BrokenEditions) as broken:
        load_editions([tmp_path])

    assert [(f.file.name, f.line) for f in broken.value.faults] == [("b.yaml", 1)]


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BrokenEditions):
        load_editions([tmp_path / "none"])


@pytest.mark.parametrize("path", sorted(loading.OURS.glob("*.yaml")), ids=lambda path: path.stem)
def test_each_of_our_editions_is_sound_where_it_lies(path):
    assert check_file(path, known_indicators=KNOWN) == []


def test_a_copy_of_each_of_our_editions_is_refused_for_its_id_alone(tmp_path):
    for path in sorted(loading.OURS.glob("*.yaml")):
        copy = tmp_path / path.name
        shutil.copy(path, copy)
        line = copy.read_text("utf-8").splitlines().index(f"id: {path.stem}") + 1
        reason = f"版本编号“{path.stem}”已由 {path} 使用"
        assert check_file(copy, known_indicators=KNOWN) == [Fault(copy, line, reason)]
        copy.unlink()


def test_an_edition_takes_over_what_it_extends_and_adds_its_own():
    parent, child = EDITIONS["miit-2025-539-enterprise"], EDITIONS["guangdong-2026-4-enterprise"]

    assert child.criteria[: len(parent.criteria)] == parent.criteria
    assert [c.id for c in child.criteria[len(parent.criteria) :]] == ["eligible-jurisdiction"]
    assert {c.document for c in child.criteria} == {"工信厅联节函〔2025〕539号", "粤工信节能函〔2026〕4号"}
    assert {d.id: d.on.isoformat() for d in child.dates} == {
        "ministry-recommendation": "2026-05-01",
        "city-recommendation": "2026-04-02",
    }
    assert {q.per: (q.number, q.severity) for q in child.quotas} == {
        "province": (5, "in_principle"),
        "city": (2, "in_principle"),
    }
    assert child.forms == parent.forms
    assert child.parameters == parent.parameters


def test_the_chongqing_call_has_its_own_day():
    dates = {d.id: d.on.isoformat() for d in EDITIONS["chongqing-2026-6-park"].dates}

    assert dates == {"ministry-recommendation": "2026-05-01", "city-submission": "2026-04-13"}


def test_a_criterion_is_replaced_only_by_one_that_says_so(tmp_path):
    (tmp_path / "sample.yaml").write_text(SOUND)
    child = SOUND.replace("id: sample", "id: child").replace("criteria:", "extends: sample\ncriteria:")

    [(line, reason)] = faults(tmp_path, child, "child.yaml")
    assert (line, reason) == (12, "编号“basic-1”与所扩展的版本重复（确要替换时写 replaces: true）")

    replaced = child.replace("kind: indicator", "kind: indicator\n    replaces: true").replace('"80"', '"85"')
    assert faults(tmp_path, replaced, "child.yaml") == []
    found = load_editions([tmp_path], known_indicators=KNOWN)["child"]
    assert [str(c.parameters["rate_min"].values[0].value) for c in found.criteria] == ["85"]


def test_the_items_of_the_workbook_are_all_asked_for():
    workbook = {
        "较大及以上污染事故或生态破坏事件", "安全生产事故", "行政处罚", "列入失信企业名单",
        "贮存处置设施符合标准", "独立法人资格", "强制清洁生产审核全部通过验收",
    }  # fmt: skip
    asked = declaration_items(EDITIONS.values())

    assert workbook <= set(asked)
    assert asked["行政处罚"] == ("“信用中国”和国家企业信用信息公示系统",)


def test_each_norm_says_its_own_about_third_party_reports():
    said = {e.id: e.third_party_report for e in EDITIONS.values() if e.third_party_report}

    assert said == {
        "chongqing-2024-4-green-factory": "required",
        "chongqing-2024-4-green-park": "required",
        "chongqing-2026-green-factory": "not_required",
        "chongqing-2026-green-park": "not_required",
    }
