"""Signed packages: what one level's round sends to the next, and takes in from the one below."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Prefetch

from wufei.cases import freezing
from wufei.cases.models import Submission, SubmittedEvidence
from wufei.cases.services.comparing import keep_comparable
from wufei.policies import queries as policy_queries
from wufei.policies.edition import Edition
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, OrganisationKind, User
from wufei.registry.queries import jurisdiction_prefix, require
from wufei.registry.services import OrganisationRefused, audit, operator, register_organisations
from wufei.registry.services.storing import store, stored_content
from wufei.reviews import manifest as manifests
from wufei.reviews import package as packages
from wufei.reviews import stages
from wufei.reviews.models import Act, Application, Package, Round, SigningKey
from wufei.reviews.package import PackageBroken
from wufei.reviews.queries.packages import sent_upward
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services.applying import next_codes
from wufei.reviews.services.rounds import locked_round
from wufei.terms.day import local_day

FORMAT = 1
NAMED = 5  # of those that a refusal concerns
KEPT_IN = "evidence/packages"
CARRIED = (
    "edition",
    "year",
    "number",
    "name_given",
    "content",
    "ledger_heads",
    "content_sha256",
    "case_file_sha256",
)


@transaction.atomic
def make_key(*, authority: Organisation, by: User, now: datetime) -> SigningKey:
    """
    Return the authority's newest key of its own; make one where there is none.

    :raises NotPermitted:
    """
    require(user=by, permission=Permission.RUN_ROUND, organisation=authority, on=local_day(now))
    own = SigningKey.objects.filter(authority=authority).exclude(private_key="").order_by("-pk").first()
    if own is not None:
        return own
    private, public = packages.new_key()
    key = SigningKey.objects.create(
        authority=authority, public_key=public, private_key=private, made_at=now, trusted_by=by
    )
    audit(
        by=by, now=now, organisation=authority, action="reviews.make_key", object_ref=public[:16], detail={}
    )
    return key


@transaction.atomic
def trust_key(*, authority: Organisation, public_key: str, by: User, now: datetime) -> SigningKey:
    """
    Trust another system's key to sign for the authority; the key was compared by word of mouth.

    :raises NotPermitted, ReviewRefused:
    """
    require(user=by, permission=Permission.EDIT_ORGANISATION, organisation=authority, on=local_day(now))
    if len(public_key) != 64 or set(public_key) - set("0123456789abcdef"):
        raise ReviewRefused("key_malformed")
    standing = SigningKey.objects.filter(public_key=public_key).first()
    if standing is not None and standing.authority_id != authority.pk:
        raise ReviewRefused("key_of_another_authority", standing.authority.name)
    key, created = SigningKey.objects.get_or_create(
        public_key=public_key, defaults={"authority": authority, "made_at": now, "trusted_by": by}
    )
    if created:
        audit(
            by=by, now=now, organisation=authority, action="reviews.trust_key", object_ref=public_key[:16],
            detail={},
        )  # fmt: skip
    return key


@transaction.atomic
def export_round(*, round_: Round, by: User, now: datetime) -> bytes:
    """
    Return the signed package of what the round recommends upward.

    :raises NotPermitted, ReviewRefused: `nothing_to_send` where nothing is recommended
    """
    locked = locked_round(round_, by, now)
    edition = policy_queries.edition(locked.edition)
    acts = Prefetch("acts", Act.objects.select_related("acted_for").order_by("seq"))
    rows = list(sent_upward(round_=locked, edition=edition).prefetch_related(acts))
    if not rows:
        raise ReviewRefused("nothing_to_send")
    files: dict[str, bytes] = {}
    listed = [_written(row, edition, files) for row in rows]
    manifest = {
        "format": FORMAT, "round": str(locked.uid), "edition": locked.edition,
        "target_edition": edition.extends or locked.edition, "year": locked.year, "title": locked.title,
        "authority": {"uscc": locked.authority.uscc, "name": locked.authority.name,
                      "division_code": locked.authority.division_code},
        "made_at": now.isoformat(), "applications": listed,
    }  # fmt: skip
    key = make_key(authority=locked.authority, by=by, now=now)
    sealed = packages.seal(manifest=manifest, files=files, private_key=key.private_key)
    _keep(locked, packages.unseal(sealed, trusted=frozenset({key.public_key})), by, now, incoming=False)
    return sealed


def _written(application: Application, edition: Edition, files: dict[str, bytes]) -> dict[str, Any]:
    """Return what the manifest says of an application, and add its files."""
    submission, organisation = application.submission, application.organisation
    labels = {stage.id: stage.label for stage in edition.stages}
    folder = f"applications/{application.code}"
    case_file = ""
    if submission.case_file:
        case_file = f"{folder}/申报书.docx"
        files[case_file] = stored_content(str(submission.case_file.name))
    evidence = []
    for number, row in enumerate(submission.files.all(), start=1):
        path = f"{folder}/{number:03d}.{row.kind}"
        files[path] = stored_content(str(row.stored.name))
        evidence.append(
            {
                "path": path, "file_name": row.file_name, "category": row.category, "kind": row.kind,
                "size": row.size, "sha256": row.sha256, "shingles": row.shingles,
            }
        )  # fmt: skip
    return {
        "code": application.code,
        "organisation": {
            "uscc": organisation.uscc, "name": organisation.name, "kind": organisation.kind,
            "division_code": organisation.division_code, "industry_code": organisation.industry_code,
        },
        "submission": {name: getattr(submission, name) for name in CARRIED}
        | {"submitted_at": submission.submitted_at.isoformat()},
        "case_file": case_file,
        "evidence": evidence,
        "acts": [
            {"stage": act.stage, "stage_label": labels[act.stage], "action": act.action, "role": act.role,
             "at": act.at.isoformat(),
             "authority": act.acted_for.name, "words": act.words}
            for act in application.acts.all()
        ],
    }  # fmt: skip


@transaction.atomic
def load_package(*, round_: Round, package: bytes, by: User, now: datetime) -> list[Application]:
    """
    Take in what the level below recommends: all of it, or nothing.

    :raises NotPermitted, ReviewRefused: `package_broken` where a byte was changed or the key isn't trusted,
        `package_loaded` where it was taken in before, `package_of_another_round`,
        `package_beyond_jurisdiction` where an applicant isn't of the sender's place
    """
    locked = locked_round(round_, by, now)
    if locked.closed_at is not None:
        raise ReviewRefused("round_closed")
    trusted = set(SigningKey.objects.values_list("public_key", flat=True))
    opened = _unsealed(package, trusted)
    said = opened.manifest
    sender = SigningKey.objects.select_related("authority").get(public_key=opened.public_key).authority
    if said["authority"]["uscc"] != sender.uscc:
        raise ReviewRefused("package_broken", "key_of_another_authority")
    if sender.kind != OrganisationKind.AUTHORITY:
        raise ReviewRefused("package_broken", "sender_not_an_authority")
    if (said["format"], said["target_edition"], said["year"]) != (FORMAT, locked.edition, locked.year):
        raise ReviewRefused("package_of_another_round", f"{said['target_edition']} {said['year']}")
    if Package.objects.filter(round=locked, source_round=said["round"], is_incoming=True).exists():
        raise ReviewRefused("package_loaded", said["title"])
    edition = policy_queries.edition(locked.edition)
    whose = _organisations([row["organisation"] for row in said["applications"]], now)
    _refuse_others(sender, whose.values())
    taken = _taken(locked, edition, whose, opened, by, now)
    _keep(locked, opened, by, now, incoming=True)
    return taken


def manifest_of(*, package: bytes, also: str = "") -> dict[str, Any]:
    """
    Return what a package says of itself, if it is whole and its key is trusted, or is the one given.

    :raises ReviewRefused: `package_broken`
    """
    trusted = set(SigningKey.objects.values_list("public_key", flat=True)) | ({also} if also else set())
    return dict(_unsealed(package, trusted).manifest)


def _unsealed(package: bytes, trusted: Collection[str]) -> packages.Opened:
    """Return what is in a package that is whole, of a trusted key, and says all that is needed."""
    try:
        opened = packages.unseal(package, trusted=frozenset(trusted))
        manifests.check(opened.manifest)
    except PackageBroken as broken:
        raise ReviewRefused("package_broken", broken.code) from broken
    return opened


def _refuse_others(sender: Organisation, whose: Iterable[Organisation]) -> None:
    """An authority recommends who is of its place; where that is, is what this store knows, else what it says."""
    prefix = jurisdiction_prefix(sender.division_code)
    if others := [row.name for row in whose if not row.division_code.startswith(prefix)]:
        raise ReviewRefused("package_beyond_jurisdiction", "、".join(others[:NAMED]))


def sender_of(*, manifest: dict[str, Any], now: datetime) -> Organisation:
    """Return the authority that sent a package; registered by the operator where it is new."""
    said = manifest["authority"]
    return _organisations([{**said, "kind": OrganisationKind.AUTHORITY.value}], now)[said["uscc"]]


def _taken(
    round_: Round,
    edition: Edition,
    whose: Mapping[str, Organisation],
    opened: packages.Opened,
    by: User,
    now: datetime,
) -> list[Application]:
    """Keep what the package says of each application, in the same few statements however many there are."""
    said = opened.manifest["applications"]
    _refuse_second(round_, [whose[row["organisation"]["uscc"]] for row in said])
    submissions = Submission.objects.bulk_create(
        _submission(row, whose[row["organisation"]["uscc"]], opened, by) for row in said
    )
    SubmittedEvidence.objects.bulk_create(
        SubmittedEvidence(
            submission=submission, category=file["category"], file_name=file["file_name"], kind=file["kind"],
            size=file["size"], sha256=file["sha256"], shingles=file["shingles"],
            stored=store(folder=KEPT_IN, content=opened.files[file["path"]], kind=file["kind"]),
        )
        for submission, row in zip(submissions, said, strict=True)
        for file in row["evidence"]
    )  # fmt: skip
    keep_comparable(submissions=submissions)
    stage = stages.entered_from_below(edition.stages)
    return Application.objects.bulk_create(
        Application(
            round=round_, organisation=submission.organisation, submission=submission, is_direct=False, code=code,
            district_code=submission.organisation.division_code, stage=stage, stage_since=now,
            came_with={"round": opened.manifest["title"], "acts": row["acts"]},
        )
        for submission, row, code in zip(submissions, said, next_codes(round_), strict=False)
    )  # fmt: skip


def _submission(
    said: dict[str, Any], organisation: Organisation, opened: packages.Opened, by: User
) -> Submission:
    carried = dict(said["submission"])
    submitted_at = datetime.fromisoformat(carried.pop("submitted_at"))
    if freezing.digest(carried["content"], carried["ledger_heads"]) != carried["content_sha256"]:
        raise ReviewRefused("package_broken", "content_differs")
    body = opened.files[said["case_file"]] if said["case_file"] else b""
    return Submission(
        organisation=organisation, submitted_at=submitted_at, submitted_by=by,
        case_file=store(folder=KEPT_IN, content=body, kind="docx") if body else "", **carried,
    )  # fmt: skip


def _refuse_second(round_: Round, whose: list[Organisation]) -> None:
    """An organisation applies once in a round, whether it came by itself or in a package."""
    there = set(
        Application.objects.filter(round=round_, organisation__in=whose).values_list(
            "organisation_id", flat=True
        )
    )
    for organisation in whose:
        if organisation.pk in there:
            raise ReviewRefused("applied_already", organisation.name)
        there.add(organisation.pk)


def _organisations(said: Iterable[dict[str, Any]], now: datetime) -> dict[str, Organisation]:
    """Return the organisations by code; the operator registers who is new."""
    wanted = {each["uscc"]: each for each in said}
    known = {row.uscc: row for row in Organisation.objects.filter(uscc__in=wanted)}
    if new := [each for uscc, each in wanted.items() if uscc not in known]:
        try:
            made = register_organisations(wanted=new, by=operator(), now=now)
        except OrganisationRefused as refused:
            raise ReviewRefused("package_broken", "manifest_malformed") from refused
        known |= {each["uscc"]: row for each, row in zip(new, made, strict=True)}
    return known


def _keep(round_: Round, opened: packages.Opened, by: User, now: datetime, *, incoming: bool) -> None:
    Package.objects.create(
        round=round_, is_incoming=incoming, source_round=opened.manifest["round"], sha256=opened.sha256,
        public_key=opened.public_key, application_count=len(opened.manifest["applications"]), handled_at=now,
        handled_by=by,
    )  # fmt: skip
    audit(
        by=by, now=now, organisation=round_.authority, object_ref=f"round:{round_.pk}",
        action="reviews.load_package" if incoming else "reviews.export_round",
        detail={"sha256": opened.sha256, "applications": len(opened.manifest["applications"])},
    )  # fmt: skip
