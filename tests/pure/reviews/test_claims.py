import pytest

from wufei.reviews.claims import Figure


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("98.1203007518796992481203007518797", "98.12"),
        ("0.04761904761904", "0.04762"),
        ("-0.5", "-0.5"),
        ("12345.500", "12,345.5"),
        ("100", "100"),
        ("0", "0"),
        ("1.005", "1.01"),
        ("", ""),
        ("有", "有"),
    ],
)
def test_a_claimed_figure_is_shown_short_and_keeps_its_exact_value(value, shown):
    figure = Figure(id="x", name="利用率", year=2025, stream="", value=value, unit="%", missing=())
    assert (figure.shown, figure.value) == (shown, value)
