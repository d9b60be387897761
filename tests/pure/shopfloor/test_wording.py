from pathlib import Path

from wufei.shopfloor.reading import FIELDS, Refused
from wufei.shopfloor.refusals import CONFLICTS, Code
from wufei.shopfloor.wording import READING_TEXT, TEXT


def test_every_refusal_has_its_words():
    assert READING_TEXT.keys() == set(Refused)
    assert TEXT.keys() == set(Code)
    assert all(words.endswith("。") for words in (*READING_TEXT.values(), *TEXT.values()))
    assert set(Code) > CONFLICTS


def test_the_page_for_makers_of_scales_names_every_field_and_refusal():
    page = (Path(__file__).parents[3] / "docs/reference/scales.md").read_text()
    assert [code for code, words in READING_TEXT.items() if f"| `{code}` | {words} |" not in page] == []
    assert [name for name in FIELDS if f"`{name}`" not in page] == []
