"""
A write that is sent again counts once.

The answer is kept in the transaction of the write itself, under the person and the key that the
client made. The same key with the same request brings the same answer; with another request it is
refused. Only what was carried out is kept: a refused request has changed nothing, and may be sent
again, corrected or not, under the same key.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Header
from ninja.responses import NinjaJSONEncoder
from ninja.utils import contribute_operation_args
from pydantic import BaseModel

from wufei.registry.access import Permission
from wufei.registry.api.door import ApiRequest, Refused, organisation_of
from wufei.registry.models import IdempotentAnswer, User

HEADER = "Idempotency-Key"
NOT_YET = 0  # the status of an answer whose write is under way; never seen outside its transaction


StillSeen = Callable[[ApiRequest, Mapping[str, Any]], None]


def written_once(
    status: int, *, still_seen: StillSeen | None = None
) -> Callable[[Callable[..., BaseModel | None]], Callable[..., HttpResponse]]:
    """
    Make a writing route answer with the status, and only once for each `Idempotency-Key`.

    `still_seen` refuses a kept answer, by what stands in the path, to who may no longer see what it tells of.
    """

    def decorate(view: Callable[..., BaseModel | None]) -> Callable[..., HttpResponse]:
        @functools.wraps(view)
        def once(request: ApiRequest, *args: Any, idempotency_key: str, **kwargs: Any) -> HttpResponse:
            digest = request_digest(request)
            with transaction.atomic():
                kept = _claim(user=request.auth, key=idempotency_key, digest=digest, now=timezone.now())
                if kept.status != NOT_YET:
                    if "uscc" in kwargs:  # who may no longer see the organisation isn't told of it either
                        organisation_of(request, kwargs["uscc"], Permission.VIEW_ORGANISATION)
                    if still_seen is not None:
                        still_seen(request, kwargs)
                    return _replay(kept, digest)
                document = view(request, *args, **kwargs)
                kept.status, kept.body = status, "" if document is None else as_text(document)
                kept.save(update_fields=["status", "body"])
            return _response(kept)

        contribute_operation_args(
            once,
            "idempotency_key",
            str,
            Header(
                ...,
                alias=HEADER,
                pattern=r"^[!-~]{1,128}$",
                description="由客户端生成，例如 UUID；重发同一请求时用同一个。",
            ),
        )
        return once

    return decorate


def as_text(document: BaseModel) -> str:
    return json.dumps(document.model_dump(), cls=NinjaJSONEncoder, ensure_ascii=False)


def request_digest(request: HttpRequest) -> str:
    """
    Return one hash over method, path and body.

    Of an upload the parts count, not the bytes around them, for a client draws a new boundary each time.
    """
    parts = [(request.method or "").encode(), request.get_full_path().encode("utf-8", "surrogateescape")]
    if request.content_type == "multipart/form-data":
        for name, values in sorted(request.POST.lists()):
            parts += [b"field", name.encode(), *(value.encode() for value in values)]
        for name, file in sorted(request.FILES.items()):
            assert isinstance(file, UploadedFile), "one file for each name"
            content = hashlib.sha256()
            for chunk in file.chunks():
                content.update(chunk)
            file.seek(0)
            parts += [b"file", name.encode(), (file.name or "").encode(), content.digest()]
    else:
        parts.append(request.body)
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()


def _claim(*, user: User, key: str, digest: str, now: datetime) -> IdempotentAnswer:
    """
    Return the answer kept under the key, or take the key for ourselves until the transaction ends.

    Whoever comes second waits here on PostgreSQL, and at the beginning of the transaction on SQLite.
    """
    fresh = IdempotentAnswer(
        user=user, key=key, request_digest=digest, status=NOT_YET, body="", answered_at=now
    )
    IdempotentAnswer.objects.bulk_create([fresh], ignore_conflicts=True)
    return IdempotentAnswer.objects.get(user=user, key=key)


def _replay(kept: IdempotentAnswer, digest: str) -> HttpResponse:
    if kept.request_digest != digest:
        raise Refused(
            409,
            "idempotency_key_reused",
            f"这个 {HEADER} 已用于另一个请求；请为新的请求换一个。重发旧请求时，内容须与当时完全相同。",
        )
    response = _response(kept)
    response["Idempotent-Replay"] = "true"
    return response


def _response(kept: IdempotentAnswer) -> HttpResponse:
    content_type = "application/json; charset=utf-8" if kept.body else None
    response = HttpResponse(kept.body, status=kept.status, content_type=content_type)
    if not kept.body:
        del response["Content-Type"]
    return response
