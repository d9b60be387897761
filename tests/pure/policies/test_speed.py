"""Promise R5."""

import pytest

from tests.pure.policies.speed import seconds, sixty


@pytest.mark.slow
def test_a_thousand_dossiers_of_sixty_criteria_take_less_than_five_seconds_of_one_core():
    assert len(sixty().criteria) == 60
    assert seconds(1000) < 5
