"""
Every address. Pages of one organisation are under /o/<统一社会信用代码>/….
"""

from django.urls import include, path

from wufei.web import homes, lookup, views

handler500 = "wufei.web.views.broken"
urlpatterns = [
    path("", views.home, name="home"),
    path("healthz", views.health, name="health"),
    path("lookup/", lookup.lookup, name="lookup"),
    path("o/<slug:uscc>/", homes.organisation_home, name="organisation-home"),
    path("o/<slug:uscc>/flows/", homes.flows, name="flows"),
    path("", include("wufei.registry.urls")),
    path("", include("wufei.ledger.urls")),
    path("", include("wufei.labels.urls")),
    path("", include("wufei.storage.urls")),
    path("", include("wufei.transfers.urls")),
    path("", include("wufei.filings.urls")),
    path("", include("wufei.collection.urls")),
    path("", include("wufei.tracking.urls")),
    path("", include("wufei.shopfloor.urls")),
    path("", include("wufei.indicators.urls")),  # o/<uscc>/figures/…
    path("", include("wufei.policies.urls")),  # o/<uscc>/evaluation/… declarations/… requirements/…
    path("", include("wufei.cases.urls")),  # o/<uscc>/cases/…
    path("", include("wufei.reviews.urls")),  # reviews/…
    path("", include("wufei.capture.urls")),
    path("", include("wufei.portal.urls")),  # public/…: without signing in
    path("api/v1/", include("wufei.web.api")),
]
