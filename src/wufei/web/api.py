"""
Where the rooms' routes are mounted, and the outermost door of the API.

What is true of every request is held here: how large it may be, of what type, that it asks for nothing
that the route doesn't know, and that whatever goes wrong is said in the one shape of an error.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.urls import URLPattern, include, path, re_path
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, AuthorizationError, HttpError, Throttled, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.renderers import JSONRenderer

from wufei.cases.api import router as cases
from wufei.collection.api import router as collection
from wufei.filings.api.disclosures import router as disclosures
from wufei.filings.api.plans import router as plans
from wufei.indicators.api import router as indicators
from wufei.labels.api import router as labels
from wufei.ledger.api.books import router as books
from wufei.ledger.api.identifications import router as identifications
from wufei.ledger.api.lots import router as lots
from wufei.ledger.api.movements import router as ledger
from wufei.paper.attachments import MAX_FILE_BYTES
from wufei.policies.api import editions_router
from wufei.policies.api import router as evaluation
from wufei.registry.api.door import MALFORMED, SCOPES, ErrorDetail, Refused, malformed, not_permitted
from wufei.registry.api.fleet import router as fleet
from wufei.registry.api.idempotency import HEADER
from wufei.registry.api.organisations import router as organisations
from wufei.registry.api.permits import router as permits
from wufei.registry.queries import NotPermitted
from wufei.reviews.api.applications import router as applications
from wufei.reviews.api.lists import router as lists
from wufei.reviews.api.rounds import router as rounds
from wufei.shopfloor.api import SIGNATURE as DEVICE_SIGNATURE
from wufei.shopfloor.api import devices
from wufei.shopfloor.api import router as scales
from wufei.storage.api.inspections import checklists
from wufei.storage.api.inspections import router as inspections
from wufei.storage.api.stocktaking import router as stocktaking
from wufei.storage.api.zones import router as zones
from wufei.tracking.api import devices as trackers
from wufei.tracking.api import router as tracking
from wufei.transfers.api.approvals import router as approvals
from wufei.transfers.api.loads import router as loads
from wufei.transfers.api.manifests import router as transfers
from wufei.web import api_links

MAX_BODY_BYTES = 1024 * 1024
MAX_UPLOAD_BYTES = MAX_FILE_BYTES + MAX_BODY_BYTES
JSON, MULTIPART = "application/json", "multipart/form-data"

DESCRIPTION = f"""\
每个请求带上令牌（`Authorization: Bearer 令牌`）；在浏览器中登录后也可以直接使用，写入时须带 `X-CSRFToken`。

每个写入请求（POST、PUT、PATCH、DELETE）须带 `{HEADER}`：由客户端生成，至多 128 个可见 ASCII 字符。\
网络中断后用同一个 {HEADER} 原样重发，只会执行一次，答复与当时相同，并带 `Idempotent-Replay: true`；\
同一个 {HEADER} 用于别的内容时答复 409。只保存成功的答复：被拒绝的请求没有改动任何数据，改正后可用同一个重发。

数量以克为单位的整数给出，其他数为十进制字符串，从不使用浮点数；时刻为带时区的 ISO 8601。\
有错时答复 `{{"code", "message", "details"}}`：message 说明哪里不对、该怎么办。

成功的答复列有 `links`：接着可以做什么，所需的参数取自这次请求或答复的哪一处；\
其中的 requestBody 只写取自答复的部分（例如 version），其余由客户端填写。

令牌的范围：{"；".join(f"`{scope}` {words}" for scope, words in SCOPES.items())}。
"""


class Renderer(JSONRenderer):
    json_dumps_params = {"ensure_ascii": False}


class DocumentedApi(NinjaAPI):
    """Anybody may ask for its document, and making it takes most of a second: it is made once."""

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        return self._document(self.get_root_path(path_params or {}) if path_prefix is None else path_prefix)

    @cache  # noqa: B019  # lives as long as the process
    def _document(self, path_prefix: str) -> OpenAPISchema:
        return super().get_openapi_schema(path_prefix=path_prefix)


api = DocumentedApi(
    title="无废 Wufei API",
    version="1",
    description=DESCRIPTION,
    docs_url=None,
    renderer=Renderer(),
    urls_namespace="api",
)


# --- what every request passes ---------------------------------------------------------


def guarded(run: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Refuse what is too large, of another type, or asks for something that the route doesn't know."""
    operation: Operation = run.__self__  # type: ignore[attr-defined]  # ninja hands us the bound method
    known, media_type = _query_names(operation), _media_type(operation)

    def run_guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        try:
            if request.method != "GET":
                _refuse_body(request, media_type)
            if unknown := sorted(request.GET.keys() - known):
                message = f"没有这个参数；可用的有：{'、'.join(sorted(known)) or '无'}。"
                raise malformed(f"query.{unknown[0]}", "query_unknown", message)
            return run(request, **kwargs)
        except (Refused, SuspiciousOperation, BadRequest, MultiPartParserError) as refused:
            return api.on_exception(request, refused)

    return run_guarded


