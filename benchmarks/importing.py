"""How does importing a workbook of 100,000 rows compare to inserting the same rows raw?"""

import gc
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

from stdnum.cn import uscc as uscc_rules

from benchmarks import ground


def measure(rows: int, repetitions: int) -> dict[str, Any]:
    """
    Import a workbook, post the same movements as drafts, and insert the rows that came of each into bare tables.

    Importing is what `wufei import` does once its process stands: the file is read and checked before it is
    opened, cells become drafts, all of it is validated, what was imported before is looked for, stores and
    streams are declared, everything is posted and committed. Posting is the part of it that is
    `ledger.services.post`.
    """
    from wufei.ledger import queries

    ground.make_bare_tables()
    taken = _Taken()
    for repetition in range(repetitions):
        drafts = ground.drafts(rows, seed=repetition)
        for what, take in (("imported", _import), ("posted", _post)):
            organisation = take(taken, drafts, repetition)
            stored = ground.stored_rows(organisation)
            assert len(stored) == rows
            for table in ("raw_indexed", "raw_bare"):
                taken.time(f"{table}, {what}", partial(ground.insert_raw, table, stored))
            assert repetition or queries.verify(organisation=organisation).is_ok
    return {
        "rows": rows,
        "repetitions": repetitions,
        "rows_per_second": {name: round(rows / median(found)) for name, found in taken.seconds.items()},
        "cpu_seconds": {name: round(median(found), 2) for name, found in taken.cpu_seconds.items()},
        "ratios": {
            what: {table: taken.ratio(f"{table}, {what}", what) for table in ("raw_indexed", "raw_bare")}
            | {"cpu": taken.ratio_of_cpu(f"raw_indexed, {what}", what)}
            for what in ("imported", "posted")
        },
    }


class _Taken:
    """What each candidate took in each repetition: on the clock, and of this process's CPU."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}
        self.cpu_seconds: dict[str, list[float]] = {}

    def time(self, name: str, work: Callable[[], Any]) -> Any:
        gc.collect()
        begun, begun_cpu = perf_counter(), process_time()
        result = work()
        self.seconds.setdefault(name, []).append(perf_counter() - begun)
        self.cpu_seconds.setdefault(name, []).append(process_time() - begun_cpu)
        return result

    def ratio(self, raw: str, candidate: str) -> float:
        return _ratio(self.seconds[raw], self.seconds[candidate])

    def ratio_of_cpu(self, raw: str, candidate: str) -> float:
        return _ratio(self.cpu_seconds[raw], self.cpu_seconds[candidate])


def _ratio(raw: Sequence[float], candidate: Sequence[float]) -> float:
    """Return the median of the ratios: each pair was taken one after the other."""
    return round(median(a / b for a, b in zip(raw, candidate, strict=True)), 3)


def _post(taken: _Taken, drafts: Sequence[Any], repetition: int) -> Any:
    from wufei.ledger import services

    organisation, officer = ground.open_ledger(repetition)
    taken.time(
        "posted",
        lambda: services.post(organisation=organisation, drafts=drafts, by=officer, now=ground.NOW),
    )
    return organisation


def _import(taken: _Taken, drafts: Sequence[Any], repetition: int) -> Any:
    from wufei.capture import services
    from wufei.capture.safe_opening import read_file
    from wufei.registry.models import Organisation
    from wufei.registry.services import operator

    stem = f"91500110MA8{repetition:06d}"
    uscc = stem + uscc_rules.calc_check_digit(stem)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "import.xlsx"
        file.write_bytes(_workbook(uscc, drafts))
        result = taken.time(
            "imported",
            lambda: services.import_workbook(
                content=read_file(file), by=operator(), now=ground.NOW, may_create_organisation=True
            ),
        )
    assert (result.posted, result.errors) == (len(drafts), ())
    return Organisation.objects.get(uscc=uscc)


def _workbook(uscc: str, drafts: Sequence[Any]) -> bytes:
    """Return the drafts as the file that an enterprise would hand in."""
    from wufei.demo.district import Workbook
    from wufei.demo.writing import written
    from wufei.ledger.kinds import LABELS

    ledger = [
        [
            d.moved_on, d.stream_code, LABELS[d.kind], d.mass.tonnes, "吨", d.method, d.counterparty,
            d.store_code, "", d.handler,
        ]
        for d in drafts
    ]  # fmt: skip
    organisation = {
        "单位名称": f"企业{uscc}", "统一社会信用代码": uscc, "单位类型": "企业", "行业代码": "321",
        "省": "重庆市", "市": "重庆市", "区县": "綦江区",
    }  # fmt: skip
    sheets = {
        "单位信息": [list(item) for item in organisation.items()],
        "废物清单": [[stream, stream, "SW02", "工序1"] for stream in ground.STREAMS],
        "贮存设施": [[store, store] for store in ground.STORES],
        "台账": ledger,
    }
    return written(Workbook(id=uscc, name=uscc, uscc=uscc, sheets=sheets))
