"""Signed packages: what one level's round sends to the next, and takes in from the one below."""

import hashlib
from datetime import datetime
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from wufei.cases import freezing
from wufei.cases.models import Submission, SubmittedEvidence
from wufei.policies import queries as policy_queries
from wufei.policies.edition import Edition
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, OrganisationKind, User
from wufei.registry.queries import require
from wufei.registry.services import audit, operator, register_organisation
from wufei.reviews import package as packages
from wufei.reviews.clock import local_day
from wufei.reviews.models import Application, Package, Round, SigningKey
from wufei.reviews.package import PackageBroken
from wufei.reviews.queries.packages import sent_upward
from wufei.reviews.refusals import ReviewRefused
from wufei.reviews.services.deciding import starts_at
from wufei.reviews.services.rounds import locked_round

FORMAT = 1
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
    rows = list(sent_upward(round_=locked, edition=edition))
    if not rows:
        raise ReviewRefused("nothing_to_send")
    files: dict[str, bytes] = {}
    listed = [_written(row, files) for row in rows]
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


def _written(application: Application, files: dict[str, bytes]) -> dict[str, Any]:
    """Return what the manifest says of an application, and add its files."""
    submission, organisation = application.submission, application.organisation
    folder = f"applications/{application.code}"
    case_file = ""
    if submission.case_file:
        case_file = f"{folder}/申报书.docx"
        files[case_file] = _read(str(submission.case_file.name))
    evidence = []
    for number, row in enumerate(submission.files.order_by("pk"), start=1):
        path = f"{folder}/{number:03d}.{row.kind}"
        files[path] = _read(str(row.stored.name))
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
            {"stage": act.stage, "action": act.action, "role": act.role, "at": act.at.isoformat(),
             "authority": act.acted_for.name, "words": act.words}
            for act in application.acts.select_related("acted_for").order_by("seq")
        ],
    }  # fmt: skip


def _read(name: str) -> bytes:
    with default_storage.open(name, "rb") as stored:
        return stored.read()  # type: ignore[no-any-return]


@transaction.atomic
def load_package(*, round_: Round, package: bytes, by: User, now: datetime) -> list[Application]:
    """
    Take in what the level below recommends: all of it, or nothing.

    :raises NotPermitted, ReviewRefused: `package_broken` where a byte was changed or the key isn't trusted,
        `package_loaded` where it was taken in before, `package_of_another_round`
    """
    locked = locked_round(round_, by, now)
    if locked.closed_at is not None:
        raise ReviewRefused("round_closed")
    trusted = dict(SigningKey.objects.values_list("public_key", "authority__uscc"))
    try:
        opened = packages.unseal(package, trusted=frozenset(trusted))
    except PackageBroken as broken:
        raise ReviewRefused("package_broken", broken.code) from broken
    said = opened.manifest
    if said["authority"]["uscc"] != trusted[opened.public_key]:
        raise ReviewRefused("package_broken", "key_of_another_authority")
    if (said["format"], said["target_edition"], said["year"]) != (FORMAT, locked.edition, locked.year):
        raise ReviewRefused("package_of_another_round", f"{said['target_edition']} {said['year']}")
    if Package.objects.filter(round=locked, source_round=said["round"], is_incoming=True).exists():
        raise ReviewRefused("package_loaded", said["title"])
    edition = policy_queries.edition(locked.edition)
    taken = [_taken(locked, edition, row, opened, by, now) for row in said["applications"]]
    _keep(locked, opened, by, now, incoming=True)
    return taken


def manifest_of(*, package: bytes, also: str = "") -> dict[str, Any]:
    """
    Return what a package says of itself, if it is whole and its key is trusted, or is the one given.

    :raises ReviewRefused: `package_broken`
    """
    trusted = set(SigningKey.objects.values_list("public_key", flat=True)) | ({also} if also else set())
    try:
        return dict(packages.unseal(package, trusted=frozenset(trusted)).manifest)
    except PackageBroken as broken:
        raise ReviewRefused("package_broken", broken.code) from broken


def sender_of(*, manifest: dict[str, Any], now: datetime) -> Organisation:
    """Return the authority that sent a package; registered by the operator where it is new."""
    said = manifest["authority"]
    return _organisation({**said, "kind": OrganisationKind.AUTHORITY.value}, now)


def _taken(
    round_: Round, edition: Edition, said: dict[str, Any], opened: packages.Opened, by: User, now: datetime
) -> Application:
    organisation = _organisation(said["organisation"], now)
    carried = dict(said["submission"])
    submitted_at = datetime.fromisoformat(carried.pop("submitted_at"))
    if freezing.digest(carried["content"], carried["ledger_heads"]) != carried["content_sha256"]:
        raise ReviewRefused("package_broken", "content_differs")
    case_file = _stored(opened.files[said["case_file"]], "docx") if said["case_file"] else ""
    submission = Submission.objects.create(
        organisation=organisation, case_file=case_file, submitted_at=submitted_at, submitted_by=by, **carried
    )
    for row in said["evidence"]:
        body = opened.files[row["path"]]
        SubmittedEvidence.objects.create(
            submission=submission, category=row["category"], file_name=row["file_name"], kind=row["kind"],
            size=row["size"], sha256=row["sha256"], shingles=row["shingles"], stored=_stored(body, row["kind"]),
        )  # fmt: skip
    if Application.objects.filter(round=round_, organisation=organisation).exists():
        raise ReviewRefused("applied_already", organisation.name)
    application = Application(
        round=round_, organisation=organisation, submission=submission, is_direct=False,
        code=f"{round_.year}-{round_.pk:03d}-{round_.applications.count() + 1:05d}",
        district_code=organisation.division_code, stage_since=now,
    )  # fmt: skip
    application.stage = starts_at(application, edition)
    application.save()
    return application


def _organisation(said: dict[str, Any], now: datetime) -> Organisation:
    known = Organisation.objects.filter(uscc=said["uscc"]).first()
    return known or register_organisation(**said, by=operator(), now=now)


def _stored(body: bytes, kind: str) -> str:
    path = f"evidence/packages/{hashlib.sha256(body).hexdigest()}.{kind}"
    return path if default_storage.exists(path) else default_storage.save(path, ContentFile(body))


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
