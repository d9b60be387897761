"""What changes stock-taking: a sheet is opened, lots are counted, the sheet closed, its differences posted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import Max

from wufei.ledger import queries as ledger_queries
from wufei.ledger import services as ledger
from wufei.ledger.kinds import Kind, PlaceKind
from wufei.ledger.models import Balance, Lot, Place, Stream
from wufei.ledger.posting import ABSURD_MASS, BULK_PREFIX, Draft
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, User
from wufei.registry.queries import require
from wufei.registry.services import audit
from wufei.storage import queries, stocktaking
from wufei.storage.models import (
    BookLine,
    Explanation,
    StocktakeClosing,
    StocktakeCount,
    StocktakeDifference,
    StocktakeSettlement,
    StocktakeSheet,
)
from wufei.storage.queries import ToPost
from wufei.storage.refusals import Code, StorageRefused
from wufei.storage.stocktaking import Progress
from wufei.terms.day import local_day
from wufei.terms.mass import Mass

LONGEST = {"lot_code": 80, "note": 200, "reason": 200, "explanation": 180}
NAMED = 5  # so many lots are named in a refusal
ROWS_AT_ONCE = 1_000


@transaction.atomic
def open_sheet(
    *, organisation: Organisation, store_code: str, client_id: UUID, by: User, now: datetime
) -> StocktakeSheet:
    """
    Open a sheet for the store and freeze what the books hold; asked again by the same client, return the same.

    :raises StorageRefused: if the store isn't there, or an earlier sheet of it isn't done with
    """
    require(user=by, permission=Permission.POST_MOVEMENTS, organisation=organisation, on=local_day(now))
    ledger_queries.locked_head(organisation=organisation)  # so that books and seq are of one moment
    stores = Place.objects.filter(organisation=organisation, kind=PlaceKind.STORE)
    # Where nothing was ever posted there is no head to wait at.
    locked = list(stores.select_for_update(no_key=True).order_by("pk"))
    if before := StocktakeSheet.objects.filter(organisation=organisation, client_id=client_id).first():
        if before.store.code != store_code:
            raise StorageRefused(Code.CLIENT_ID_REUSED, str(client_id))
        return before
    store = next((place for place in locked if place.code == store_code), None)
    if store is None:
        raise StorageRefused(Code.STORE_UNKNOWN, store_code)
    if standing := queries.unfinished_sheets(store_id=store.pk).first():
        raise StorageRefused(Code.SHEET_STANDS, standing.name)
    own = StocktakeSheet.objects.filter(organisation=organisation)
    sheet = StocktakeSheet.objects.create(
        organisation=organisation, store=store, number=(own.aggregate(n=Max("number"))["n"] or 0) + 1,
        seq=queries.head_seq(organisation=organisation), client_id=client_id, opened_at=now, opened_by=by,
    )  # fmt: skip
    held = Balance.objects.filter(place=store, mass_g__gt=0)
    lines = [BookLine(sheet=sheet, lot_id=row.lot_id, mass_g=row.mass_g) for row in held]
    BookLine.objects.bulk_create(lines, batch_size=ROWS_AT_ONCE)
    audit(
        by=by, now=now, organisation=organisation, action="storage.open_sheet", object_ref=sheet.name,
        detail={"store": store.code, "lots": len(lines)},
    )  # fmt: skip
    return sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What somebody found of a lot; with method MISSING, that it wasn't there."""

    lot_code: str
    method: str
    mass: Mass
    stream_code: str = ""  # of a lot that the ledger doesn't know
    note: str = ""


