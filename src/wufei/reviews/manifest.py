"""
Does the manifest of a package say all that taking it in needs, in words that can be kept?

A signature says who wrote a manifest, not that it was written well: one by another system, or by hand, may lack
a key or hold what no database keeps. It is looked through once, before anything is read from it.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, ValidationError

from wufei.registry.rules import InvalidUscc, read_uscc
from wufei.reviews.package import PackageBroken
from wufei.reviews.stages import Action

LARGEST_SMALL, LARGEST_WHOLE, LARGEST_LONG = 2**15 - 1, 2**31 - 1, 2**63 - 1  # of the columns they go into


def _as_registered(text: str) -> str:
    try:
        known = read_uscc(text)
    except InvalidUscc as fault:
        raise ValueError("no 统一社会信用代码") from fault
    if known != text:
        raise ValueError("another spelling of a 统一社会信用代码")
    return text


def _instant(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("an instant without its offset")
    return text


Uscc = Annotated[str, AfterValidator(_as_registered)]
Name = Annotated[str, StringConstraints(max_length=200, pattern=r"\S")]
Division = Annotated[str, StringConstraints(pattern="^[0-9]{6}$")]
Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
Instant = Annotated[str, AfterValidator(_instant)]
SketchNumber = Annotated[int, Field(ge=-LARGEST_LONG, le=LARGEST_LONG)]


class Sender(BaseModel):
    uscc: Uscc
    name: Name
    division_code: Division


class Applicant(BaseModel):
    uscc: Uscc
    name: Name
    kind: Literal["ENTERPRISE", "PARK", "UTILISER", "CARRIER"]
    division_code: Division
    industry_code: Annotated[str, StringConstraints(max_length=4)]


class Content(BaseModel):
    """What was frozen; which of its parts are there is for the edition to say, not what they are made of."""

    texts: dict[str, Any] | None = None
    particulars: dict[str, Any] | None = None
    numbers: list[dict[str, Any]] | None = None
    headline: dict[str, dict[str, str | None]] | None = None
    narrative: list[SketchNumber] | None = None
    evaluation: dict[str, Any] | None = None
    evidence: list[dict[str, Any]] | None = None


class Submitted(BaseModel):
    edition: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    year: Annotated[int, Field(ge=1, le=LARGEST_SMALL)]
    number: Annotated[int, Field(ge=0, le=LARGEST_WHOLE)]
    name_given: Name
    content: Content
    ledger_heads: list[list[Any]]
    content_sha256: Sha256
    case_file_sha256: Literal[""] | Sha256
    submitted_at: Instant


class File(BaseModel):
    path: str
    file_name: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    category: Annotated[str, StringConstraints(pattern="^[A-Z_]{1,20}$")]
    kind: Annotated[str, StringConstraints(pattern="^[a-z0-9]{1,8}$")]  # ends a path under which it is kept
    size: Annotated[int, Field(ge=0, le=LARGEST_LONG)]
    sha256: Sha256
    shingles: list[SketchNumber]


class Done(BaseModel):
    stage: str
    stage_label: str = ""
    action: Action
    role: str
    at: Instant
    authority: str
    words: str


class Sent(BaseModel):
    code: str
    organisation: Applicant
    submission: Submitted
    case_file: str  # "": there is none
    evidence: list[File]
    acts: list[Done]


class Listed(BaseModel):
    sha256: Sha256


class Manifest(BaseModel):
    """What a package says of itself; more than this it may say, and is not asked for."""

    format: int
    round: UUID
    target_edition: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    year: Annotated[int, Field(ge=1, le=LARGEST_SMALL)]
    title: Name
    authority: Sender
    applications: list[Sent]
    files: dict[str, Listed]


def check(manifest: Mapping[str, Any]) -> None:
    """
    Let a manifest pass that can be taken in.

    :raises PackageBroken: `manifest_malformed`, with the place; `nothing_in_it`
    """
    try:
        # Neither half a character nor a number that is none can be kept.
        text = json.dumps(dict(manifest), ensure_ascii=False, allow_nan=False).encode()
        said = Manifest.model_validate_json(text, strict=True)
    except ValidationError as faults:
        where = ".".join(str(part) for part in faults.errors(include_url=False)[0]["loc"])
        raise PackageBroken("manifest_malformed", where) from faults
    except (ValueError, TypeError, RecursionError) as fault:
        raise PackageBroken("manifest_malformed") from fault
    if _holds_nul(manifest):
        raise PackageBroken("manifest_malformed", "NUL")
    if not said.applications:
        raise PackageBroken("nothing_in_it")
    for each in said.applications:
        _check_files(each, said.files)


def _check_files(sent: Sent, listed: Mapping[str, Listed]) -> None:
    """What an application says of its files is what lies there."""
    if sent.case_file and sent.case_file not in listed:
        raise PackageBroken("manifest_malformed", sent.case_file)
    for file in sent.evidence:
        if file.path not in listed or listed[file.path].sha256 != file.sha256:
            raise PackageBroken("manifest_malformed", file.path)


def _holds_nul(said: Any) -> bool:
    waiting = [said]
    while waiting:
        match waiting.pop():
            case str() as text if "\0" in text:
                return True
            case dict() as each:
                waiting += [*each, *each.values()]
            case list() as each:
                waiting += each
    return False
