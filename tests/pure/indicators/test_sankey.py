"""The bands of the diagram."""

from wufei.indicators.sankey import FlowSum, Link, links
from wufei.ledger.kinds import Kind


def moved(kind: Kind, mass_g: int, method: str = "", counterparty: str = "") -> FlowSum:
    return FlowSum(
        process="锅炉", stream="A", stream_name="灰", kind=kind, method=method, counterparty=counterparty,
        mass_g=mass_g,
    )  # fmt: skip


def test_waste_comes_from_a_process_or_from_another_and_goes_by_kind():
    rows = [
        moved(Kind.GENERATION, 5),
        moved(Kind.RECEIPT, 3, counterparty="电厂"),
        moved(Kind.OPENING_STOCK, 2),
        moved(Kind.OWN_DISPOSAL, 4),
        moved(Kind.OWN_UTILISATION, -1, method="制砖"),
    ]

    stream = ("stream", "灰（A）")
    assert links(rows) == [
        Link(("origin", "锅炉"), stream, 5),
        Link(("origin", "电厂"), stream, 3),
        Link(("origin", "期初贮存"), stream, 2),
        Link(stream, ("kind", "自行处置"), 4),
    ]
