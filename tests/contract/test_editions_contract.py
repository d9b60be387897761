"""`wufei editions check`: a broken file is refused with file, line and reason; a new province is another file."""

import json

import pytest

from tests.contract.workbooks import enterprise, moved, save, uscc, workbook

SOUND = """\
id: sichuan-2026-1-enterprise
title: 四川省征集
subject_kind: ENTERPRISE
extends: miit-2025-539-enterprise
norm:
  number: 川经信〔2026〕1号
  title: 通知
  issuer: 四川省经济和信息化厅
  in_force_from: 2026-02-01
in_force_from: 2026-02-01
addressees: [各市州]
dates:
  - {id: province-submission, label: 报省, on: 2026-04-20, clause: 正文}
criteria:
  - id: eligible-jurisdiction
    kind: gate
    clause: 正文
    says: 四川省内的企业。
    test: {fact: division_code, name: 行政区划代码, starts_with: ["51"]}
  - id: output-large
    kind: indicator
    clause: 二
    says: 产生量不低于 50 吨。
    parameters:
      least:
        values:
          - {from: 2026-02-01, value: "50", unit: 吨, source: 二}
    test: {figure: generation_t, name: 产生量, at_least: least}
"""


def changed(old: str, new: str) -> str:
    assert SOUND.count(old) >= 1, old
    return SOUND.replace(old, new, 1)


def line_of(text: str, marker: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), start=1) if marker in line)


