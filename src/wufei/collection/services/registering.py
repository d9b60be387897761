"""
Light registration: said on the public page or for somebody with its consent, confirmed, then given an account.

Nobody but the registrant ever knows the account's password: a receipt is given out once, and with it the
registrant sets name and password by itself once the registration is confirmed.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction

from wufei.catalogue.divisions import division_of_code
from wufei.catalogue.waste_codes import look_up_waste_code
from wufei.collection import queries
from wufei.collection.models import Registration, SmallGenerator
from wufei.collection.refusals import Code, CollectionRefused
from wufei.ledger import services as ledger
from wufei.registry import queries as registry_queries
from wufei.registry import services as registry
from wufei.registry.access import Permission, Role
from wufei.registry.models import Contract, Organisation, OrganisationKind, User
from wufei.registry.queries import digest_of, require
from wufei.registry.rules import InvalidUscc, read_uscc
from wufei.registry.services import audit, operator, permits
from wufei.terms.day import local_day
from wufei.terms.mass import Mass
from wufei.transfers.fields import PACKAGING, PHYSICAL_FORMS

STORE, STORE_NAME = "K1", "贮存点"
PROCESS = "生产经营过程"
MOST_WASTES = 8
FORMS, PACKAGINGS = dict(PHYSICAL_FORMS), dict(PACKAGING)
LIMITS = {"name": 200, "address": 300, "contact": 60, "phone": 30}
CONFIRMS = {  # which permission on one's own organisation lets one confirm for it
    OrganisationKind.PARK: Permission.EDIT_ORGANISATION,
    OrganisationKind.AUTHORITY: Permission.RUN_ROUND,  # an authority's own
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WasteSaid:
    """A waste that the generator has: its code, its form, and what it is usually in."""

    waste_code: str
    name: str = ""  # as people call it; else as the catalogue does
    form: str = ""
    packaging: str = ""
    usual: Mass | None = None  # of one full container


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationSaid:
    """What a registration says."""

    uscc: str
    name: str
    address: str
    contact: str
    phone: str
    division_code: str
    wastes: Sequence[WasteSaid]
    collector: Organisation | None = None
    park: Organisation | None = None
    has_checked_collector: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """The written contract with the collector."""

    number: str
    signed_on: date
    valid_through: date


@transaction.atomic
def submit(*, said: RegistrationSaid, now: datetime) -> tuple[Registration, str]:
    """
    Take a registration in from the public page; return it with its receipt, which is shown once.

    Nothing is granted. How often an address may try is the door's to count.

    :raises CollectionRefused:
    """
    return _kept(said, consent="", by=None, now=now)


@transaction.atomic
def register_on_behalf(
    *,
    said: RegistrationSaid,
    organisation: Organisation,
    consent: str,
    agreed: Agreed | None = None,
    by: User,
    now: datetime,
) -> tuple[Registration, str]:
    """
    Register a generator for it, as its park or its collector, with its written consent; confirmed thereby.

    :param consent: which paper says that it agrees: its number, or its day
    :raises CollectionRefused, NotPermitted:
    """
    _require(by, organisation, now)
    if not consent.strip():
        raise CollectionRefused(Code.CONSENT_MISSING, where="consent")
    if organisation.kind == OrganisationKind.PARK:
        said = replace(said, park=organisation)
    elif organisation.kind != OrganisationKind.AUTHORITY:
        said = replace(said, collector=organisation)
    row, receipt = _kept(said, consent=_text(consent, 200, "consent"), by=by, now=now)
    confirm(registration=row, organisation=organisation, agreed=agreed, by=by, now=now)
    row.refresh_from_db()
    return row, receipt


@transaction.atomic
def confirm(
    *,
    registration: Registration,
    organisation: Organisation,
    agreed: Agreed | None = None,
    by: User,
    now: datetime,
) -> SmallGenerator:
    """
    Confirm a registration for the collector, the park or the authority: the generator is there from now on.

    It becomes an organisation with one store and a stream for each of its wastes; with a contract where the
    collector confirms, as a member where the park does.

    :raises CollectionRefused, NotPermitted:
    """
    row = _undecided(registration, organisation, by, now)
    if Organisation.objects.filter(uscc=row.uscc).exists():
        raise CollectionRefused(Code.ORGANISATION_EXISTS, row.uscc)
    if organisation == row.collector and agreed is None:
        raise CollectionRefused(Code.CONTRACT_MISSING, where="agreed")
    made = registry.register_organisation(
        uscc=row.uscc, name=row.name, kind=OrganisationKind.ENTERPRISE, division_code=row.division_code,
        address=row.address, contact=row.contact, phone=row.phone, by=operator(), now=now,
    )  # fmt: skip
    _set_up(made, row.wastes, now)
    _decide(row, Registration.State.CONFIRMED, organisation, by, now, made=made)
    if organisation.kind == OrganisationKind.PARK:
        registry.join_park(park=organisation, member=made, joined_on=local_day(now), by=operator(), now=now)
    if agreed is not None and row.collector is not None:
        _bind(made, row.collector, agreed, row.has_checked_collector, operator(), now)
    generator = SmallGenerator.objects.create(
        organisation=made, registration=row, began_on=local_day(now), enrolled_at=now, enrolled_by=by
    )
    _audit_both("collection.confirm", made, organisation, by, now, {"consent": row.consent})
    return generator


@transaction.atomic
def decline(
    *, registration: Registration, organisation: Organisation, reason: str, by: User, now: datetime
) -> Registration:
    """Refuse a registration, with the reason that the registrant reads."""
    row = _undecided(registration, organisation, by, now)
    if not reason.strip():
        raise CollectionRefused(Code.REASON_MISSING, where="reason")
    row.reason = _text(reason, 300, "reason")
    _decide(row, Registration.State.DECLINED, organisation, by, now)
    audit(
        by=by, now=now, organisation=organisation, action="collection.decline", object_ref=row.uscc,
        detail={"reason": row.reason},
    )  # fmt: skip
    return row


def look_up(*, receipt: str, phone: str) -> Registration:
    """
    Return the registration of the receipt, to whoever knows the phone number given with it too.

    :raises CollectionRefused: activation_unknown
    """
    row = Registration.objects.filter(receipt_digest=digest_of(receipt.strip().upper())).first()
    if row is None or _digits(row.phone) != _digits(phone):
        raise CollectionRefused(Code.ACTIVATION_UNKNOWN)
    return row


@transaction.atomic
def activate(*, receipt: str, phone: str, username: str, password: str, now: datetime) -> User:
    """
    Set the account of a confirmed registration, once: name and password are the registrant's own.

    :raises CollectionRefused: activation_unknown, activated_already
    :raises AccountRefused, PasswordRefused: of the registry
    """
    found = look_up(receipt=receipt, phone=phone)
    row = Registration.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=found.pk)
    if row.state != Registration.State.CONFIRMED or row.organisation is None:
        raise CollectionRefused(Code.ACTIVATION_UNKNOWN)
    if row.activated_at is not None:
        raise CollectionRefused(Code.ACTIVATED_ALREADY)
    user = registry.create_user(
        username=username, password=password, full_name=row.contact, phone=row.phone, by=operator(), now=now
    )
    registry.assign_role(
        user=user, organisation=row.organisation, role=Role.ENVIRONMENT_OFFICER, by=operator(), now=now
    )
    row.activated_at, row.activated_by = now, user
    row.save(update_fields=["activated_at", "activated_by"])
    audit(by=user, now=now, organisation=row.organisation, action="collection.activate", object_ref=row.uscc)
    return user


@transaction.atomic
def renew_receipt(*, registration: Registration, organisation: Organisation, by: User, now: datetime) -> str:
    """Give out a new receipt for who lost it and has no account yet; the old one no longer holds."""
    _require(by, organisation, now)
    row = Registration.objects.select_for_update().get(pk=registration.pk)
    if row.decided_for_id != organisation.pk:
        raise CollectionRefused(Code.NOT_YOURS_TO_CONFIRM)
    if row.activated_at is not None:
        raise CollectionRefused(Code.ACTIVATED_ALREADY)
    receipt = _fresh_receipt()
    row.receipt_digest = digest_of(receipt)
    row.save(update_fields=["receipt_digest"])
    audit(by=by, now=now, organisation=organisation, action="collection.renew_receipt", object_ref=row.uscc)
    return receipt


@transaction.atomic
def enrol(*, organisation: Organisation, by: User, now: datetime) -> SmallGenerator:
    """Let an organisation that is here already declare month by month, as its own officer wants."""
    require(user=by, permission=Permission.HANDLE_MANIFESTS, organisation=organisation, on=local_day(now))
    if SmallGenerator.objects.filter(organisation=organisation).exists():
        raise CollectionRefused(Code.ENROLLED_ALREADY)
    row = SmallGenerator.objects.create(
        organisation=organisation, began_on=local_day(now), enrolled_at=now, enrolled_by=by
    )
    audit(by=by, now=now, organisation=organisation, action="collection.enrol", object_ref=organisation.uscc)
    return row


@transaction.atomic
def agree(
    *,
    organisation: Organisation,
    collector: Organisation,
    agreed: Agreed,
    has_checked_collector: bool,
    by: User,
    now: datetime,
) -> None:
    """
    Record, as the generator, the contract with a collector and that one has looked at who it is.

    :raises CollectionRefused, NotPermitted:
    """
    require(user=by, permission=Permission.HANDLE_MANIFESTS, organisation=organisation, on=local_day(now))
    _refuse_collector(collector, organisation.division_code, has_checked_collector, local_day(now))
    _bind(organisation, collector, agreed, has_checked_collector, by, now)


# --- what they share


def _kept(
    said: RegistrationSaid, *, consent: str, by: User | None, now: datetime
) -> tuple[Registration, str]:
    try:
        uscc = read_uscc(said.uscc)
    except InvalidUscc as wrong:
        raise CollectionRefused(Code.USCC_MALFORMED, where="uscc") from wrong
    if Organisation.objects.filter(uscc=uscc).exists():
        raise CollectionRefused(Code.ORGANISATION_EXISTS, where="uscc")
    if len(said.division_code) != 6 or division_of_code(said.division_code) is None:
        raise CollectionRefused(Code.DIVISION_UNKNOWN, said.division_code[:6], "division_code")
    facts = {name: _text(getattr(said, name), most, name) for name, most in LIMITS.items()}
    if said.collector is not None:
        _refuse_collector(said.collector, said.division_code, said.has_checked_collector, local_day(now))
    receipt = _fresh_receipt()
    row = Registration(
        uscc=uscc, division_code=said.division_code, wastes=_wastes(said.wastes), collector=said.collector,
        park=said.park, has_checked_collector=said.has_checked_collector, consent=consent, submitted_at=now,
        submitted_by=by, receipt_digest=digest_of(receipt), **facts,
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as pending:
        raise CollectionRefused(Code.REGISTRATION_PENDING, where="uscc") from pending
    return row, receipt


def _refuse_collector(collector: Organisation, division_code: str, has_checked: bool, on: date) -> None:
    serving = dict(queries.collectors(on=on))
    if collector not in serving:
        raise CollectionRefused(Code.COLLECTOR_UNKNOWN, where="collector")
    if not queries.serves(serving[collector], division_code):
        raise CollectionRefused(Code.COLLECTOR_ELSEWHERE, where="collector")
    if not has_checked:
        raise CollectionRefused(Code.NOT_CHECKED, where="has_checked_collector")


def _wastes(said: Sequence[WasteSaid]) -> list[dict[str, Any]]:
    if not said or len(said) > MOST_WASTES:
        raise CollectionRefused(Code.WASTES_MISSING, where="wastes")
    found: list[dict[str, Any]] = []
    for at, each in enumerate(said, 1):
        where = f"wastes.{at}"
        reading = look_up_waste_code(each.waste_code)
        if reading.fault or reading.code is None:
            raise CollectionRefused(Code.WASTE_CODE_UNKNOWN, each.waste_code[:40], where)
        if any(other["waste_code"] == reading.code for other in found):
            raise CollectionRefused(Code.WASTE_TWICE, reading.code, where)
        if each.form not in FORMS or each.packaging not in PACKAGINGS:
            raise CollectionRefused(Code.FACT_MISSING, f"{reading.code}：形态、包装", where)
        if each.usual is not None and not 0 < each.usual.grams <= 100_000_000:
            raise CollectionRefused(Code.MASS_OUT_OF_RANGE, reading.code, where)
        listed = reading.entry.name if reading.entry is not None else reading.category_name
        name = each.name.strip() or listed or reading.code
        found.append(
            {
                "waste_code": reading.code, "name": _text(name[:120], 120, where), "form": each.form,
                "packaging": each.packaging, "usual_g": each.usual.grams if each.usual else None,
            }
        )  # fmt: skip
    return found


def _text(said: str, most: int, where: str) -> str:
    text = said.strip()
    if not text:
        raise CollectionRefused(Code.FACT_MISSING, where=where)
    if len(text) > most or not text.isprintable():
        raise CollectionRefused(Code.FACT_MALFORMED, where=where)
    if where == "phone" and not 5 <= len(_digits(text)) <= 20:
        raise CollectionRefused(Code.FACT_MALFORMED, where=where)
    return text


def _digits(phone: str) -> str:
    return "".join(each for each in phone if each.isdecimal())


def _fresh_receipt() -> str:
    """Return sixteen letters and digits that nobody guesses and nobody misreads."""
    return "".join(secrets.choice("23456789ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(16))


def _require(by: User, organisation: Organisation, now: datetime) -> None:
    permission = CONFIRMS.get(OrganisationKind(organisation.kind), Permission.HANDLE_MANIFESTS)
    require(user=by, permission=permission, organisation=organisation, on=local_day(now))


def _undecided(
    registration: Registration, organisation: Organisation, by: User, now: datetime
) -> Registration:
    _require(by, organisation, now)
    row = (
        Registration.objects.select_for_update(of=("self",))
        .select_related("collector", "park")
        .get(pk=registration.pk)
    )
    within = row.division_code.startswith(registry_queries.jurisdiction_prefix(organisation.division_code))
    is_theirs = {
        # Membership opens a ledger to the park: it takes those of its own division only.
        OrganisationKind.PARK: row.park == organisation and within,
        OrganisationKind.AUTHORITY: within,
    }.get(OrganisationKind(organisation.kind), row.collector == organisation)
    if not is_theirs:
        raise CollectionRefused(Code.NOT_YOURS_TO_CONFIRM)
    if row.state != Registration.State.PENDING:
        raise CollectionRefused(Code.DECIDED_ALREADY)
    return row


def _decide(
    row: Registration,
    state: str,
    organisation: Organisation,
    by: User,
    now: datetime,
    *,
    made: Organisation | None = None,
) -> None:
    row.state, row.decided_at, row.decided_by, row.decided_for, row.organisation = (
        state, now, by, organisation, made,
    )  # fmt: skip
    row.save()


def _set_up(organisation: Organisation, wastes: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Declare the one store and a stream for each waste."""
    mine: dict[str, Any] = {"organisation": organisation, "by": operator(), "now": now}
    ledger.declare_store(code=STORE, name=STORE_NAME, store_type="贮存点", **mine)
    for at, each in enumerate(wastes, 1):
        ledger.declare_stream(
            code=f"F{at:02}", name=each["name"], waste_code=each["waste_code"], process_name=PROCESS,
            physical_form=FORMS[each["form"]], **mine,
        )  # fmt: skip