@transaction.atomic
def count_lot(
    *, sheet: StocktakeSheet, found: Found, client_id: UUID, by: User, now: datetime
) -> StocktakeCount:
    """
    Enter what was found of a lot, once for each person; where two differ, the next count is the third, and holds.

    :raises StorageRefused: if the sheet is closed, the person has counted the lot, or the entry can't be so
    """
    require(user=by, permission=Permission.POST_MOVEMENTS, organisation=sheet.organisation, on=local_day(now))
    sheet = _locked(sheet)
    lot, stream, code = _named(sheet.organisation, found)
    if before := StocktakeCount.objects.filter(sheet=sheet, client_id=client_id).first():
        said = (code, found.method, found.mass.grams, by.pk)
        if (before.lot_code, before.method, before.mass_g, before.counted_by_id) != said:
            raise StorageRefused(Code.CLIENT_ID_REUSED, str(client_id))
        return before
    if hasattr(sheet, "closing"):
        raise StorageRefused(Code.SHEET_CLOSED, sheet.name)
    is_missing = found.method == StocktakeCount.Method.MISSING
    if is_missing != (found.mass.grams == 0) or not 0 <= found.mass.grams <= ABSURD_MASS.grams:
        raise StorageRefused(Code.MASS_OUT_OF_RANGE)
    earlier = list(StocktakeCount.objects.filter(sheet=sheet, lot_code=code).order_by("pk"))
    progress = stocktaking.progress_of(queries.reduced(earlier))
    if progress is Progress.RECOUNTED:
        raise StorageRefused(Code.RECOUNTED_ALREADY, code)
    is_recount = progress is Progress.RECOUNT_ASKED
    if not is_recount and any(row.counted_by_id == by.pk for row in earlier):
        raise StorageRefused(Code.COUNTED_ALREADY, code)
    seq = queries.head_seq(organisation=sheet.organisation)
    moved = queries.net(queries.moved(sheet=sheet, lot_codes=[code]).filter(seq__lte=seq), sheet.store_id)
    row = StocktakeCount.objects.create(
        sheet=sheet, lot_code=code, lot=lot, stream=stream, method=found.method, mass_g=found.mass.grams,
        moved_g=moved.get(code, 0), seq=seq, is_recount=is_recount, note=_text(found.note, "note"),
        client_id=client_id, counted_at=now, counted_by=by,
    )  # fmt: skip
    audit(
        by=by, now=now, organisation=sheet.organisation, action="storage.count_lot", object_ref=sheet.name,
        detail={"lot": code, "method": found.method, "mass_g": found.mass.grams, "is_recount": is_recount},
    )  # fmt: skip
    return row


def _locked(sheet: StocktakeSheet) -> StocktakeSheet:
    """Keep others from the sheet until the transaction ends."""
    StocktakeSheet.objects.select_for_update(no_key=True).get(pk=sheet.pk)
    return StocktakeSheet.objects.select_related("organisation", "store", "closing", "settlement").get(
        pk=sheet.pk
    )


def _named(organisation: Organisation, found: Found) -> tuple[Lot | None, Stream, str]:
    """Return the lot, if the ledger knows it, its stream and its code."""
    code = _text(found.lot_code, "lot_code")
    if not code:
        raise StorageRefused(Code.LOT_CODE_MISSING)
    lot = Lot.objects.filter(organisation=organisation, code=code).select_related("stream").first()
    if lot is not None:
        return lot, lot.stream, code
    # A heap that has none of its lot yet is named by its stream.
    wanted = code.removeprefix(BULK_PREFIX) if code.startswith(BULK_PREFIX) else found.stream_code
    stream = Stream.objects.filter(organisation=organisation, code=wanted).first()
    if stream is None:
        raise StorageRefused(Code.STREAM_MISSING, code)
    return None, stream, code


def _text(said: str, what: str) -> str:
    text = said.strip()
    if len(text) > LONGEST[what] or not text.isprintable():
        raise StorageRefused(Code.TEXT_NOT_STORABLE, text[:20])
    return text


