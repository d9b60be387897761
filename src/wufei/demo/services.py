"""Build the made-up district through the doors that people use: import the workbooks, name the people."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction

from wufei.capture.services import ImportResult, import_workbook
from wufei.cases import services as cases
from wufei.cases.models import EvidenceCategory
from wufei.demo import beside, collecting, filed, road, season, side_roads, stores
from wufei.demo.district import district, uscc_of, workbooks
from wufei.demo.papers import MAKERS
from wufei.demo.writing import written
from wufei.policies import services as policies
from wufei.policies.models import Answer
from wufei.registry import services as registry
from wufei.registry.access import Role
from wufei.registry.models import Organisation, OrganisationKind, User

ANSWERS = {"是": Answer.YES, "否": Answer.NO, "不适用": Answer.NOT_APPLICABLE}
PASSWORD = "wufei-demo-2026"  # noqa: S105 the demo prints it


class DemoBroken(Exception):
    """A workbook of the demo was refused: the demo data and the rules no longer fit."""


def is_built() -> bool:
    """Return whether the district stands already; the last person is made last."""
    return User.objects.filter(username=district()["people"][-1]["username"]).exists()


@transaction.atomic
def build(*, folder: Path, by: User, now: datetime, report: Callable[[str], None]) -> None:
    """
    Write the workbooks into the folder, import them, and name the people; all or nothing.

    :raises DemoBroken: if a workbook is refused
    """
    folder.mkdir(parents=True, exist_ok=True)
    for workbook in workbooks():
        path = folder / f"{workbook.name}.xlsx"
        path.write_bytes(written(workbook))
        result = _imported(path, by, now)
        report(f"已导入 {workbook.name}：台账 {result.posted} 行")
    organisations = _authorities(by=by, now=now)
    _green_factory(organisations, by=by, now=now)
    _papers(organisations, by=by, now=now)
    _people(organisations, by=by, now=now)
    season.play(organisations=organisations, password=PASSWORD, by=by, now=now)
    beside.play(organisations=organisations, by=by, now=now)
    report("已演完 2025 年一轮评审；2026 年一轮正在进行")
    told = road.play(organisations=organisations, password=PASSWORD, by=by, now=now)
    report("已演完四个月的称重贴标、入库和危险废物转移")
    side_roads.play(told=told, password=PASSWORD, by=by, now=now)
    report("已演完跨省转移、接力承运、部分接受、更正、合并过磅和一般固废转移记录")
    collecting.play(organisations=organisations, password=PASSWORD, by=by, now=now)
    report("已演完十二家小微企业两个月的申报和一轮收运")
    stores.play(organisations=organisations, password=PASSWORD, by=by, now=now)
    report("已演完危废间的检查、整改和盘点")
    filed.play(organisations=organisations, by=by, now=now)
    report("已登记危险性判别，备案管理计划，公开上一年度的信息")


def _imported(path: Path, by: User, now: datetime) -> ImportResult:
    result = import_workbook(content=path.read_bytes(), by=by, now=now, may_create_organisation=True)
    if result.errors:
        raise DemoBroken(f"{path.name}: {result.errors[:3]}")
    return result


def _authorities(*, by: User, now: datetime) -> dict[str, Organisation]:
    said = district()
    found = {
        each["id"]: Organisation.objects.get(uscc=uscc_of(each["serial"])) for each in said["enterprises"]
    }
    found["park"] = Organisation.objects.get(uscc=uscc_of(said["park"]["serial"]))
    for each in said["authorities"]:
        found[each["id"]] = registry.register_organisation(
            uscc=uscc_of(each["serial"]), name=each["name"], kind=OrganisationKind(each["kind"]),
            division_code=each["division"], by=by, now=now,
        )  # fmt: skip
    return found


def _green_factory(organisations: dict[str, Organisation], *, by: User, now: datetime) -> None:
    """Worked sets of baseline and leading values, marked as illustrative, and some factories' answers."""
    said = district()["requirements"]
    for code, name in said["industries"].items():
        policies.maintain_requirements(
            authority=organisations["city"], edition_id=said["edition"], industry_code=code,
            name=name, in_force_from=date.fromisoformat(said["in_force_from"]), values=said["values"],
            source=said["source"], is_illustrative=True, by=by, now=now,
        )  # fmt: skip
    for key, own in said["stated_by"].items():
        _answered(organisations[key], said, own, by=by, now=now)


def _answered(
    factory: Organisation, said: dict[str, Any], own: dict[str, str], *, by: User, now: datetime
) -> None:
    """Let a factory state its values, its own where it has some, and declare what no number tells."""
    year = int(said["year"])
    for item, (value, basis) in said["stated"].items():
        policies.state_value(
            organisation=factory, item=item, year=year, value=Decimal(own.get(item, value)), basis=basis, by=by,
            now=now,
        )  # fmt: skip
    for item, years, answer, basis in said["declared"]:
        for each in years:
            policies.declare(
                organisation=factory, item=item, year=int(each), answer=ANSWERS[answer], basis=basis,
                source="演示", by=by, now=now,
            )  # fmt: skip


def _papers(organisations: dict[str, Organisation], *, by: User, now: datetime) -> None:
    """What the workbooks have no column for, and the files that the two shown cases hand in."""
    for name, said in district()["papers"].items():
        registry.change_organisation(organisation=organisations[name], by=by, now=now, **said["registered"])
        case = cases.open_case(
            organisation=organisations[name],
            edition_id=said["edition"],
            year=int(said["year"]),
            by=by,
            now=now,
        )
        for each in said["files"]:
            title, _dot, extension = each["name"].rpartition(".")
            cases.attach_evidence(
                case=case, category=EvidenceCategory(each["category"]), file_name=each["name"],
                content=MAKERS[extension](title, each.get("lines", ())), by=by, now=now,
            )  # fmt: skip


def _people(organisations: dict[str, Organisation], *, by: User, now: datetime) -> None:
    for person in district()["people"]:
        user = registry.create_user(
            username=person["username"],
            password=PASSWORD,
            full_name=person["name"],
            email=f"{person['username']}@example.invalid",
            by=by,
            now=now,
        )
        registry.assign_role(
            user=user, organisation=organisations[person["of"]], role=Role(person["role"]), by=by, now=now
        )


def accounts() -> list[dict[str, Any]]:
    """Return who can sign in, as the demo prints it: username, name, role, organisation."""
    said = district()
    names = {each["id"]: each["name"] for each in [*said["enterprises"], *said["authorities"]]}
    names["park"] = said["park"]["name"]
    later = season.season()
    on_the_road = road.road()
    beside_it = side_roads.side_roads()
    known = [*later["authorities"], *on_the_road["organisations"], *beside_it["organisations"]]
    names |= {each["id"]: each["name"] for each in known}
    people = [
        *said["people"], *later["people"], *on_the_road["people"], *beside_it["people"], stores.stores()["worker"]
    ]  # fmt: skip
    return [*(person | {"of": names[person["of"]]} for person in people), *collecting.people()]
