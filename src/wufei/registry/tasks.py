"""What a worker does: the e-mail that proves an address."""

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.translation import gettext as _
from django_tasks import task


@task()
def mail_confirmation(email: str, link: str) -> int:
    """Send the link that proves an address; return how many were sent."""
    body = _("有人（应是您本人）在无废平台把提醒邮箱改为这个地址。请在 24 小时内登录后打开下面的链接确认：")
    ends = _("不是您本人操作的，不必理会。")
    message = EmailMessage(
        subject=_("请确认您的邮箱"), body=f"{body}\n\n{link}\n\n{ends}", to=[email],
        from_email=settings.DEFAULT_FROM_EMAIL,
    )  # fmt: skip
    return message.send()
