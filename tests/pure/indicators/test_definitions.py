"""The list of indicators: each once, cited, and complete."""

from wufei.indicators.definitions import INDICATORS, PARK_COUNTERPARTS, park_id

CONTRACT = {
    "generation_t", "utilisation_t", "disposal_t", "stock_t", "utilisation_rate_pct", "disposal_rate_pct",
    "generation_intensity_t_per_10k_yuan", "generation_per_product",
}  # fmt: skip


def test_the_ids_of_the_contract_are_there():
    assert set(INDICATORS) >= CONTRACT


def test_every_indicator_has_a_name_a_unit_a_formula_and_a_clause():
    for key, indicator in INDICATORS.items():
        assert key == indicator.id
        assert indicator.name
        assert indicator.unit or len(indicator.words) == 2, "an amount has a unit, a question its answers"
        assert indicator.formula
        assert indicator.source.document


def test_names_are_told_apart():
    names = [indicator.name for indicator in INDICATORS.values()]
    assert sorted(set(names)) == sorted(names)


def test_each_park_counterpart_has_its_plain_indicator():
    for plain in PARK_COUNTERPARTS:
        assert plain in INDICATORS
        assert INDICATORS[park_id(plain)].is_of_park
        assert INDICATORS[park_id(plain)].unit == INDICATORS[plain].unit
