"""
What two enterprises of the district filed: whether wastes are hazardous, a management plan, a public disclosure.

Told through the same services that their officers use. One identification has expired and one is missing, so that
a visitor sees what is said then.
"""

import uuid
from datetime import date, datetime
from typing import Any

from wufei.demo import papers
from wufei.filings import services
from wufei.filings.models import PlanDraft
from wufei.ledger.identifying import Basis, Result, Said
from wufei.ledger.models import Stream, WasteClass
from wufei.ledger.services import record_identification
from wufei.registry.models import Organisation, User
from wufei.terms.day import SHANGHAI, local_day

NAMES = uuid.UUID("6d1f0f4e-3c0a-4f8e-9b0e-2a7c51d0a002")
PLANS, IDENTIFIES, DISCLOSES = "gear", "power", "power"
PLAN_FILED = (3, 20)  # month, day
MADE_UP = "（演示）"


def play(*, organisations: dict[str, Organisation], by: User, now: datetime) -> None:
    """File what there is to file."""
    people = {user.username: user for user in User.objects.all()}
    _identify(organisations[IDENTIFIES], people[IDENTIFIES], now)
    year = local_day(now).year
    filed_on = datetime(year, *PLAN_FILED, 10, tzinfo=SHANGHAI)  # it is due by the end of March
    _plan(organisations, people[PLANS], year, min(filed_on, now))
    services.publish_disclosure(
        organisation=organisations[DISCLOSES], year=year - 1, by=people[DISCLOSES], now=now
    )


def _identify(organisation: Organisation, officer: User, now: datetime) -> None:
    """The first general waste's identification has expired, the second one has none, the rest have theirs."""
    streams = Stream.objects.filter(organisation=organisation, waste_class=WasteClass.GENERAL).order_by(
        "code"
    )
    this_year = local_day(now).year
    for place, stream in enumerate(streams):
        if place == 1:
            continue
        begun = date(this_year - 3, 5, 20)
        through = date(this_year, 5, 19) if place == 0 else date(this_year + 2, 5, 19)
        title = f"{stream.name}危险特性鉴别报告{MADE_UP}"
        record_identification(
            organisation=organisation, stream_code=stream.code, client_id=uuid.uuid5(NAMES, stream.code),
            said=Said(
                basis=Basis.TESTS, result=Result.NOT_HAZARDOUS, judged_by=f"渝南环境检测所{MADE_UP}", judged_on=begun,
                valid_through=through, report_number=f"YN-{this_year - 3}-{place + 1:03d}", has_report=True,
                note="有效期按报告写明的日期；原料或工艺改变时重新鉴别。",
            ),
            file_name="鉴别报告.pdf", by=officer, now=now,
            content=papers.agreement(title, ["依据 GB 5085 检测，未检出危险特性。", "内容为演示虚构。"]),
        )  # fmt: skip


def _plan(organisations: dict[str, Organisation], officer: User, year: int, now: datetime) -> None:
    """This year's plan, drawn from the ledger of last year and finished by hand."""
    said: dict[str, Any] = {"organisation": organisations[PLANS], "year": year, "by": officer, "now": now}
    draft = services.start_draft(**said)
    content = _finished(draft, organisations)
    saved = services.save_draft(version=draft.version, content=content, **said)
    services.file_plan(version=saved.version, **said)


def _finished(draft: PlanDraft, organisations: dict[str, Organisation]) -> dict[str, Any]:
    content = dict(draft.content)
    [basic] = content["basic"]
    by_hand = {
        "registered_address": basic["site_address"], "representative": "刘长河", "representative_phone": basic["technician_phone"],
        "assessment": "有", "assessment_number": f"綦环审〔2012〕15号{MADE_UP}", "permit": "有",
        "permit_number": f"{basic['uscc']}001P",
    }  # fmt: skip
    content["basic"] = [{**basic, **by_hand}]
    made_by = {row["stream"]: row["facility"] for row in content["generation"]}
    content["facilities"] = [
        {"unit": f"{name}车间", "process": name, "name": name, "code": f"MF{at:04d}"}
        for at, name in enumerate(dict.fromkeys(made_by.values()), 1)
    ]
    in_store = {"store": "K02", "store_capacity": "80 吨"}
    content["generation"] = [
        {**row, "harmful": row["harmful"] or "石油类", "form": row["form"] or "液态", **in_store}
        for row in content["generation"]
    ]
    content["storage"] = [
        {**row, "store": "K02", "store_type": "贮存库", "packaging": "桶、袋"} for row in content["storage"]
    ]
    content["measures"] = [
        {
            "less_harm": "改用生物降解型切削液，废液中石油类浓度逐年降低。",
            "measures": "切削液集中过滤、循环使用，换液周期由一个月延长到两个月；设备按状态换油。",
        }
    ]
    site, oil = organisations["site"], organisations["oil"]
    ways = {"W02": (site, "D9", "CQ5001150232"), "W03": (oil, "R9", "CQ5001100019")}
    planned = {row["stream"]: row["planned_g"] for row in content["generation"]}
    content["transfers"] = [
        {
            "reach": "WITHIN", "stream": stream, "planned_g": planned[stream], "mode": mode, "receiver_kind": "PERMIT",
            "receiver": receiver.name, "receiver_uscc": receiver.uscc, "permit_number": permit,
        }
        for stream, (receiver, mode, permit) in ways.items()
    ]  # fmt: skip
    return content
