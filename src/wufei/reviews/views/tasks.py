"""待办: what the reader has to do."""

from collections.abc import Mapping, Sequence

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from wufei.reviews.queries import tasks as queries
from wufei.reviews.queries.tasks import Task, TaskKind
from wufei.reviews.views.rounds_desk import desk

HEADINGS: Mapping[TaskKind, object] = {
    TaskKind.CORRECT: _("退回的申报，待补正"),
    TaskKind.IDENTIFY: _("危险性判别将到期或已过期，待重新判别"),
    TaskKind.DECIDE: _("待办理的申报"),
    TaskKind.SETTLE: _("意见不一致，待协调"),
    TaskKind.REPLY: _("征求意见，待答复"),
    TaskKind.SCORE: _("待评分"),
    TaskKind.EVALUATE: _("第三方评价，待报告"),
    TaskKind.OBJECTION: _("异议，待处理"),
    TaskKind.NOTICE: _("公示期满，待办结"),
    TaskKind.CHANGE: _("称号变更，待审核"),
    TaskKind.CORRECTIVE_ACTION: _("贮存设施检查，待整改"),
    TaskKind.CONFIRM: _("运抵的联单，待确认"),
    TaskKind.TAKE_BACK: _("退回的废物，待收回"),
    TaskKind.REVISION: _("联单更正，待答复"),
    TaskKind.DIFFERENCE: _("接收差异，待处理"),
    TaskKind.PERMIT: _("许可证到期，待换证"),
    TaskKind.APPROVAL: _("跨省转移批准到期"),
    TaskKind.DECLARE: _("小微企业月度申报"),
    TaskKind.REGISTER: _("小微企业登记，待确认"),
}
# Where each is done.
ROUTES: Mapping[TaskKind, str] = {
    TaskKind.CORRECT: "reviews:application",
    TaskKind.IDENTIFY: "ledger:identification",
    TaskKind.DECIDE: "reviews:application",
    TaskKind.SETTLE: "reviews:application",
    TaskKind.EVALUATE: "reviews:agency-report",
    TaskKind.REPLY: "reviews:consultation",
    TaskKind.SCORE: "reviews:score-sheet",
    TaskKind.OBJECTION: "reviews:objection",
    TaskKind.NOTICE: "reviews:notice",
    TaskKind.CORRECTIVE_ACTION: "storage:corrective-action",
    TaskKind.CONFIRM: "transfers:manifest",
    TaskKind.TAKE_BACK: "transfers:manifest",
    TaskKind.REVISION: "transfers:manifest",
    TaskKind.DIFFERENCE: "transfers:manifest",
    TaskKind.PERMIT: "registry:permits",
    TaskKind.APPROVAL: "transfers:approvals",
    TaskKind.DECLARE: "collection:declare",
    TaskKind.REGISTER: "collection:find-registration",
}


@require_safe
def tasks(request: HttpRequest) -> HttpResponse:
    """List what the reader has to do, the most urgent first."""
    at = desk(request)
    groups = queries.tasks_of(user=at.user, on=at.today)
    own = [authority.uscc for authority in at.authorities()]
    shown = [
        (HEADINGS[group.kind], group, [(task, address(task, own)) for task in group.tasks])
        for group in groups
    ]
    context = at.context(groups=shown, total=sum(group.count for group in groups))
    return render(request, "reviews/tasks_list.html", context)


def address(task: Task, own: Sequence[str]) -> str:
    """Return where the task is done; changes are handled in an authority's own register."""
    if task.kind is TaskKind.CHANGE:
        return reverse("reviews:change", args=[own[0], *task.key]) if len(own) == 1 else ""
    return reverse(ROUTES[task.kind], args=task.key)
