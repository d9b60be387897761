"""What does a phone say that was done? Pure: from the JSON that it sends to what the services take."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from wufei.labels.digital_id import DigitalId, DigitalIdRefused
from wufei.terms.mass import Mass

MOST_BYTES = 16_384
PACKAGINGS = ("DRUM", "BAG", "BOX", "TANK", "PALLET", "OTHER")  # as `ledger.Container` has them


class EntryMalformed(ValueError):
    """The phone's words make no sense; `args[0]` names the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    client_id: UUID
    made_at: datetime
    stream: str
    lot: str
    mass: Mass
    store: str | None
    reading: tuple[str, int] | None
    packaging: str  # "": not said
    digital_id: DigitalId | None  # of those that the phone has reserved


@dataclass(frozen=True, slots=True, kw_only=True)
class Relocated:
    client_id: UUID
    made_at: datetime
    scanned: str
    to_store: str
    seen_in: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    client_id: UUID
    made_at: datetime
    content: dict[str, Any]
    refusal: str
    reason: str


Entry = Generated | Relocated | GivenUp


def entry_of(body: bytes) -> Entry:
    """
    Return what the phone says.

    :raises EntryMalformed: if it makes no sense
    """
    said = _object(body)
    about: dict[str, Any] = {"client_id": _uuid(said), "made_at": _instant(said)}
    kind = said.get("kind")
    if kind == "generation":
        return Generated(
            **about, stream=_text(said, "stream", 60), lot=_text(said, "lot", 80), mass=_mass(said),
            store=_text(said, "store", 240) if said.get("store") else None, reading=_reading(said),
            packaging=_packaging(said), digital_id=_digital_id(said),
        )  # fmt: skip
    if kind == "relocation":
        return Relocated(
            **about, scanned=_text(said, "scanned", 400), to_store=_text(said, "to_store", 240),
            seen_in=_text(said, "seen_in", 240) if said.get("seen_in") else None,
        )  # fmt: skip
    if kind == "abandonment":
        content = said.get("content")
        if not isinstance(content, dict):
            raise EntryMalformed("content")
        return GivenUp(
            **about, content=_storable(content), refusal=_text(said, "refusal", 300),
            reason=_text(said, "reason", 200),
        )  # fmt: skip
    raise EntryMalformed("kind")


def phone_of(body: bytes) -> UUID:
    """
    Return the id that a phone made for itself.

    :raises EntryMalformed: if there is none
    """
    return _uuid(_object(body))


@dataclass(frozen=True, slots=True, kw_only=True)
class NumbersWanted:
    client_id: UUID
    waste_code: str
    on: date


def numbers_of(body: bytes) -> NumbersWanted:
    """
    Return which numbers a phone wants to have reserved.

    :raises EntryMalformed: if it makes no sense
    """
    said = _object(body)
    try:
        on = date.fromisoformat(str(said.get("on")))
    except ValueError:
        raise EntryMalformed("on") from None
    return NumbersWanted(client_id=_uuid(said), waste_code=_text(said, "waste_code", 16), on=on)


def _object(body: bytes) -> dict[str, Any]:
    if len(body) > MOST_BYTES:
        raise EntryMalformed("body")
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise EntryMalformed("body") from None
    if not isinstance(said, dict):
        raise EntryMalformed("body")
    return said


def _text(said: Mapping[str, Any], name: str, longest: int) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > longest or not value.isprintable():
        raise EntryMalformed(name)
    return value.strip()


def _storable(content: dict[str, Any]) -> dict[str, Any]:
    """A JSON value that both databases keep: no NUL, no half of a character."""
    text = json.dumps(content, ensure_ascii=False)
    if "\\u0000" in text or any("\ud800" <= each <= "\udfff" for each in text):
        raise EntryMalformed("content")
    return content


def _uuid(said: Mapping[str, Any]) -> UUID:
    try:
        return UUID(str(said.get("client_id")))
    except ValueError:
        raise EntryMalformed("client_id") from None


def _instant(said: Mapping[str, Any]) -> datetime:
    try:
        at = datetime.fromisoformat(str(said.get("made_at")))
    except ValueError:
        raise EntryMalformed("made_at") from None
    if at.utcoffset() is None or not 2000 <= at.year <= 2200:
        raise EntryMalformed("made_at")
    return at


def _mass(said: Mapping[str, Any]) -> Mass:
    grams = said.get("mass_g")
    if isinstance(grams, bool) or not isinstance(grams, int) or not 0 < grams <= 10**14:
        raise EntryMalformed("mass_g")
    return Mass(grams)


def _packaging(said: Mapping[str, Any]) -> str:
    given = said.get("packaging") or ""
    if given not in ("", *PACKAGINGS):
        raise EntryMalformed("packaging")
    return str(given)


def _digital_id(said: Mapping[str, Any]) -> DigitalId | None:
    if not said.get("digital_id"):
        return None
    try:
        return DigitalId.read(_text(said, "digital_id", 60))
    except DigitalIdRefused:
        raise EntryMalformed("digital_id") from None


def _reading(said: Mapping[str, Any]) -> tuple[str, int] | None:
    given = said.get("reading")
    if given is None:
        return None
    if not isinstance(given, dict):
        raise EntryMalformed("reading")
    sequence = given.get("sequence")
    if isinstance(sequence, bool) or not isinstance(sequence, int) or not 0 < sequence < 2**53:
        raise EntryMalformed("reading")
    return _text(given, "scale", 12), sequence
