"""The ledger's addresses, all of one organisation."""

from django.urls import path

from wufei.ledger.views import declaring, entry, movements, standing

app_name = "ledger"

_OF = "o/<slug:uscc>/ledger/"

urlpatterns = [
    path(_OF, movements.movements, name="movements"),
    path(f"{_OF}export.xlsx", movements.export, name="export"),
    path(f"{_OF}new/", entry.post, name="post"),
    path(f"{_OF}new/check/", entry.check, name="check"),
    path(f"{_OF}<int:seq>/", movements.movement, name="movement"),
    path(f"{_OF}<int:seq>/reverse/", entry.reverse, name="reverse"),
    path(f"{_OF}stock/", standing.stock, name="stock"),
    path(f"{_OF}months/", standing.months, name="months"),
    path(f"{_OF}months/close/", standing.close, name="close-month"),
    path(f"{_OF}streams/", declaring.streams, name="streams"),
    path(f"{_OF}streams/new/", declaring.stream, name="new-stream"),
    path(f"{_OF}streams/<int:key>/", declaring.stream, name="stream"),
    path(f"{_OF}stores/", declaring.stores, name="stores"),
    path(f"{_OF}stores/new/", declaring.store, name="new-store"),
    path(f"{_OF}stores/<int:key>/", declaring.store, name="store"),
]
