"""Every refusal and every fault has its words."""

from wufei.transfers.content import canonical, content_hash
from wufei.transfers.refusals import Code, Reason, TransferRefused, refused
from wufei.transfers.wording import REFUSAL_TEXT, words


def test_every_refusal_has_words():
    assert list(REFUSAL_TEXT) == list(Code)
    assert len(set(REFUSAL_TEXT.values())) == len(Code)


def test_words_say_what_is_known():
    assert words(Reason(Code.CAPACITY_EXHAUSTED, detail="剩 2 吨")).endswith("（剩 2 吨）")
    assert "（剩" not in words(Reason(Code.CAPACITY_EXHAUSTED))


def test_a_refusal_names_its_first_code():
    assert refused(Code.SEALED).code is Code.SEALED
    assert "lines.0 lot_unknown B1" in str(TransferRefused(Reason(Code.LOT_UNKNOWN, "lines.0", "B1")))


def test_the_hash_is_of_the_content_not_of_its_order():
    assert content_hash({"a": 1, "乙": [2]}) == content_hash({"乙": [2], "a": 1})
    assert content_hash({"a": 1}) != content_hash({"a": "1"})
    assert canonical({"b": 1, "a": "油"}) == '{"a":"油","b":1}'
