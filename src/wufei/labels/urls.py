"""The labels' addresses, all of one organisation."""

from django.urls import path

from wufei.labels import views

app_name = "labels"

_OF = "o/<slug:uscc>/labels/"

urlpatterns = [
    path(_OF, views.labels, name="labels"),
    path(f"{_OF}print/", views.print_labels, name="print"),
    path(f"{_OF}prints/<uuid:client_id>/", views.printed, name="printed"),
    path(f"{_OF}prints/<uuid:client_id>/file", views.printed_file, name="printed-file"),
    path(f"{_OF}<int:lot_id>/", views.label, name="label"),
    path(f"{_OF}<int:lot_id>/preview.png", views.preview, name="preview"),
    path(f"{_OF}<int:lot_id>/container/", views.container, name="container"),
    path(f"{_OF}numbers/", views.numbers, name="numbers"),
    path(f"{_OF}streams/<int:stream_id>/", views.particulars, name="particulars"),
    path(f"{_OF}signs/", views.signs_page, name="signs"),
    path(f"{_OF}signs/sign", views.sign, name="sign"),
]
