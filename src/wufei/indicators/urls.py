"""The addresses of figures and of what is stated, all of one organisation."""

from django.urls import path

from wufei.indicators.views import explaining, overview, stating

app_name = "indicators"

_OF = "o/<slug:uscc>/figures/"

urlpatterns = [
    path(_OF, overview.figures, name="figures"),
    path(f"{_OF}stated/", stating.latest, name="latest-stated"),
    path(f"{_OF}stated/<int:year>/", stating.stated, name="stated"),
    path(f"{_OF}stated/<int:year>/products/new/", stating.new_product, name="new-product"),
    path(f"{_OF}stated/<int:year>/products/<int:key>/", stating.product, name="product"),
    path(f"{_OF}<int:year>/", overview.months, name="months"),
    path(f"{_OF}<slug:indicator>/<int:year>/", explaining.figure, name="figure"),
    path(
        f"{_OF}<slug:indicator>/<int:year>/movements/<int:leaf>/",
        explaining.movements,
        name="figure-movements",
    ),
]