def _bind(
    generator: Organisation,
    collector: Organisation,
    agreed: Agreed,
    has_checked: bool,
    by: User,
    now: datetime,
) -> None:
    """Record contract and due diligence, as the generator said of them."""
    try:
        permits.record_contract(
            organisation=generator, counterparty=collector, purpose=Contract.Purpose.RECEIVING, by=by, now=now,
            **asdict(agreed),
        )  # fmt: skip
    except permits.PermitRefused as why:
        raise CollectionRefused(Code.CONTRACT_MALFORMED, agreed.number[:60], "agreed") from why
    if not has_checked:
        return
    today = local_day(now)
    held = "、".join(
        f"{each.number}（有效期至 {each.valid_through}）"
        for each in registry_queries.waste_permits(organisation=collector)
        if each.holds_on(today)
    )
    permits.record_due_diligence(
        organisation=generator, subject=collector, checked_on=today, valid_through=agreed.valid_through, is_passed=True,
        qualification=f"本单位声明已核实许可证：{held}"[:300] if held else "本单位声明已核实营业执照（一般固废）",
        capability="本单位声明已核实收集点和运输条件", by=by, now=now,
    )  # fmt: skip


def _audit_both(
    action: str,
    made: Organisation,
    organisation: Organisation,
    by: User,
    now: datetime,
    detail: dict[str, Any],
) -> None:
    """Record it for both: each finds it in its own log."""
    audit(by=by, now=now, organisation=organisation, action=action, object_ref=made.uscc, detail=detail)
    audit(by=by, now=now, organisation=made, action=action, object_ref=organisation.uscc, detail=detail)
