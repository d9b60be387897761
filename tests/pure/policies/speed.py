"""
How long do 1,000 dossiers of 60 criteria take? `python -m tests.pure.policies.speed` (promise R5).

The 60 criteria are those of a case call and of the green factory with its call, over and over.
"""

import random
import time
from itertools import cycle, islice

from tests.pure.policies.dossiers import EDITIONS
from wufei.policies.criteria import judge
from wufei.policies.edition import Edition
from wufei.policies.explanations import as_json


def sixty() -> Edition:
    """Return an edition of sixty criteria, made of ours."""
    ours = [EDITIONS["chongqing-2026-6-enterprise"], EDITIONS["chongqing-2026-green-factory"]]
    rows = [criterion for edition in ours for criterion in edition.criteria]
    made = [c.model_copy(update={"id": f"{c.id}-{i}"}) for i, c in enumerate(islice(cycle(rows), 60))]
    parameters = {**ours[0].parameters, **ours[1].parameters}
    return ours[1].model_copy(update={"criteria": tuple(made), "parameters": parameters})


def seconds(dossiers: int = 1000, *, with_json: bool = False) -> float:
    """Return the processor time for judging so many half-filled dossiers by sixty criteria each."""
    from tests.pure.policies.test_promises import random_dossier  # slow import

    edition, draw = sixty(), random.Random(5)
    made = [random_dossier(edition, draw, 0.7) for _ in range(dossiers)]
    start = time.process_time()
    for dossier in made:
        found = judge(edition, dossier)
        if with_json:
            as_json(found)
    return time.process_time() - start


if __name__ == "__main__":
    print(f"judged: {seconds():.2f} s; judged and written as JSON: {seconds(with_json=True):.2f} s")
