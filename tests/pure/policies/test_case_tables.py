"""The cases of `cases/*.yaml`, which an officer can check without reading Python."""

from pathlib import Path

import pytest
import yaml

from tests.pure.policies.dossiers import EDITIONS, empty, figure, judged, with_facts
from wufei.policies.criteria import judge
from wufei.policies.dossier import DeclaredAnswer

TABLES = [
    (table["edition"], case)
    for path in sorted(Path(__file__).parent.glob("cases/*.yaml"))
    for table in yaml.load_all(path.read_text(), Loader=yaml.BaseLoader)
    for case in table["cases"]
]


@pytest.mark.parametrize(
    ("edition_id", "case"),
    TABLES,
    ids=[f"{edition}-{case['criterion']}-{case['name']}" for edition, case in TABLES],
)
def test_a_basic_requirement_comes_out_as_the_table_says(edition_id, case):
    criterion = case["criterion"]
    declarations = {}
    for key, said in case.get("declared", {}).items():
        item, year = key.rsplit(" ", 1)
        answer, basis = said.split("/", 1)
        declarations[item, int(year)] = DeclaredAnswer(answer=answer, basis=basis)
    dossier = with_facts(
        empty(),
        figures={(id_, 2025): figure(id_, value) for id_, value in case.get("figures", {}).items()},
        declarations=declarations,
        judgements={(criterion, q): judged(answer) for q, answer in case.get("judged", {}).items()},
    )

    found = judge(EDITIONS[edition_id], dossier)

    assert {f.criterion.id: f.verdict for f in found.findings}[criterion] == case["verdict"]


def test_every_basic_requirement_has_a_met_a_not_met_and_an_unknown_case():
    held = {(edition, case["criterion"], case["verdict"]) for edition, case in TABLES}

    assert {
        (edition, f"basic-{number}", verdict)
        for edition in ("miit-2025-539-enterprise", "miit-2025-539-park")
        for number in range(1, 6)
        for verdict in ("met", "not_met", "unknown")
    } <= held
