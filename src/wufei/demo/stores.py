"""
What happens in a store beside containers coming and going: it is inspected, put right and counted.

Told through the same services that the worker and the officer use. The pictures are drawn, and say so.
"""

import io
import uuid
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from PIL import Image, ImageDraw, ImageFont

from wufei.demo.road import road
from wufei.ledger.models import Balance
from wufei.paper.fonts import FILE
from wufei.registry import services as registry
from wufei.registry.access import Role
from wufei.registry.models import Organisation, User
from wufei.storage import photos, services
from wufei.storage.checklists import ItemResult
from wufei.storage.models import CorrectiveAction
from wufei.storage.photos import Photo
from wufei.storage.queries import to_count
from wufei.storage.services import Found, InspectionSaid, LineSaid
from wufei.terms.day import SHANGHAI
from wufei.terms.mass import Mass

NAMES = uuid.UUID("6d1f0f4e-3c0a-4f8e-9b0e-2a7c51d0a002")


@cache
def stores() -> dict[str, Any]:
    """Return the data of the store as strings."""
    text = (Path(__file__).parent / "stores.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 strings only


def play(*, organisations: dict[str, Organisation], password: str, by: User, now: datetime) -> None:
    """Inspect, put right and count, as far as those days are over."""
    said = stores()
    organisation = organisations[said["worker"]["of"]]
    worker = registry.create_user(
        username=said["worker"]["username"], password=password, full_name=said["worker"]["name"],
        email=f"{said['worker']['username']}@example.invalid", by=by, now=now,
    )  # fmt: skip
    registry.assign_role(
        user=worker, organisation=organisation, role=Role(said["worker"]["role"]), by=by, now=now
    )
    officer = User.objects.get(username=said["worker"]["of"])
    last_day = min(
        date.fromisoformat(road()["last_day"]), now.astimezone(SHANGHAI).date() - timedelta(days=1)
    )
    for each in said["inspections"]:
        if date.fromisoformat(each["on"]) <= last_day:
            _inspect(organisation, each, worker)
    for each in said["corrected"]:
        if date.fromisoformat(each["on"]) <= last_day:
            _correct(organisation, each, worker)
    if last_day >= date.fromisoformat(road()["first_day"]):  # before it nothing stands there in containers
        _take_stock(organisation, worker, officer, last_day)


def _at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), SHANGHAI)


def _picture(words: str) -> Photo:
    picture = Image.new("RGB", (960, 720), "#d9d4c7")
    draw = ImageDraw.Draw(picture)
    for left in (120, 400, 680):
        draw.rounded_rectangle((left, 220, left + 180, 560), 24, "#2f5d8a", "#1d3b59", 6)
        draw.rectangle((left + 40, 330, left + 140, 430), "#f5a623")
    draw.text((40, 40), f"演示照片：{words}", "#222222", ImageFont.truetype(str(FILE), 44))
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=80)
    return photos.examined(written.getvalue())


def _inspect(organisation: Organisation, each: dict[str, Any], worker: User) -> None:
    said, day = stores(), date.fromisoformat(each["on"])
    wrong = {row["requirement"]: row for row in each.get("wrong", ())}
    lines = [
        LineSaid(
            requirement=name, result=ItemResult.NOT_MET, remark=row["remark"], due_on=date.fromisoformat(row["due_on"]),
            responsible=row["responsible"], photos=[_picture(row["photo"])],
        )
        for name, row in wrong.items()
    ]  # fmt: skip
    lines += [LineSaid(requirement=name, result=ItemResult.MET) for name in said["met"] if name not in wrong]
    lines += [LineSaid(requirement=name, result=ItemResult.NOT_APPLICABLE) for name in said["not_applicable"]]
    at = _at(day, int(each["hour"]))
    services.record_inspection(
        organisation=organisation, client_id=uuid.uuid5(NAMES, f"inspection {each['on']}"), by=worker,
        now=at + timedelta(minutes=20),
        said=InspectionSaid(
            store_code=said["store"], facility=said["facility"], inspected_at=at, lines=lines, remark=each["remark"],
            photos=[_picture("危废间全景")],
        ),
    )  # fmt: skip


def _correct(organisation: Organisation, each: dict[str, str], worker: User) -> None:
    action = CorrectiveAction.objects.select_related("organisation").get(
        organisation=organisation, line__requirement=each["requirement"], correction=None
    )
    day = date.fromisoformat(each["on"])
    services.close_corrective_action(
        action=action, words=each["words"], corrected_on=day, photos=[_picture(each["photo"])],
        client_id=uuid.uuid5(NAMES, f"correction {each['on']}"), by=worker, now=_at(day, 16),
    )  # fmt: skip


def _take_stock(organisation: Organisation, worker: User, officer: User, day: date) -> None:
    """Count all that stands there on the last day's evening; of one lot there is a little less than the books say."""
    said = stores()
    sheet = services.open_sheet(
        organisation=organisation, store_code=said["store"], client_id=uuid.uuid5(NAMES, "sheet"), by=worker,
        now=_at(day, 19),
    )  # fmt: skip
    held = dict(Balance.objects.filter(place=sheet.store, mass_g__gt=0).values_list("lot__code", "mass_g"))
    lots = [row.lot_code for row in to_count(sheet=sheet, by=worker)]
    less = Mass.of(said["stocktake"]["less_kilograms"], "千克").grams
    short = next((code for code in lots if held[code] > less), None)
    for code in lots:
        found = Found(lot_code=code, method="WEIGHED", mass=Mass(held[code] - (less if code == short else 0)))
        services.count_lot(
            sheet=sheet, found=found, client_id=uuid.uuid5(NAMES, f"count {code}"), by=worker, now=_at(day, 19, 30)
        )  # fmt: skip
    services.close_sheet(sheet=sheet, by=worker, now=_at(day, 20))
    if short is not None:
        sheet.refresh_from_db()
        services.post_differences(
            sheet=sheet, explanations={short: said["stocktake"]["why"]}, moved_on=day, by=officer, now=_at(day, 20, 30)
        )  # fmt: skip