# What is broken, the file, and a text on the line that is to be named.
BROKEN = {
    "no criterion without a clause": (changed("    clause: 二\n", ""), "id: output-large"),
    "a key nobody knows": (changed("    kind: indicator", "    kind: indicator\n    weihgt: 5"), "weihgt"),
    "a kind that there is not": (changed("kind: gate", "kind: gates"), "kind: gates"),
    "a number with a sign of per cent": (changed('value: "50"', 'value: "50%"'), "50%"),
    "a number with an exponent": (changed('value: "50"', 'value: "5e1"'), "5e1"),
    "a parameter that is not given": (changed("at_least: least", "at_least: most"), "at_least: most"),
    "an indicator that there is not": (changed("figure: generation_t", "figure: generation_x"), "generation_x"),
    "a day that there is not": (changed("on: 2026-04-20", "on: 2026-02-30"), "2026-02-30"),
    "a day in another form": (changed("on: 2026-04-20", "on: 2026/4/20"), "2026/4/20"),
    "an id twice": (changed("id: output-large", "id: eligible-jurisdiction"), None),
    "an id in capitals": (changed("id: output-large", "id: OutputLarge"), "OutputLarge"),
    "extends what is not there": (changed("extends: miit-2025-539-enterprise", "extends: nothing-there"), "extends"),
    "extends itself": (changed("extends: miit-2025-539-enterprise", "extends: sichuan-2026-1-enterprise"), "extends"),
    "extends one for parks": (changed("extends: miit-2025-539-enterprise", "extends: miit-2025-539-park"), None),
    "in force before its norm": (changed("in_force_from: 2026-02-01\naddr", "in_force_from: 2025-02-01\naddr"), "in_force_from: 2025-02-01"),
    "two bounds at once": (changed("at_least: least}", "at_least: least, at_most: least}"), None),
    "no bound": (changed(", at_least: least}", "}"), None),
    "two conditions in one": (changed("{figure: generation_t,", "{figure: generation_t, stated: x,"), None),
    "a condition of no kind": (changed("{figure: generation_t, name: 产生量, at_least: least}", "{name: 产生量}"), None),
    "no norm": (SOUND.replace(SOUND[SOUND.index("norm:"):SOUND.index("in_force_from: 2026-02-01\naddr")], ""), None),
    "tabs": (changed("    kind: gate", "\tkind: gate"), None),
    "a bracket left open": (changed('starts_with: ["51"]}', 'starts_with: ["51"}'), None),
    "an anchor": (changed("addressees: [各市州]", "addressees: &a [各市州]"), "addressees"),
    "a tag of Python": (changed("title: 四川省征集", "title: !!python/object/apply:os.system [id]"), "python"),
    "a key twice": (changed("    kind: indicator", "    kind: indicator\n    kind: gate"), None),
    "only a list": ("- a\n- b\n", None),
    "nothing at all": ("", None),
    "two editions in one file": (SOUND + "---\n" + SOUND, None),
    "a quota of a fraction": (changed("dates:\n", 'quotas:\n  - {id: q, number: "2.5", per: city, clause: 二, says: 名额}\ndates:\n'), "2.5"),
    "replaces nothing": (changed("    kind: indicator", "    kind: indicator\n    replaces: true"), None),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_edition_is_refused_with_file_line_and_reason(wufei, tmp_path, name):
    text, marker = BROKEN[name]
    path = tmp_path / "川.yaml"
    path.write_text(text, encoding="utf-8")
    answer = wufei("editions", "check", path)
    assert (answer.code, answer.out) == (1, ""), answer.out
    lines = []
    for told in answer.err.splitlines():
        file, line, reason = told.removeprefix(str(path)), *told.removeprefix(f"{path}:").split(":", 1)
        assert file != told, "the file is named"
        assert any("一" <= c <= "鿿" for c in reason), reason
        lines.append(int(line))
    assert 1 <= lines[0] <= max(1, len(text.splitlines()))
    if marker:
        assert line_of(text, marker) in lines


@pytest.mark.parametrize("content", [b"\xff\xfe\x00a", "id: 标题\n".encode("gbk"), b"\x00\x01\x02"])
def test_what_is_not_text_is_refused(wufei, tmp_path, content):
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    answer = wufei("editions", "check", path)
    assert answer.code == 1
    assert str(path) in answer.err


def test_a_file_that_is_not_there_is_refused(wufei, tmp_path):
    answer = wufei("editions", "check", tmp_path / "no.yaml")
    assert (answer.code, str(tmp_path / "no.yaml") in answer.err) == (1, True)


def test_a_sound_edition_is_good(wufei, tmp_path):
    path = tmp_path / "川.yaml"
    path.write_text(SOUND, encoding="utf-8")
    assert wufei("editions", "check", path).code == 0
    answer = wufei("editions", "check", path, "--json")
    assert (answer.code, answer.json["ok"]) == (0, True)


def test_an_id_that_another_edition_at_hand_has_is_refused_as_loading_refuses_it(wufei, tmp_path):
    path = tmp_path / "川.yaml"
    path.write_text(changed("id: sichuan-2026-1-enterprise", "id: miit-2025-539-park"), encoding="utf-8")

    answer = wufei("editions", "check", path)

    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith(f"{path}:1: 版本编号“miit-2025-539-park”已由 ")


def test_a_province_is_added_by_a_folder_and_judged_by(on_a_store, tmp_path):
    folder = tmp_path / "editions"
    folder.mkdir()
    (folder / "川.yaml").write_text(SOUND, encoding="utf-8")
    code = uscc(1, prefix="91510100MA")
    where = {"省": "四川省", "市": "成都市", "区县": "武侯区"}
    book = workbook(enterprise(code, **where), ledger=[moved("2025-03-05", "W01", "产生", "49.999999")])
    assert on_a_store("import", save(book, tmp_path / "a.xlsx"), "--json").code == 0

    added = ("--editions", folder)
    assert "sichuan-2026-1-enterprise" in [
        e["id"] for e in on_a_store("editions", "--json", options=added).json
    ]
    asked = ("evaluate", code, "--edition", "sichuan-2026-1-enterprise", "--year", 2025, "--json")
    answer = on_a_store(*asked, options=added)
    assert answer.code == 0, answer.err
    verdicts = {c["id"]: c["verdict"] for c in answer.json["criteria"]}
    assert (verdicts["eligible-jurisdiction"], verdicts["output-large"]) == ("met", "not_met")
    assert "basic-5" in verdicts, "what it extends is taken over"
    assert on_a_store(*asked).code == 1, "without the folder it is not known"

    (folder / "坏.yaml").write_text(
        BROKEN["a key nobody knows"][0].replace("sichuan-2026-1", "sichuan-2026-2"), encoding="utf-8"
    )
    refused = on_a_store(*asked, options=added)
    assert (refused.code, refused.out) == (1, "")
    assert "坏.yaml" in refused.err
    assert "Traceback" not in refused.err
    missing = on_a_store("editions", "--json", options=("--editions", tmp_path / "no-such"))
    assert (missing.code, "Traceback" in missing.err) == (1, False)
    assert json.dumps(answer.json, ensure_ascii=False).count("川经信〔2026〕1号") >= 1
