from decimal import Decimal

import pytest

from wufei.cases import narrative

TEXT = "{}把炉渣分类贮存，送相邻建材厂做透水砖；{}每周核对一次台账与库存，差额超过百分之一即停线查找原因，并把结果公布在车间。"


@pytest.mark.parametrize(
    ("name", "written_as"),
    [
        ("重庆綦岳铸造有限公司", "重庆綦岳铸造有限公司"),
        ("重庆綦岳铸造有限公司", "綦岳铸造"),
        ("重庆綦江新型建材厂（演示）", "重庆綦江新型建材厂"),
        ("四川省江油水泥股份有限公司", "江油水泥"),
    ],
)
def test_a_name_is_taken_out_as_it_is_written(name, written_as):
    said = {"practices": TEXT.format(written_as, written_as)}
    assert narrative.masked(said, name) == {"practices": TEXT.format("本单位", "本单位")}


def test_a_short_name_takes_no_word_of_the_trade_out():
    assert narrative.names_in("铸造厂") == []
    assert narrative.masked({"plan": "铸造厂内"}, "铸造厂") == {"plan": "铸造厂内"}


def test_texts_with_swapped_names_have_the_same_sketch_and_share_all():
    texts = [
        {"practices": TEXT.format(name, name)} for name in ("重庆綦岳铸造有限公司", "重庆綦水纸业有限公司")
    ]
    one, other = (
        narrative.masked(t, n)
        for t, n in zip(texts, ("重庆綦岳铸造有限公司", "重庆綦水纸业有限公司"), strict=True)
    )
    assert narrative.sketch(texts[0], "重庆綦岳铸造有限公司") == narrative.sketch(
        texts[1], "重庆綦水纸业有限公司"
    )
    assert narrative.shared(one, other) == [narrative.Alike("practices", Decimal(1))]


def test_what_is_not_written_is_no_text():
    assert narrative.masked({"plan": " ", "practices": None, "email": "a@b.cn"}, "某某有限公司") == {}
    assert narrative.sketch({}, "某某有限公司") == []