@transaction.atomic
def close_sheet(*, sheet: StocktakeSheet, by: User, now: datetime) -> StocktakeClosing:
    """
    End the counting and list every difference; closed before, return that closing.

    :raises StorageRefused: if lots are not counted, or two counts differ and there is no third
    """
    require(user=by, permission=Permission.POST_MOVEMENTS, organisation=sheet.organisation, on=local_day(now))
    sheet = _locked(sheet)
    if hasattr(sheet, "closing"):
        if sheet.closing.given_up_because:
            raise StorageRefused(Code.SHEET_CLOSED, sheet.name)
        return sheet.closing
    books = dict(BookLine.objects.filter(sheet=sheet).values_list("lot__code", "mass_g"))
    rows = queries.counts_of(sheet=sheet)
    counts = {code: queries.reduced(some) for code, some in rows.items()}
    open_ = stocktaking.unfinished(books, counts)
    for progress, code in (
        (Progress.NOT_COUNTED, Code.LOTS_NOT_COUNTED),
        (Progress.RECOUNT_ASKED, Code.RECOUNT_MISSING),
    ):
        if open_[progress]:
            more = "…" if len(open_[progress]) > NAMED else ""
            raise StorageRefused(code, "、".join(open_[progress][:NAMED]) + more)
    found = []
    for each in stocktaking.differences(books=books, counts=counts):
        count = rows[each.lot_code][stocktaking.holding(counts[each.lot_code])]
        found.append(
            StocktakeDifference(
                sheet=sheet, count=count, lot_code=each.lot_code, stream=count.stream, book_g=each.book_g,
                counted_g=each.counted_g,
            )
        )  # fmt: skip
    StocktakeDifference.objects.bulk_create(found, batch_size=ROWS_AT_ONCE)
    return _closed(sheet, "", len(found), by, now)


@transaction.atomic
def give_up_sheet(*, sheet: StocktakeSheet, reason: str, by: User, now: datetime) -> StocktakeClosing:
    """
    End the counting with nothing to come of it; what was counted stays.

    :raises StorageRefused: if no reason is given, or the sheet is closed
    """
    require(
        user=by, permission=Permission.REVERSE_MOVEMENTS, organisation=sheet.organisation, on=local_day(now)
    )
    because = _text(reason, "reason")
    if not because:
        raise StorageRefused(Code.REASON_MISSING)
    sheet = _locked(sheet)
    if hasattr(sheet, "closing"):
        raise StorageRefused(Code.SHEET_CLOSED, sheet.name)
    return _closed(sheet, because, 0, by, now)


def _closed(
    sheet: StocktakeSheet, because: str, differences: int, by: User, now: datetime
) -> StocktakeClosing:
    closing = StocktakeClosing.objects.create(
        sheet=sheet, given_up_because=because, closed_at=now, closed_by=by
    )
    audit(
        by=by, now=now, organisation=sheet.organisation, action="storage.close_sheet", object_ref=sheet.name,
        detail={"differences": differences} | ({"given_up_because": because} if because else {}),
    )  # fmt: skip
    return closing


