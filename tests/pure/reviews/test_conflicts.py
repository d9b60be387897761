import pytest

from wufei.reviews.conflicts import Conflict, Index, Interests, Reason, Ties, conflict

OWN, SISTER, OTHER, AGENCY = "OWN", "SISTER", "OTHER", "AGENCY"
CASE = Interests(uscc=OWN, lineage=frozenset({SISTER}), agencies=frozenset({AGENCY}))


@pytest.mark.parametrize(
    ("employers", "ties", "reason"),
    [
        ({OTHER}, set(), None),
        ({OWN}, set(), Reason.OWN_EMPLOYER),
        ({SISTER}, set(), Reason.FORMER_EMPLOYER),
        ({AGENCY}, set(), Reason.AGENCY),
        (set(), {(OWN, "ADVISER")}, Reason.ADVISER),
        (set(), {(OWN, "GROUP")}, Reason.GROUP),
        (set(), {(OWN, "KIN")}, Reason.KIN),
        (set(), {(OWN, "DECLARED")}, Reason.DECLARED),
        (set(), {(OWN, "EMPLOYER")}, Reason.EMPLOYER),
        (set(), {(SISTER, "KIN")}, Reason.KIN),
        (set(), {(OTHER, "KIN")}, None),
        (set(), {(AGENCY, "EMPLOYER")}, Reason.AGENCY),
        (set(), {(AGENCY, "KIN")}, None),  # kin at the agency gain nothing by the case
        ({OWN}, {(OWN, "KIN")}, Reason.OWN_EMPLOYER),
    ],
)
def test_conflict_table(employers, ties, reason):
    found = conflict(Ties(employers=frozenset(employers), ties=frozenset(ties)), CASE)
    assert (found.reason if found else None) == reason


def test_the_index_of_many_experts_says_the_same_as_asking_each():
    ties = {
        1: Ties(employers=frozenset({OWN})),
        2: Ties(employers=frozenset({OTHER}), ties=frozenset({(SISTER, "KIN")})),
        3: Ties(employers=frozenset({OTHER})),
    }
    assert Index.of(ties).conflicts(CASE) == {
        1: Conflict(Reason.OWN_EMPLOYER, OWN),
        2: Conflict(Reason.KIN, SISTER),
    }