def _query_names(operation: Operation) -> frozenset[str]:
    names: set[str] = set()
    for model in operation.models:
        if model.__ninja_param_source__ == "query":
            names |= model.__ninja_flatten_map__.keys()  # type: ignore[attr-defined]
    return frozenset(names)


def _media_type(operation: Operation) -> str | None:
    sources = {model.__ninja_param_source__ for model in operation.models}
    if sources & {"form", "file"}:
        return MULTIPART
    return JSON if "body" in sources else None


def _refuse_body(request: HttpRequest, media_type: str | None) -> None:
    most = MAX_UPLOAD_BYTES if media_type == MULTIPART else MAX_BODY_BYTES
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise BadRequest from None
    if length > most:
        message = f"请求超过 {most // MAX_BODY_BYTES} MB；请分几次提交。"
        raise Refused(413, "body_too_large", message)
    if media_type is not None and request.content_type != media_type:
        raise Refused(415, "media_type_wrong", f"请求头 Content-Type 应为 {media_type}。")


# --- what an error says ----------------------------------------------------------------


def error(
    request: HttpRequest, status: int, code: str, message: str, details: Iterable[ErrorDetail] = ()
) -> HttpResponse:
    said = {"code": code, "message": message, "details": [_sound(detail) for detail in details]}
    return api.create_response(request, said, status=status)


def _sound(detail: ErrorDetail) -> dict[str, str | None]:
    """What the client wrote may stand in a detail, and be no sound Unicode."""
    return {
        name: value and value.encode("utf-8", "replace").decode("utf-8")
        for name, value in detail.model_dump().items()
    }


@api.exception_handler(Refused)
def on_refused(request: HttpRequest, refused: Refused) -> HttpResponse:
    return error(request, refused.status, refused.code, refused.message, refused.details)


@api.exception_handler(NotPermitted)
def on_not_permitted(request: HttpRequest, refused: NotPermitted) -> HttpResponse:
    return on_refused(request, not_permitted(refused.permission))


@api.exception_handler(AuthenticationError)
def on_not_authenticated(request: HttpRequest, _: Exception) -> HttpResponse:
    if DEVICE_SIGNATURE in request.headers:  # a scale or a tracker, which doesn't sign in
        message = "签名不符，或没有登记这台设备；请核对设备编码、密钥和所签的文本。"
    else:
        message = "没有有效的令牌，或登录已过期；请带上有效的令牌，或重新登录。"
    response = error(request, 401, "not_authenticated", message)
    response["WWW-Authenticate"] = 'Bearer realm="wufei"'
    return response


@api.exception_handler(AuthorizationError)
def on_wrong_scope(request: HttpRequest, refused: AuthorizationError) -> HttpResponse:
    detail = ErrorDetail(code="scope_missing", message=f"{refused}：{SCOPES.get(str(refused), '')}")
    message = "这个令牌的范围不包括这项操作；请换用范围合适的令牌。"
    return error(request, 403, "scope_missing", message, [detail])


@api.exception_handler(Throttled)
def on_throttled(request: HttpRequest, _: Exception) -> HttpResponse:
    return error(request, 429, "too_many_requests", "请求过于频繁；请按 Retry-After 所示的秒数稍后再试。")


@api.exception_handler(HttpError)
def on_http_error(request: HttpRequest, refused: HttpError) -> HttpResponse:
    if refused.status_code == 403:
        message = "缺少或不符的 X-CSRFToken；请刷新页面后重试，程序请改用令牌。"
        return error(request, 403, "csrf_failed", message)
    return on_bad_request(request, refused)


@api.exception_handler(Http404)
def on_not_found(request: HttpRequest, _: Exception | None = None) -> HttpResponse:
    return error(request, 404, "route_unknown", "没有这个地址；请对照 /api/v1/docs 核对。")