@transaction.atomic
def post_differences(
    *,
    sheet: StocktakeSheet,
    explanations: Mapping[str, str],
    moved_on: date,
    by: User,
    now: datetime,
) -> StocktakeSettlement:
    """
    Post every difference as a gain or a loss, each with its explanation, by somebody who didn't count.

    Only the difference is posted, less what the books have caught up with since: what moved meanwhile stays as it
    is. A lot that the ledger doesn't know goes to its stream's heap, with its code in the note.

    :raises StorageRefused: if something is unexplained, the person counted, or it is posted
    :raises MovementsRefused: if the ledger would be overdrawn, or the day is of a closed month
    """
    today = local_day(now)
    require(user=by, permission=Permission.REVERSE_MOVEMENTS, organisation=sheet.organisation, on=today)
    ledger_queries.locked_head(organisation=sheet.organisation)
    sheet = _locked(sheet)
    said = {code: _text(text, "explanation") for code, text in explanations.items()}
    found = queries.to_post(sheet=sheet)
    if hasattr(sheet, "settlement"):
        return _settled_so(sheet, found, said, moved_on, by)
    _refuse_settling(sheet, moved_on, today, by)
    if not found:
        raise StorageRefused(Code.NOTHING_TO_POST, sheet.name)
    for each in found:
        if not said.get(each.row.lot_code):
            raise StorageRefused(Code.EXPLANATION_MISSING, each.row.lot_code)
    posted = _post(sheet, found, said, moved_on, by, now)
    settlement = StocktakeSettlement.objects.create(
        sheet=sheet, moved_on=moved_on, settled_at=now, settled_by=by
    )
    Explanation.objects.bulk_create(
        Explanation(
            difference=each.row, text=said[each.row.lot_code], late_g=each.late_g,
            movement_id=posted.get(each.row.lot_code),
        )
        for each in found
    )  # fmt: skip
    audit(
        by=by, now=now, organisation=sheet.organisation, action="storage.post_differences",
        object_ref=sheet.name, detail={"posted": len(posted), "moved_on": moved_on.isoformat()},
    )  # fmt: skip
    return settlement


def _settled_so(
    sheet: StocktakeSheet, found: list[ToPost], said: Mapping[str, str], moved_on: date, by: User
) -> StocktakeSettlement:
    """Return the settlement that stands, if it is the very one that is asked for again."""
    stands = (sheet.settlement.settled_by_id, sheet.settlement.moved_on)
    texts = {each.row.lot_code: each.row.explanation.text for each in found}
    if stands != (by.pk, moved_on) or texts != {code: said.get(code) for code in texts}:
        raise StorageRefused(Code.POSTED_ALREADY, sheet.name)
    return sheet.settlement


def _refuse_settling(sheet: StocktakeSheet, moved_on: date, today: date, by: User) -> None:
    if not hasattr(sheet, "closing") or sheet.closing.given_up_because:
        raise StorageRefused(Code.SHEET_NOT_CLOSED, sheet.name)
    if by.pk in queries.counters_of(sheet=sheet):
        raise StorageRefused(Code.COUNTED_IT_ONESELF)
    if not sheet.opened_on <= moved_on <= today:
        raise StorageRefused(Code.DAY_OUT_OF_RANGE, moved_on.isoformat())


def _post(
    sheet: StocktakeSheet,
    found: list[ToPost],
    said: Mapping[str, str],
    moved_on: date,
    by: User,
    now: datetime,
) -> dict[str, int]:
    """Return the movement that each lot's difference became; where the books have caught up, none is needed."""
    lots = {
        lot.code: lot
        for lot in Lot.objects.filter(
            organisation=sheet.organisation, code__in=[each.row.lot_code for each in found]
        )
    }
    drafts, by_client_id = [], {}
    for each in found:
        code = each.row.lot_code
        if not each.due_g:
            continue
        lot = lots.get(code)
        is_heap = lot is None or lot.is_bulk
        client_id = uuid5(sheet.client_id, code)
        by_client_id[client_id] = code
        unknown = f"（账上没有的批次：{code}）" if lot is None and not code.startswith(BULK_PREFIX) else ""
        drafts.append(
            Draft(
                Kind.STOCKTAKE_GAIN if each.due_g > 0 else Kind.STOCKTAKE_LOSS, moved_on, each.row.stream.code,
                Mass(abs(each.due_g)), store_code=sheet.store.code, lot_code=None if is_heap else code,
                handler=by.username[:60], note=f"{sheet.name}：{said[code]}{unknown}", client_id=client_id,
            )
        )  # fmt: skip
    if not drafts:
        return {}
    # What stands there stands there, even above the store's capacity.
    posted = ledger.post(organisation=sheet.organisation, drafts=drafts, by=by, now=now, capacity_binds=False)
    return {by_client_id[movement.client_id]: movement.pk for movement in posted}
