"""
Who asks, may they, and what is an error said in?

Every route of every room passes here: a token with its scope or a signed-in browser session,
then the organisation in question. An organisation that the person may not see is not there (404);
one that they may see but not act on is 403.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from django_otp import user_has_device
from ninja.errors import AuthenticationError, AuthorizationError
from ninja.security import HttpBearer, SessionAuth
from ninja.throttling import BaseThrottle
from pydantic import BaseModel

from wufei.registry.access import Permission
from wufei.registry.api.fields import Answered
from wufei.registry.models import Organisation, User
from wufei.registry.queries import NotPermitted, organisation_for, token_with

SCOPES: Mapping[str, str] = {
    "organisations:read": "查看单位信息",
    "organisations:write": "修改单位信息",
    "ledger:read": "查看台账、库存和校验结果",
    "ledger:write": "记账、冲正、结账，申报废物和贮存设施",
    "indicators:read": "查看指标及其来源",
    "evaluation:read": "查看政策版本和评价结果",
    "cases:read": "查看和下载申报书、证明材料",
    "cases:write": "编写申报书、上传和移除证明材料",
    "reviews:read": "查看申报、评审、公示、名单和待办",
    "reviews:write": "发起申报、报送案例、办理审核和征求意见",
    "transfers:read": "查看转移联单、许可证、合同、车辆",
    "transfers:write": "填写、签署和更正转移联单，登记许可证、合同、车辆",
}
REQUESTS_PER_MINUTE = 6000  # for one person: a stop to programs gone wild, not a quota


class ApiRequest(HttpRequest):
    """A request that has passed the door."""

    auth: User


# --- what an error says ----------------------------------------------------------------


class ErrorDetail(Answered):
    where: str | None = None  # "body.movements.0.amount"
    code: str
    message: str


class Error(Answered):
    """What was wrong, and what to do: the one shape of every refusal."""

    code: str
    message: str
    details: list[ErrorDetail] = []


class Refused(Exception):
    """The request was not carried out, and nothing was written; `message` is for people, in Chinese."""

    def __init__(self, status: int, code: str, message: str, details: Sequence[ErrorDetail] = ()):
        self.status, self.code, self.message = status, code, message
        self.details = list(details)
        super().__init__(f"{status} {code}")


MALFORMED = "请求的内容有误；请按 details 逐项改正后重发。"
READING = (400, 401, 403, 422, 429)
WRITING = (400, 401, 403, 409, 413, 415, 422, 429)


def answers(
    success: type[BaseModel] | Any | None, *, status: int = 200, writes: bool = False, named: bool = True
) -> dict[Any, Any]:
    """Return every status that a route can answer with; `named`: its path names a thing, which may not be there."""
    refusals = sorted({*(WRITING if writes else READING), *((404,) if named else ())})
    return {status: success, **dict.fromkeys(refusals, Error)}


# --- who asks --------------------------------------------------------------------------


class Token(HttpBearer):
    """令牌：请求头 Authorization: Bearer 令牌。"""

    def __init__(self, scope: str):
        assert scope in SCOPES, scope
        self.scope = scope
        super().__init__()

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        known = token_with(secret=token, now=timezone.now())
        if known is None or known.user.is_superuser:  # the operator behind the command line has no door here
            raise AuthenticationError
        if self.scope not in known.scopes:
            raise AuthorizationError(message=self.scope)
        return known.user

    def __call__(self, request: HttpRequest) -> User | None:
        """A bad header is refused, and does not fall back on the browser's session."""
        found = super().__call__(request)
        if found is None and "Authorization" in request.headers:
            raise AuthenticationError
        return found


class Session(SessionAuth):
    """浏览器登录会话；写入须带 X-CSRFToken。"""

    def __call__(self, request: HttpRequest) -> User | None:
        user = request.user
        if not isinstance(user, User) or not user.is_active or user.is_superuser:
            return None
        if user_has_device(user) and not user.is_verified():  # type: ignore[attr-defined]  # OTPMiddleware
            return None
        found = super().__call__(request)  # checks the CSRF token
        return found if isinstance(found, User) else None


def scoped(scope: str, **described: Any) -> dict[str, Any]:
    """Return what a route says of who may call it; `described` goes into its OpenAPI description."""
    return {
        "auth": [Token(scope), Session()],
        "throttle": PerMinute("api", lambda: REQUESTS_PER_MINUTE),
        "openapi_extra": {"x-scope": scope, **described},
    }


class PerMinute(BaseThrottle):
    """Count the requests of a person or a device, whoever passed the door, in each minute of the clock."""

    def __init__(self, what: str, most: Callable[[], int]) -> None:
        self.what, self.most = what, most

    def allow_request(self, request: HttpRequest) -> bool:
        minute = int(timezone.now().timestamp()) // 60
        key = f"wufei:{self.what}:{request.auth.pk}:{minute}"  # type: ignore[attr-defined]  # after the door
        if cache.add(key, 1, timeout=120):
            return True
        try:
            return cache.incr(key) <= self.most()
        except ValueError:  # it went out of the cache just now
            return True

    def wait(self) -> float:
        return 60 - timezone.now().timestamp() % 60


# --- whom it is about ------------------------------------------------------------------


def organisation_of(request: ApiRequest, uscc: str, permission: Permission) -> Organisation:
    """
    Return the organisation.

    :raises Refused: 404 if the person may not see it, 403 if they may not do this to it
    """
    today = timezone.localdate()
    try:
        return organisation_for(user=request.auth, uscc=uscc, permission=permission, on=today)
    except Organisation.DoesNotExist:
        message = f"没有统一社会信用代码为 {uscc} 的单位，或您无权查看它；请核对代码。"
        raise Refused(404, "organisation_unknown", message) from None
    except NotPermitted as refused:
        raise not_permitted(refused.permission) from None


def not_permitted(permission: Permission) -> Refused:
    detail = ErrorDetail(code=permission.value.lower(), message="您的角色没有这项权限。")
    return Refused(
        403, "not_permitted", "您无权对该单位做这件事；请联系该单位的环保专员或系统管理员。", [detail]
    )


def malformed(where: str, code: str, message: str) -> Refused:
    """Return the refusal of one thing in the request that can't be so."""
    detail = ErrorDetail(where=where, code=code, message=message)
    return Refused(422, "request_malformed", MALFORMED, [detail])


def stale(actual: int | None) -> Refused:
    """Return the refusal of an edit of something that was changed since it was read."""
    said = "现在没有这一项" if actual is None else f"现在的版本号是 {actual}"
    detail = ErrorDetail(where="body.version", code="version", message=f"{said}。")
    return Refused(
        409, "stale_edit", "读取之后已被他人修改；请重新读取，核对后带上新的版本号再提交。", [detail]
    )