@api.exception_handler(SuspiciousOperation)
@api.exception_handler(BadRequest)
@api.exception_handler(MultiPartParserError)
def on_bad_request(request: HttpRequest, refused: Exception) -> HttpResponse:
    if isinstance(refused, RequestDataTooBig):
        return error(request, 413, "body_too_large", "请求过大；请分几次提交。")
    return error(request, 400, "not_readable", "请求读不出来；请核对格式（JSON 或 multipart）后重发。")


@api.exception_handler(ValidationError)
def on_invalid(request: HttpRequest, invalid: ValidationError) -> HttpResponse:
    details = [_detail(each) for each in invalid.errors]
    if any(detail.where == f"header.{HEADER}" for detail in details):
        message = f"写入请求须带 {HEADER} 请求头：1 至 128 个可见 ASCII 字符，例如一个 UUID。"
        return error(request, 400, "idempotency_key_missing", message, details)
    return error(request, 422, "request_malformed", MALFORMED, details)


SENTENCES = {
    "missing": "没有填写。",
    "extra_forbidden": "没有这一项；请核对名称。",
    "string_type": "应为文字。",
    "string_unicode": "含有不能保存的字符；请改写。",
    "string_too_long": "文字过长，至多 {max_length} 个字符。",
    "string_too_short": "不能为空。",
    "string_pattern_mismatch": "格式不对，应符合 {pattern}。",
    "int_type": "应为整数。",
    "int_parsing": "应为整数。",
    "int_parsing_size": "数过大。",
    "int_from_float": "应为整数，不能带小数。",
    "greater_than_equal": "应不小于 {ge}。",
    "less_than_equal": "应不大于 {le}。",
    "bool_parsing": "应为 true 或 false。",
    "enum": "应为其中之一：{expected}。",
    "literal_error": "应为其中之一：{expected}。",
    "too_long": "至多 {max_length} 项。",
    "too_short": "至少 {min_length} 项。",
    "uuid_parsing": "应为 UUID。",
    "uuid_type": "应为 UUID。",
    "list_type": "应为列表。",
    "json_invalid": "应为 JSON。",
}


def _detail(fault: dict[str, Any]) -> ErrorDetail:
    kind = str(fault["type"])
    message = str(fault["msg"])
    if kind in SENTENCES:
        message = SENTENCES[kind].format_map(fault.get("ctx", {}))
    elif message.isascii():  # pydantic's own English
        message = "取值不符合要求；请对照 /api/v1/docs 核对。"
    where = ".".join(str(step) for step in fault["loc"])
    return ErrorDetail(where=_plain_place(where), code=kind, message=message)


def _plain_place(where: str) -> str:
    """
    Name a place as the client knows it, without the names of our parameters.

    >>> _plain_place("body.body.movements.0"), _plain_place("query.asked"), _plain_place("query.limit")
    ('body.movements.0', 'query', 'query.limit')
    """
    source, _, rest = where.partition(".")
    first, _, inner = rest.partition(".")
    if first in ("body", "asked"):
        rest = inner
    return f"{source}.{rest}" if rest else source


# --- the document and its page ---------------------------------------------------------

ROUTERS = (
    ("", organisations),
    ("", permits),
    ("", fleet),
    ("/organisations/{uscc}", ledger),
    ("/organisations/{uscc}", identifications),
    ("/organisations/{uscc}", lots),
    ("/organisations/{uscc}", books),
    ("/organisations/{uscc}", labels),
    ("/organisations/{uscc}", zones),
    ("/organisations/{uscc}", stocktaking),
    ("/organisations/{uscc}", inspections),
    ("", checklists),
    ("/organisations/{uscc}", plans),
    ("/organisations/{uscc}", disclosures),
    ("/organisations/{uscc}", indicators),
    ("/organisations/{uscc}", evaluation),
    ("/organisations/{uscc}", cases),
    ("/organisations/{uscc}", scales),
    ("", devices),
    ("", trackers),
    ("", transfers),
    ("", approvals),
    ("", loads),
    ("", tracking),
    ("", collection),
    ("", editions_router),
    ("", rounds),
    ("", applications),
    ("", lists),
)
operations = {
    operation.view_func.__name__: operation
    for _, router in ROUTERS
    for view in router.path_operations.values()
    for operation in view.operations
}
api_links.describe(
    operations.values(),
    ids={name: api.get_openapi_operation_id(operation) for name, operation in operations.items()},
)
for prefix, router in ROUTERS:
    router.add_decorator(guarded, mode="view")
    api.add_router(prefix, router)


def docs(request: HttpRequest) -> HttpResponse:
    """Show the OpenAPI document to a reader, from a template: no script, nothing from elsewhere."""
    schema = api.get_openapi_schema(path_prefix="/api/v1/")
    return render(request, "api/docs.html", {"schema": schema, "groups": _groups(schema), "scopes": SCOPES})


