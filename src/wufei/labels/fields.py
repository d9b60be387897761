"""
How are a label's contents set so that they never overflow?

A line that is too long is broken; if the whole is too high, all text is made smaller, as far as the smallest
that is allowed; if that is not enough, the longest contents end in an ellipsis, and the picture says which.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wufei.labels.shapes import HAN_DEPTH, HAN_HEIGHT, Words, shortened, width_of, wrapped

LINE = 1.2  # of the em, from baseline to baseline
_STEPS = 12  # sizes that are tried between the largest and the smallest


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    name: str  # 废物名称
    text: str
    may_be_cut: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Fields one below the other; something else may stand beside them and need a height of its own."""

    fields: tuple[Field, ...]
    width: float
    least_height: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """At which size the blocks fit, how high each is, and what had to be cut."""

    em: float
    lines: Mapping[str, tuple[str, ...]]  # by the field's name
    heights: tuple[float, ...]
    cut: tuple[str, ...]


def fit(
    blocks: Sequence[Block], *, height: float, padding: float, largest_em: float, least_em: float
) -> Setting:
    """Return how the blocks are set in a height; `padding` is above and below each."""
    for step in range(_STEPS + 1):
        em = largest_em - (largest_em - least_em) * step / _STEPS
        lines = {field.name: _lines(field, block.width, em) for block in blocks for field in block.fields}
        heights = _heights(blocks, lines, em, padding)
        if sum(heights) <= height:
            return Setting(em=em, lines=lines, heights=_spread(heights, height), cut=())
    return _cut_to_fit(blocks, lines, height=height, padding=padding, em=least_em)


def _cut_to_fit(
    blocks: Sequence[Block], lines: dict[str, tuple[str, ...]], *, height: float, padding: float, em: float
) -> Setting:
    widths = {field.name: block.width for block in blocks for field in block.fields}
    may = [field for block in blocks for field in block.fields if field.may_be_cut]
    cut: dict[str, None] = {}
    while sum(heights := _heights(blocks, lines, em, padding)) > height:
        tight = [block for block in blocks if _text_height(block, lines, em, padding) > block.least_height]
        able = [f for f in may if len(lines[f.name]) > 1 and any(f in block.fields for block in tight)]
        assert able, "with one line each everything fits: the tests hold it"
        longest = max(able, key=lambda field: len(lines[field.name]))
        kept = lines[longest.name][:-1]
        room = widths[longest.name] - width_of(f"{longest.name}：", em)
        last = shortened(kept[-1] + lines[longest.name][-1], em, room)
        lines = lines | {longest.name: (*kept[:-1], last)}
        cut[longest.name] = None
    return Setting(em=em, lines=lines, heights=_spread(heights, height), cut=tuple(cut))


def _lines(field: Field, width: float, em: float) -> tuple[str, ...]:
    return tuple(wrapped(field.text, em, width - width_of(f"{field.name}：", em)))


def _text_height(block: Block, lines: Mapping[str, tuple[str, ...]], em: float, padding: float) -> float:
    return sum(len(lines[field.name]) for field in block.fields) * LINE * em + 2 * padding


def _heights(
    blocks: Sequence[Block], lines: Mapping[str, tuple[str, ...]], em: float, padding: float
) -> tuple[float, ...]:
    return tuple(max(block.least_height, _text_height(block, lines, em, padding)) for block in blocks)


def _spread(heights: Sequence[float], height: float) -> tuple[float, ...]:
    """Share what is left over among the blocks."""
    left = (height - sum(heights)) / len(heights)
    return tuple(each + left for each in heights)


def set_block(block: Block, setting: Setting, *, x: float, y: float, height: float) -> list[Words]:
    """Return the block's lines, its fields spread over the height, each text beside its name."""
    em = setting.em
    count = sum(len(setting.lines[field.name]) for field in block.fields)
    padding = min((height - count * LINE * em) / (len(block.fields) + 1), em)
    top = y + (height - count * LINE * em - padding * (len(block.fields) - 1)) / 2
    drawn: list[Words] = []
    for field in block.fields:
        indent = width_of(f"{field.name}：", em)
        drawn.append(Words(x, _baseline(top, em), f"{field.name}：", em))
        for line in setting.lines[field.name]:
            if line:
                drawn.append(Words(x + indent, _baseline(top, em), line, em))
            top += LINE * em
        top += padding
    return drawn


def _baseline(top: float, em: float) -> float:
    """Return the baseline of a line whose characters stand in the middle of its height."""
    return top + (LINE * em + HAN_HEIGHT * em) / 2 - HAN_DEPTH * em
