import pytest

from wufei.cases.counting import check, text_length

PARAGRAPH = "园区坚持源头减量和就近利用，推动粉煤灰、脱硫石膏和冶炼渣在园区内循环。"  # 35


@pytest.mark.parametrize(
    ("text", "words", "characters"),
    [
        ("", 0, 0),
        ("固废", 2, 2),
        ("固废。", 3, 3),
        ("固 废\n\t　。", 3, 3),
        ("GB 18597", 2, 7),
        ("GB18597", 1, 7),
        ("HW08 废矿物油", 5, 8),
        ("94.10%", 1, 6),
        ("1,200 吨", 2, 6),
        ("2022—2025年", 4, 10),
        ("“无废园区”", 6, 6),
        ("A、B", 3, 3),
        ("e-mail", 2, 6),
        ("end. Next", 2, 8),
        ("１２吨", 3, 3),
        ("≥80%", 2, 4),
        ("𠮷", 1, 1),
        ("a\u200bb", 1, 2),
        ("é\u0301", 1, 1),
    ],
)
def test_text_length(text, words, characters):
    length = text_length(text)

    assert (length.words, length.characters) == (words, characters)


def test_a_chinese_paragraph_of_370_characters_counts_370():
    paragraph = (PARAGRAPH * 11)[:370]

    assert len(paragraph) == 370
    assert (text_length(paragraph).words, text_length(paragraph).characters) == (370, 370)


def test_the_length_of_two_texts_adds_up():
    assert text_length("一二") + text_length("三 4") == text_length("一二三 4")


@pytest.mark.parametrize(("length", "is_over", "left"), [(199, False, 1), (200, False, 0), (201, True, -1)])
def test_a_limit_is_exact_at_its_boundary(length, is_over, left):
    found = check("字" * length, 200)

    assert (found.is_over, found.words_left) == (is_over, left)
