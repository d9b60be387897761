"""
Where may this person go? The frame of every page asks.

A room that brings pages adds its entries here; an entry without the permission is not shown, and
the page behind it refuses anyway.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from wufei.policies.queries import known_editions
from wufei.registry import queries
from wufei.registry.access import Permission
from wufei.registry.models import Organisation, OrganisationKind, User
from wufei.reviews import stages
from wufei.reviews.queries.applications_seen import Held, held_roles
from wufei.reviews.queries.experts import is_expert
from wufei.reviews.queries.tasks import Counts, counts
from wufei.terms.day import local_day
from wufei.tracking.queries import waiting_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    route: str
    label: str | Promise
    icon: str
    permission: Permission
    kinds: frozenset[str] | None = None  # of the organisation; None: any
    is_exact: bool = False  # current on its own address only, not on those below it


PARK = frozenset({OrganisationKind.PARK.value})
AUTHORITY = frozenset({OrganisationKind.AUTHORITY.value})
KEEPS_LEDGER = frozenset(
    {OrganisationKind.ENTERPRISE.value, OrganisationKind.UTILISER.value, OrganisationKind.CARRIER.value}
)

# Pages of one organisation: their routes take its `uscc`. In the order of the day's work.
ORGANISATION_ENTRIES: tuple[Entry, ...] = (
    Entry(
        route="organisation-home",
        label=_("首页"),
        icon="home",
        permission=Permission.VIEW_ORGANISATION,
        kinds=KEEPS_LEDGER | PARK | AUTHORITY,
        is_exact=True,
    ),
    Entry(
        route="ledger:movements",
        label=_("台账"),
        icon="list-details",
        permission=Permission.VIEW_LEDGER,
        kinds=KEEPS_LEDGER,
        is_exact=True,
    ),
    Entry(
        route="ledger:post",
        label=_("记一笔"),
        icon="plus",
        permission=Permission.POST_MOVEMENTS,
        kinds=KEEPS_LEDGER,
    ),
    Entry(
        route="shopfloor:work",
        label=_("现场作业"),
        icon="circle-plus",
        permission=Permission.POST_MOVEMENTS,
        kinds=KEEPS_LEDGER,
    ),
    Entry(
        route="shopfloor:scales",
        label=_("秤"),
        icon="scale",
        permission=Permission.VIEW_LEDGER,
        kinds=KEEPS_LEDGER,
    ),
    Entry(
        route="ledger:stock",
        label=_("库存"),
        icon="archive",
        permission=Permission.VIEW_LEDGER,
        kinds=KEEPS_LEDGER,
    ),
    Entry(
        route="ledger:lots",
        label=_("批次"),
        icon="stack-2",
        permission=Permission.VIEW_LEDGER,
        kinds=KEEPS_LEDGER,
    ),
    Entry(
        route="storage:zones",
        label=_("贮存分区"),
        icon="map-pin",
        permission=Permission.VIEW_LEDGER,
        kinds=KEEPS_LEDGER,
    ),
    Entry(
        route="storage:inspections",
        label=_("贮存检查"),
        icon="checklist",
        permission=Permission.VIEW_LEDGER,
        kinds=KEEPS_LEDGER,
    ),
    Entry(
        route="storage:stocktakes",
        label=_("盘点"),
        icon="clipboard-check",
        permission=Permission.VIEW_LEDGER,
        kinds=KEEPS_LEDGER,
    ),
    Entry(
        route="labels:labels",
        label=_("标签"),
        icon="printer",
        permission=Permission.VIEW_LEDGER,
        kinds=KEEPS_LEDGER,
    ),
    Entry(
        route="ledger:books",
        label=_("官方台账"),
        icon="file-text",
        permission=Permission.VIEW_LEDGER,
        kinds=KEEPS_LEDGER,
    ),
    Entry(
        route="filings:plans",
        label=_("管理计划"),
        icon="calendar",
        permission=Permission.VIEW_LEDGER,
        kinds=KEEPS_LEDGER,
    ),
    Entry(
        route="filings:disclosures",
        label=_("信息公开"),
        icon="world",
        permission=Permission.VIEW_LEDGER,
        kinds=KEEPS_LEDGER,
    ),
    Entry(
        route="transfers:manifests",
        label=_("转移联单"),
        icon="truck",
        permission=Permission.VIEW_MANIFESTS,
        kinds=KEEPS_LEDGER,
    ),
    Entry(
        route="tracking:tracks",
        label=_("运输轨迹"),
        icon="map-pin",
        permission=Permission.VIEW_TRACKS,
        kinds=KEEPS_LEDGER,
    ),
    Entry(
        route="collection:home",
        label=_("小微收运"),
        icon="truck",
        permission=Permission.VIEW_ORGANISATION,
        kinds=KEEPS_LEDGER | PARK | AUTHORITY,
    ),
    Entry(
        route="flows",
        label=_("来源与去向"),
        icon="chart-sankey",
        permission=Permission.VIEW_LEDGER,
        kinds=KEEPS_LEDGER,
    ),
    Entry(
        route="indicators:figures",
        label=_("指标"),
        icon="chart-line",
        permission=Permission.VIEW_FIGURES,
        kinds=KEEPS_LEDGER | PARK,
    ),
    Entry(
        route="policies:editions",
        label=_("评价"),
        icon="checklist",
        permission=Permission.VIEW_FIGURES,
        kinds=KEEPS_LEDGER | PARK,
    ),
    Entry(
        route="cases:cases",
        label=_("申报案例"),
        icon="file-certificate",
        permission=Permission.VIEW_CASE,
        kinds=KEEPS_LEDGER | PARK,
    ),
    Entry(
        route="policies:latest-declarations",
        label=_("声明与填报"),
        icon="clipboard-check",
        permission=Permission.EDIT_ORGANISATION,
        kinds=KEEPS_LEDGER | PARK,
    ),
    Entry(
        route="policies:requirements",
        label=_("行业要求"),
        icon="adjustments",
        permission=Permission.MAINTAIN_REQUIREMENTS,
        kinds=AUTHORITY,
    ),
    Entry(
        route="reviews:titles",
        label=_("称号"),
        icon="file-certificate",
        permission=Permission.EDIT_CASE,
        kinds=KEEPS_LEDGER | PARK,
    ),
    Entry(
        route="reviews:register",
        label=_("名单"),
        icon="clipboard-text",
        permission=Permission.RUN_ROUND,
        kinds=AUTHORITY,
    ),
    Entry(
        route="reviews:experts",
        label=_("专家库"),
        icon="users",
        permission=Permission.MAINTAIN_EXPERTS,
        kinds=AUTHORITY,
    ),
    Entry(
        route="reviews:agencies",
        label=_("第三方机构"),
        icon="clipboard-text",
        permission=Permission.RUN_ROUND,
        kinds=AUTHORITY,
    ),
    Entry(
        route="reviews:cultivation",
        label=_("梯度培育库"),
        icon="trees",
        permission=Permission.RUN_ROUND,
        kinds=AUTHORITY,
    ),
    Entry(
        route="reviews:credit-facts",
        label=_("信用信息"),
        icon="shield-check",
        permission=Permission.RUN_ROUND,
        kinds=AUTHORITY,
    ),
    Entry(
        route="reviews:credit",
        label=_("信用记录"),
        icon="shield-check",
        permission=Permission.REVIEW_CASE,
    ),
    Entry(
        route="capture:uploads",
        label=_("导入工作簿"),
        icon="file-import",
        permission=Permission.IMPORT_WORKBOOK,
        kinds=KEEPS_LEDGER | PARK,
    ),
    Entry(
        route="ledger:months",
        label=_("月度结账"),
        icon="lock",
        permission=Permission.CLOSE_MONTH,
        kinds=KEEPS_LEDGER,
    ),
    Entry(
        route="ledger:streams",
        label=_("废物清单"),
        icon="recycle",
        permission=Permission.VIEW_LEDGER,
        kinds=KEEPS_LEDGER,
    ),
    Entry(
        route="ledger:stores",
        label=_("贮存设施"),
        icon="stack-2",
        permission=Permission.VIEW_LEDGER,
        kinds=KEEPS_LEDGER,
    ),
    Entry(
        route="registry:permits",
        label=_("许可证与合同"),
        icon="file-certificate",
        permission=Permission.VIEW_MANIFESTS,
        kinds=KEEPS_LEDGER,
    ),
    Entry(
        route="registry:organisation",
        label=_("单位信息"),
        icon="building",
        permission=Permission.VIEW_ORGANISATION,
    ),
    Entry(
        route="registry:members",
        label=_("园区成员"),
        icon="sitemap",
        permission=Permission.VIEW_ORGANISATION,
        kinds=PARK,
    ),
    Entry(
        route="registry:audit-log",
        label=_("操作记录"),
        icon="history",
        permission=Permission.EDIT_ORGANISATION,
    ),
)


@dataclass(frozen=True, slots=True)
class Link:
    address: str
    label: str | Promise
    icon: str
    is_current: bool
    count: int = 0  # what waits there


@dataclass(frozen=True, slots=True)
class Group:
    title: str | Promise
    entries: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Shell:
    organisation: Organisation | None  # the one that the page is about, else the reader's first
    own: tuple[Organisation, ...]
    groups: tuple[Group, ...]
    waiting: Counts  # tasks and unread messages


def shell(*, request: HttpRequest, organisation: Organisation | None) -> Shell:
    """Return what the frame shows on a page about that organisation, or about none."""
    user = request.user
    assert user.is_authenticated, "Pages with the frame are for those who signed in"
    own = tuple(queries.own_organisations(user=user))
    at_home = organisation if organisation in own else (own[0] if own else None)
    today = local_day(timezone.now())
    held = held_roles(user=user, on=today)  # type: ignore[arg-type]
    waiting = counts(user=user, on=today, held=held)  # type: ignore[arg-type]
    if any(each.kind in KEEPS_LEDGER for each in own):  # nobody else answers for a vehicle
        on_the_road = waiting_for(user=user).count()  # type: ignore[arg-type]
        waiting = replace(waiting, tasks=waiting.tasks + on_the_road)
    groups = [Group("", tuple(_own_links(request, waiting, own, held)))]
    for shown in dict.fromkeys(filter(None, (at_home, organisation))):
        title = "" if shown in own else shown.name
        if links := tuple(_organisation_links(request, shown)):
            groups.append(Group(title, links))
    groups.append(Group(_("平台"), tuple(_platform_links(request))))
    return Shell(organisation or at_home, own, tuple(groups), waiting)


def _own_links(
    request: HttpRequest, waiting: Counts, own: Sequence[Organisation], held: Sequence[Held]
) -> Iterator[Link]:
    """What concerns the reader, whichever organisation is looked at; a list that stays empty is not offered."""
    user: User = request.user  # type: ignore[assignment]
    acting = {
        each.role for each in held if each.person == user
    }  # a deputy neither checks on site nor replies
    yield _link(request, reverse("reviews:tasks"), _("待办"), "list-check", count=waiting.tasks)
    yield _link(request, reverse("reviews:messages"), _("消息"), "mail", count=waiting.unread)
    yield _link(request, reverse("reviews:rounds"), _("申报轮次"), "calendar")
    if any(each.is_applicant for each in held):
        yield _link(request, reverse("reviews:mine"), _("我的申报"), "file-export")
    if is_expert(user=user):
        yield _link(request, reverse("reviews:scoring"), _("我的评审"), "clipboard-check")
    if acting & _roles_that_check():
        yield _link(request, reverse("reviews:site-checks"), _("现场核查"), "map-pin")
    if acting & _roles_consulted():
        yield _link(request, reverse("reviews:consultations"), _("征求意见"), "clipboard-check")
    if any(each.kind == OrganisationKind.AGENCY for each in own):
        yield _link(request, reverse("reviews:agency-reports"), _("我的评价"), "clipboard-text")


def _roles_that_check() -> set[str]:
    """Return the roles that check on site at a stage of any edition."""
    return {
        role
        for edition in known_editions().values()
        for stage in edition.stages
        if stage.kind == "site_check"
        for role in stages.deciders(stage)
    }


def _roles_consulted() -> set[str]:
    """Return the roles whose opinion any edition asks: of the level that asks, a branch that is named."""
    return {
        f"{stages.deciders(stage)[0].rpartition('_')[0]}_{department.branch}"
        for edition in known_editions().values()
        for stage in edition.stages
        if stage.kind == "consultation"
        for department in stage.departments
    }


def _organisation_links(request: HttpRequest, organisation: Organisation) -> Iterator[Link]:
    today = local_day(timezone.now())
    held = queries.permissions_for(user=request.user, organisation=organisation, on=today)  # type: ignore[arg-type]
    for entry in ORGANISATION_ENTRIES:
        if entry.permission in held and (entry.kinds is None or organisation.kind in entry.kinds):
            yield _link(
                request,
                reverse(entry.route, args=[organisation.uscc]),
                entry.label,
                entry.icon,
                entry.is_exact,
            )


def _platform_links(request: HttpRequest) -> Iterator[Link]:
    yield _link(request, reverse("registry:organisations"), _("单位名录"), "list-details")
    yield _link(request, reverse("lookup"), _("名录查询"), "search")
    is_operator = queries.holds_as_operator(user=request.user, permission=Permission.MANAGE_USERS)  # type: ignore[arg-type]
    if is_operator:
        yield _link(request, reverse("registry:users"), _("用户与角色"), "users")
    yield _link(request, reverse("registry:permissions"), _("权限一览"), "shield-check")
    if is_operator:
        yield _link(request, reverse("reviews:stages"), _("环节权限"), "checklist")
        yield _link(request, reverse("reviews:keys"), _("信任的公钥"), "key")
    yield _link(request, reverse("reviews:targets"), _("目标进展"), "gauge")
    yield _link(request, reverse("portal:home"), _("公开信息"), "world")


def _link(
    request: HttpRequest,
    address: str,
    label: str | Promise,
    icon: str,
    is_exact: bool = False,
    count: int = 0,
) -> Link:
    below = request.path.startswith(address) and not is_exact
    return Link(address, label, icon, request.path == address or below, count)
