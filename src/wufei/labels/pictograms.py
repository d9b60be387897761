"""
What do the pictures of the hazards look like? Our own drawings, as polygons in a diamond.

A picture is drawn about (0, 0); the diamond's corners are one unit away. Which ground belongs to which hazard
is from memory: **unverified**.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from wufei.labels.shapes import Colour, Point, Polygon, bar, curve, ellipse, placed


class Hazard(StrEnum):
    """危险特性 of the hazardous-waste list, in its letters."""

    TOXIC = "T"
    CORROSIVE = "C"
    FLAMMABLE = "I"
    REACTIVE = "R"
    INFECTIOUS = "In"


HAZARD_WORDS: Mapping[Hazard, str] = {
    Hazard.TOXIC: "毒性",
    Hazard.CORROSIVE: "腐蚀性",
    Hazard.FLAMMABLE: "易燃性",
    Hazard.REACTIVE: "反应性",
    Hazard.INFECTIOUS: "感染性",
}
GROUNDS: Mapping[Hazard, Colour] = {
    Hazard.TOXIC: Colour.WHITE,
    Hazard.CORROSIVE: Colour.WHITE,
    Hazard.FLAMMABLE: Colour.RED,
    Hazard.REACTIVE: Colour.YELLOW,
    Hazard.INFECTIOUS: Colour.WHITE,
}


def hazards_of(said: str) -> tuple[Hazard, ...]:
    """
    Return the hazards that an entry of the list names: "T,I" and "T/C" alike, for a label shows what may be.

    >>> [hazard.value for hazard in hazards_of("T/C/In")]
    ['T', 'C', 'In']
    """
    letters = [part.strip() for part in said.replace("，", ",").replace("/", ",").split(",")]
    known = {hazard.value: hazard for hazard in Hazard}
    return tuple(dict.fromkeys(known[letter] for letter in letters if letter in known))


@dataclass(frozen=True, slots=True)
class _Pen:
    """Draws in black; what is cut out has the colour of the ground."""

    ground: Colour

    def ink(self, points: tuple[Point, ...]) -> Polygon:
        return Polygon(points, Colour.BLACK)

    def hole(self, points: tuple[Point, ...]) -> Polygon:
        return Polygon(points, self.ground)


def pictogram(hazard: Hazard) -> list[Polygon]:
    """Return the diamond of a hazard, in the order in which it is drawn."""
    pen = _Pen(GROUNDS[hazard])
    draw, scale, lower = _DRAWN[hazard]
    symbol = placed(draw(pen), x=0, y=lower, scale=scale)
    return [Polygon(_diamond(1), Colour.BLACK), pen.hole(_diamond(0.93)), *symbol]


def warning_triangle() -> list[Polygon]:
    """Return the triangle of a warning sign with an exclamation mark, black on yellow, in a square of two units."""
    outer: tuple[Point, ...] = ((0, -0.88), (1, 0.84), (-1, 0.84))
    inner = tuple((x * 0.84, y * 0.84 + 0.05) for x, y in outer)
    return [
        Polygon(outer, Colour.BLACK),
        Polygon(inner, Colour.YELLOW),
        Polygon(((-0.1, -0.33), (0.1, -0.33), (0.065, 0.33), (-0.065, 0.33)), Colour.BLACK),
        Polygon(ellipse(0, 0.52, 0.1, 0.1), Colour.BLACK),
    ]


def _diamond(reach: float) -> tuple[Point, ...]:
    return ((0, -reach), (reach, 0), (0, reach), (-reach, 0))


def _skull(pen: _Pen) -> list[Polygon]:
    bones = []
    for side in (-1, 1):
        start, end = (-0.5 * side, 0.02), (0.5 * side, 0.5)
        bones.append(pen.ink(bar(start, end, 0.12)))
        for x, y in (start, end):
            for dx, dy in ((0.035, 0.075), (-0.035, -0.075)):
                bones.append(pen.ink(ellipse(x + dx * -side, y + dy, 0.085, 0.085)))
    return [
        *bones,
        pen.hole(ellipse(0, -0.2, 0.41, 0.39)),
        pen.hole(((-0.27, -0.05), (0.27, -0.05), (0.24, 0.35), (-0.24, 0.35))),
        pen.ink(ellipse(0, -0.22, 0.36, 0.34)),
        pen.ink(((-0.22, 0), (0.22, 0), (0.19, 0.29), (-0.19, 0.29))),
        pen.hole(ellipse(-0.15, -0.14, 0.095, 0.1)),
        pen.hole(ellipse(0.15, -0.14, 0.095, 0.1)),
        pen.hole(((0, -0.02), (0.055, 0.085), (-0.055, 0.085))),
        *(pen.hole(bar((x, 0.15), (x, 0.3), 0.028)) for x in (-0.095, 0, 0.095)),
    ]


def _corrosion(pen: _Pen) -> list[Polygon]:
    drawn = [
        *_test_tube(pen, (-0.5, -0.36), (-0.1, -0.22)),
        *_test_tube(pen, (0.5, -0.36), (0.1, -0.22)),
    ]
    for x in (-0.26, 0.24):
        for y in (-0.06, 0.09):
            drawn.append(pen.ink(ellipse(x, y + 0.03, 0.035, 0.045)))
            drawn.append(pen.ink(((x - 0.025, y + 0.012), (x, y - 0.055), (x + 0.025, y + 0.012))))
    # A plate that is eaten into, and a hand.
    drawn.append(pen.ink(((-0.62, 0.27), (-0.04, 0.27), (-0.04, 0.35), (-0.62, 0.35))))
    drawn.append(pen.hole(((-0.37, 0.26), (-0.15, 0.26), (-0.21, 0.315), (-0.28, 0.295), (-0.33, 0.325))))
    hand = curve(
        (0.04, 0.32), (0.1, 0.22), (0.34, 0.17), (0.5, 0.21), (0.58, 0.23), (0.62, 0.27), (0.62, 0.3),
        (0.56, 0.37), (0.46, 0.42), (0.32, 0.42), (0.22, 0.42), (0.1, 0.4), (0.04, 0.32),
    )  # fmt: skip
    drawn.append(pen.ink(hand))
    drawn.append(pen.hole(((0.16, 0.17), (0.33, 0.15), (0.3, 0.255), (0.245, 0.225), (0.2, 0.27))))
    return drawn


def _test_tube(pen: _Pen, far: Point, mouth: Point) -> list[Polygon]:
    """A tube that lies aslant, its mouth lower, half full."""
    inner_far = (far[0] * 0.95 + mouth[0] * 0.05, far[1] * 0.95 + mouth[1] * 0.05)
    middle = ((far[0] + mouth[0]) / 2, (far[1] + mouth[1]) / 2)
    return [
        pen.ink(ellipse(*far, 0.095, 0.095)),
        pen.ink(bar(far, mouth, 0.19)),
        pen.hole(ellipse(*inner_far, 0.055, 0.055)),
        pen.hole(bar(inner_far, mouth, 0.11)),
        pen.ink(bar(middle, (mouth[0], mouth[1] + 0.03), 0.085)),
    ]


def _flame(pen: _Pen) -> list[Polygon]:
    outer = curve(
        (0.02, -0.72), (0.1, -0.5), (0.36, -0.28), (0.36, 0.04), (0.36, 0.1), (0.34, 0.16), (0.3, 0.22),
        (0.3, 0.1), (0.27, 0.02), (0.2, -0.05), (0.22, 0.1), (0.2, 0.22), (0.14, 0.36),
        (0.06, 0.38), (-0.06, 0.38), (-0.14, 0.36), (-0.34, 0.26), (-0.42, 0.02), (-0.3, -0.18),
        (-0.28, -0.06), (-0.25, 0.0), (-0.19, 0.04), (-0.22, -0.22), (0.04, -0.42), (0.02, -0.72),
    )  # fmt: skip
    inner = curve(
        (0.0, -0.16), (0.02, -0.02), (0.14, 0.06), (0.12, 0.2), (0.11, 0.28), (0.06, 0.33), (0.0, 0.34),
        (-0.08, 0.33), (-0.13, 0.27), (-0.12, 0.19), (-0.1, 0.06), (0.02, 0.0), (0.0, -0.16),
    )  # fmt: skip
    return [
        pen.ink(outer),
        pen.hole(inner),
        pen.ink(((-0.36, 0.44), (0.36, 0.44), (0.36, 0.52), (-0.36, 0.52))),
    ]


def _burst(pen: _Pen) -> list[Polygon]:
    """A round body that bursts, its splinters flying."""
    rays: list[Point] = []
    for at in range(24):
        angle = 2 * math.pi * at / 24 - math.pi / 2
        reach = (0.5, 0.27, 0.4, 0.27)[at % 4]
        rays.append((reach * math.cos(angle), reach * math.sin(angle)))
    drawn = [pen.ink(tuple(rays)), pen.hole(ellipse(0, 0, 0.225, 0.225)), pen.ink(ellipse(0, 0, 0.18, 0.18))]
    drawn.append(
        pen.hole(((-0.03, -0.2), (0.05, -0.06), (-0.02, 0.0), (0.06, 0.2), (-0.07, 0.02), (0.0, -0.04)))
    )
    for at in range(6):
        angle = 2 * math.pi * at / 6
        x, y = 0.55 * math.cos(angle), 0.55 * math.sin(angle)
        drawn.append(pen.ink(ellipse(x, y, 0.06, 0.034, turn=math.degrees(angle))))
    return drawn


def _biohazard(pen: _Pen) -> list[Polygon]:
    """Three open rings about a middle one."""
    turns = [math.radians(-90 + 120 * at) for at in range(3)]
    drawn = [pen.ink(ellipse(0.25 * math.cos(t), 0.25 * math.sin(t), 0.31, 0.31)) for t in turns]
    drawn += [pen.hole(ellipse(0.335 * math.cos(t), 0.335 * math.sin(t), 0.235, 0.235)) for t in turns]
    # The rings are open outwards and stand apart from each other.
    drawn += [pen.hole(bar(_at(t, 0.42), _at(t, 0.6), 0.15)) for t in turns]
    drawn += [pen.hole(bar(_at(t, 0.02), _at(t, 0.2), 0.05)) for t in turns]
    arcs = [pen.ink(_arc(t)) for t in turns]
    return [*drawn, *arcs, pen.hole(ellipse(0, 0, 0.075, 0.075))]


def _arc(turn: float) -> tuple[Point, ...]:
    """A piece of the middle ring, within the open ring that points this way."""
    angles = [turn - 0.62 + 1.24 * at / 20 for at in range(21)]
    return (*(_at(a, 0.335) for a in angles), *(_at(a, 0.28) for a in reversed(angles)))


def _at(angle: float, reach: float) -> Point:
    return reach * math.cos(angle), reach * math.sin(angle)


# How each is drawn, how large it fits into the diamond, and how much lower it then stands.
_DRAWN: Mapping[Hazard, tuple[Callable[[_Pen], list[Polygon]], float, float]] = {
    Hazard.TOXIC: (_skull, 0.78, -0.03),
    Hazard.CORROSIVE: (_corrosion, 0.82, 0.02),
    Hazard.FLAMMABLE: (_flame, 0.95, 0.02),
    Hazard.REACTIVE: (_burst, 0.95, 0.0),
    Hazard.INFECTIOUS: (_biohazard, 0.9, 0.02),
}
