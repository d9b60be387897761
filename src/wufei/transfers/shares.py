"""How much of one weighing is each part's? The sum is kept to the gram: largest remainder."""

from collections.abc import Sequence


def shares(total: int, weights: Sequence[int]) -> list[int]:
    """
    Split a whole number in proportion to the weights so that the parts sum to it exactly.

    What rounding down leaves goes, one each, to the largest remainders; of equal ones the earlier is first.

    >>> shares(100, [1, 1, 1])
    [34, 33, 33]

    :raises ValueError: if the total or a weight is negative, or there is nothing to split by
    """
    whole = sum(weights)
    if total < 0 or whole <= 0 or min(weights) < 0:
        raise ValueError(f"Nothing to split {total} by: {list(weights)}")
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda at: (-(total * weights[at] % whole), at))
    for at in by_remainder[: total - sum(parts)]:
        parts[at] += 1
    return parts