def _groups(schema: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for address, methods in schema["paths"].items():
        for method, said in methods.items():
            groups.setdefault(said["tags"][0], []).append(
                {
                    "method": method.upper(),
                    "path": address,
                    "anchor": said["operationId"],
                    "summary": said["summary"],
                    "description": said.get("description", ""),
                    "scope": said["x-scope"],
                    "parameters": [_parameter(each) for each in said["parameters"]],
                    "body": _body_rows(said.get("requestBody"), schema),
                    "answers": [
                        {"status": status, "schema": _answer_name(each), "words": STATUS_WORDS[int(status)]}
                        for status, each in said["responses"].items()
                    ],
                }
            )
    return groups


STATUS_WORDS = {
    200: "成功",
    201: "已写入",
    204: "已移除",
    400: "请求读不出来，或缺少 Idempotency-Key",
    401: "没有有效的令牌或登录",
    403: "令牌范围或角色不允许",
    404: "没有，或您无权查看",
    409: "与现状冲突：版本已旧、记账被拒、Idempotency-Key 已用于别的请求",
    413: "请求过大",
    415: "Content-Type 不对",
    422: "内容有误",
    429: "请求过于频繁",
}


def _parameter(said: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": said["name"],
        "where": said["in"],
        "required": said["required"],
        "type": _type_words(said["schema"]),
        "description": said.get("description", ""),
    }


def _body_rows(body: dict[str, Any] | None, schema: dict[str, Any]) -> list[dict[str, Any]]:
    if body is None:
        return []
    [content] = body["content"].values()
    return _rows(content["schema"], schema, "")


def _rows(shape: dict[str, Any], schema: dict[str, Any], prefix: str) -> list[dict[str, Any]]:
    if "$ref" in shape:
        shape = schema["components"]["schemas"][shape["$ref"].rsplit("/", 1)[-1]]
    rows: list[dict[str, Any]] = []
    for name, said in shape.get("properties", {}).items():
        rows.append(
            {
                "name": prefix + name,
                "required": name in shape.get("required", ()),
                "type": _type_words(said),
                "description": said.get("description", ""),
            }
        )
        if "$ref" in said.get("items", {}):
            rows += _rows(said["items"], schema, f"{prefix}{name}[].")
    return rows


def _type_words(said: dict[str, Any]) -> str:
    if "anyOf" in said:
        return " 或 ".join(dict.fromkeys(_type_words(each) for each in said["anyOf"]))
    if "$ref" in said:
        return str(said["$ref"]).rsplit("/", 1)[-1]
    if "enum" in said:
        return "、".join(map(str, said["enum"]))
    if said.get("type") == "array":
        return f"列表：{_type_words(said['items'])}"
    words = {
        "string": "文字",
        "integer": "整数",
        "boolean": "true 或 false",
        "null": "null",
        "object": "对象",
    }
    formats = {"date": "日期", "date-time": "时刻", "uuid": "UUID", "binary": "文件"}
    return formats.get(said.get("format", "")) or words.get(said.get("type", ""), "任意")


def _answer_name(said: dict[str, Any]) -> str:
    for content in said.get("content", {}).values():
        return str(content["schema"].get("$ref", "")).rsplit("/", 1)[-1]
    return ""


# --- addresses -------------------------------------------------------------------------


@login_not_required
def unknown_route(request: HttpRequest, **_: Any) -> HttpResponse:
    return on_not_found(request)


unknown_route.csrf_exempt = True  # type: ignore[attr-defined]  # it does nothing, and says so in JSON


def _open(pattern: URLPattern) -> URLPattern:
    """Let the route itself say 401, in JSON, where a page would send people to sign in."""
    view = pattern.callback

    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if response.status_code == 405:
            allowed = response["Allow"]
            response = error(request, 405, "method_unknown", f"这个地址只接受 {allowed}。")
            response["Allow"] = allowed
        return response

    answer.csrf_exempt = True  # type: ignore[attr-defined]  # the session door checks it itself
    pattern.callback = unknown_route if pattern.name == "api-root" else login_not_required(answer)
    return pattern


_routes, _app, _namespace = api.urls
urlpatterns = [
    path("docs", login_not_required(docs), name="api-docs"),
    path(
        "",
        include(
            (
                [_open(each) for each in _routes if isinstance(each, URLPattern)],
                _app,
            ),
            _namespace,
        ),
    ),
    re_path(r"^", unknown_route),
]
