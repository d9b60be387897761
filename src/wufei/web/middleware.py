"""What holds for every page: the second factor is asked for, and a refusal becomes a page that says so."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from wufei.registry import queries
from wufei.registry.forms import PERMISSION_LABELS
from wufei.registry.models import Organisation

# Where somebody may go who gave the password but not yet the second factor.
BEFORE_SECOND_FACTOR = frozenset({"registry:second-factor", "registry:sign-out"})


class SecondFactorMiddleware:
    """Refuse a session whose person has a second factor that it did not show: every view, without exception."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        match = request.resolver_match
        assert match is not None, "A view was found"
        is_open = not getattr(view, "login_required", True)  # the API asks for it by itself
        if is_open or match.view_name in BEFORE_SECOND_FACTOR or not request.user.is_authenticated:
            return None
        if request.user.is_verified() or queries.second_factor(user=request.user) is None:  # type: ignore[attr-defined]
            return None
        wanted = {"next": request.get_full_path()} if request.method == "GET" else {}
        return redirect(f"{reverse('registry:second-factor')}{'?' if wanted else ''}{urlencode(wanted)}")


class RefusalMiddleware:
    """Turn the refusals of the rooms into pages: 403 where a permission is lacking, 404 where nothing is shown."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, queries.NotPermitted):
            label = PERMISSION_LABELS[exception.permission]
            return render(request, "403.html", {"permission_label": label}, status=403)
        if isinstance(exception, Organisation.DoesNotExist):
            return render(request, "404.html", status=404)
        return None
