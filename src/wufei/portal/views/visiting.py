"""Who visits, and when? Nobody has signed in: an address, and the day."""

import ipaddress
from datetime import date

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from wufei.terms.day import local_day


def today() -> date:
    """Return the day in China."""
    return local_day(timezone.now())


def address_digest(request: HttpRequest) -> str:
    """Return a keyed digest of the visitor's address: it can be counted by, and says nothing."""
    return salted_hmac("wufei.portal", _address(request), algorithm="sha256").hexdigest()


def _address(request: HttpRequest) -> str:
    """
    Return the address that connects; behind our own proxy the last that it wrote, which no visitor can forge.

    Of IPv6 a household has 2^64: they count as one.
    """
    said = str(request.META.get("REMOTE_ADDR", ""))
    if settings.HTTPS and (passed_on := request.META.get("HTTP_X_FORWARDED_FOR")):
        said = str(passed_on).rsplit(",", 1)[-1].strip()
    try:
        address = ipaddress.ip_address(said)
    except ValueError:
        return said
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network(f"{address}/64", strict=False))
    return said


def body_length(request: HttpRequest) -> int:
    """Return how long the body says that it is; no more than that is ever read."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
