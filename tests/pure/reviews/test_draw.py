"""The draw is redone here with nothing but SHA-256, as `docs/reference/draw.md` tells a stranger to."""

import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufei.reviews.draw import Candidate, Drawn, NotEnoughCandidates, commitment, draw, keeps, key

FIELDS = ("固体废物资源化", "清洁生产", "园区管理")
PAGE = Path(__file__).parents[3] / "docs/reference/draw.md"


def sha256sum(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def pools(largest: int = 30):
    numbers = st.lists(st.from_regex("[A-Z][0-9]{1,4}", fullmatch=True), unique=True, max_size=largest)
    fields = st.lists(st.sampled_from(FIELDS), unique=True, max_size=3).map(tuple)
    return numbers.flatmap(lambda ns: st.tuples(*(st.builds(Candidate, st.just(n), fields) for n in ns)))


def numbers(found: tuple[Drawn, ...]) -> list[str]:
    return [each.number for each in found]


@given(pools(), st.text(max_size=40), st.integers(0, 30), st.randoms())
def test_the_same_seed_draws_the_same_in_whatever_order_the_candidates_come(pool, seed, n, random):
    n = min(n, len(pool))
    mixed = list(pool)
    random.shuffle(mixed)
    assert draw(pool, seed=seed, number=n) == draw(mixed, seed=seed, number=n)


@given(pools(), st.text(max_size=40), st.integers(0, 30))
def test_it_draws_as_many_as_asked_each_once_and_only_candidates(pool, seed, n):
    n = min(n, len(pool))
    found = numbers(draw(pool, seed=seed, number=n))
    assert len(found) == len(set(found)) == n
    assert set(found) <= {each.number for each in pool}


@given(pools(), st.text(max_size=40), st.integers(1, 30))
def test_a_stranger_with_a_calculator_draws_the_same(pool, seed, n):
    n = min(n, len(pool))
    by_hand = sorted((each.number for each in pool), key=lambda number: sha256sum(f"{seed}||{number}"))[:n]
    assert numbers(draw(pool, seed=seed, number=n)) == by_hand


@given(pools(), st.text(max_size=40))
def test_who_is_left_out_changes_nobody_elses_place(pool, seed):
    whole = numbers(draw(pool, seed=seed, number=len(pool)))
    for gone in pool[:3]:
        rest = [each for each in pool if each != gone]
        assert numbers(draw(rest, seed=seed, number=len(rest))) == [n for n in whole if n != gone.number]


@given(pools(), st.text(max_size=40), st.dictionaries(st.sampled_from(FIELDS), st.integers(1, 3)))
def test_by_field_each_field_gets_its_number_of_its_own_experts(pool, seed, per_field):
    try:
        found = draw(pool, seed=seed, per_field=per_field)
    except NotEnoughCandidates:
        of_field = {f: sum(f in each.fields for each in pool) for f in per_field}
        assert any(of_field[f] < sum(per_field.values()) for f in per_field)
        return
    fields = {each.number: each.fields for each in pool}
    assert len({each.number for each in found}) == len(found) == sum(per_field.values()) or not per_field
    for each in found:
        assert not each.field or each.field in fields[each.number]
        assert each.key == sha256sum(f"{seed}|{each.field}|{each.number}")
    if per_field:
        for field, n in per_field.items():
            assert sum(each.field == field for each in found) == n


def test_a_seed_is_known_by_its_sha256():
    assert commitment("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert commitment("无废") == sha256sum("无废")
    assert keeps("无废", sha256sum("无废"))
    assert not keeps("无废 ", sha256sum("无废"))


def test_too_few_candidates_are_refused_with_the_field():
    with pytest.raises(NotEnoughCandidates) as few:
        draw([Candidate("Z1", ("清洁生产",))], seed="s", per_field={"清洁生产": 2})
    assert (few.value.field, few.value.wanted, few.value.available) == ("清洁生产", 2, 1)


def test_a_candidate_that_stands_twice_is_a_fault_of_the_caller():
    with pytest.raises(AssertionError):
        draw([Candidate("Z1"), Candidate("Z1")], seed="s", number=1)


def test_the_worked_example_of_the_manual_is_true():
    """Every line `digest  text` of the page, and the draw it comes to."""
    page = PAGE.read_text("utf-8")
    lines = [(text, said) for said, text in re.findall(r"^([0-9a-f]{64})  (.+)$", page, re.MULTILINE)]
    assert len(lines) == 6
    assert [(text, sha256sum(text)) for text, _ in lines] == lines
    seed = lines[0][0]
    pool = [
        Candidate(n, tuple(f.split("、"))) for n, f in re.findall(r"^\| (Z\d+) \| ([^|]+?) \|$", page, re.M)
    ]
    per_field = {f: int(n) for f, n in re.findall(r"^- (\S+) (\d+) 位$", page, re.M)}
    said = re.findall(r"^\d\. \*\*(Z\d+)\*\*（(\S+?)）", page, re.M)
    found = draw(pool, seed=seed, per_field=per_field)
    assert [(each.number, each.field) for each in found] == said
    assert key(seed, said[0][1], said[0][0]) in page
