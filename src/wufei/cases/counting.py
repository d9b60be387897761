"""
How long is a Chinese text?

A CJK character or full-width mark counts 1, a run of Latin letters or digits counts 1, half-width
marks and spaces count nothing: about what 字数 means in WPS and Word. The plain number of characters
without spaces is given beside it, for whoever counts that way.
"""

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TextLength:
    words: int  # 字数: what the limits of the forms are held against
    characters: int  # 字符数（不计空格）

    def __add__(self, other: "TextLength") -> "TextLength":
        return TextLength(self.words + other.words, self.characters + other.characters)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitCheck:
    """How a text stands against the limit of the form."""

    length: TextLength
    limit: int

    @property
    def is_over(self) -> bool:
        return self.length.words > self.limit

    @property
    def words_left(self) -> int:
        return self.limit - self.length.words


def text_length(text: str) -> TextLength:
    """
    Return the length of the text, counted both ways.

    >>> text_length("综合利用率达到 94.10%，按 GB 18597 执行。")
    TextLength(words=15, characters=25)
    """
    words = characters = 0
    in_run = False
    for index, character in enumerate(text):
        if not _is_visible(character):
            in_run = in_run and not character.isspace()
            continue
        characters += 1
        if _counts_alone(character):
            words += 1
            in_run = False
        elif character.isalnum():
            words += not in_run
            in_run = True
        else:
            in_run = in_run and _is_within_number(text, index)
    return TextLength(words, characters)


def _is_visible(character: str) -> bool:
    """Spaces, control characters, joiners, selectors and combining marks take no place of their own."""
    return not character.isspace() and unicodedata.category(character) not in (
        "Cc",
        "Cf",
        "Mn",
        "Me",
        "Cn",
        "Cs",
    )


def _counts_alone(character: str) -> bool:
    if unicodedata.east_asian_width(character) in ("W", "F"):
        return True
    # “ ” … — ≥ ① ℃: marks outside ASCII stand in a full square in Chinese text.
    return not character.isascii() and unicodedata.category(character)[0] in "PSN"


def _is_within_number(text: str, index: int) -> bool:
    """A point or comma between two digits belongs to the number: 94.10 and 1,200 count 1."""
    before, mark, after = text[index - 1 : index], text[index], text[index + 1 : index + 2]
    return mark in ".," and before.isdecimal() and after.isdecimal()


def check(text: str, limit: int) -> LimitCheck:
    """Return how the text stands against the limit."""
    return LimitCheck(length=text_length(text), limit=limit)
