"""The ledger's addresses, all of one organisation."""

from django.urls import path

from wufei.ledger.views import (
    books,
    declaring,
    entry,
    identifying,
    lots,
    movements,
    standing,
    trace,
    waste_reports,
)

app_name = "ledger"

_OF = "o/<slug:uscc>/ledger/"

urlpatterns = [
    path("trace/", trace.trace, name="trace"),
    path("trace/epcis/", trace.epcis, name="trace-epcis"),
    path(_OF, movements.movements, name="movements"),
    path(f"{_OF}export.xlsx", movements.export, name="export"),
    path(f"{_OF}new/", entry.post, name="post"),
    path(f"{_OF}new/check/", entry.check, name="check"),
    path(f"{_OF}<int:seq>/", movements.movement, name="movement"),
    path(f"{_OF}<int:seq>/reverse/", entry.reverse, name="reverse"),
    path(f"{_OF}stock/", standing.stock, name="stock"),
    path(f"{_OF}lots/", lots.lots, name="lots"),
    path(f"{_OF}lots/relocate/", lots.relocate, name="relocate"),
    path(f"{_OF}lots/transform/", lots.transform, name="transform"),
    path(f"{_OF}transformations/<int:first_seq>/", lots.transformation, name="transformation"),
    path(f"{_OF}months/", standing.months, name="months"),
    path(f"{_OF}months/close/", standing.close, name="close-month"),
    path(f"{_OF}streams/", declaring.streams, name="streams"),
    path(f"{_OF}streams/new/", declaring.stream, name="new-stream"),
    path(f"{_OF}streams/<int:key>/", declaring.stream, name="stream"),
    path(f"{_OF}identifications/", identifying.identifications, name="identifications"),
    path(
        f"{_OF}identifications/<int:identification_id>/report/",
        identifying.report,
        name="identification-report",
    ),
    path(f"{_OF}streams/<int:stream_id>/identification/", identifying.identification, name="identification"),
    path(f"{_OF}stores/", declaring.stores, name="stores"),
    path(f"{_OF}stores/new/", declaring.store, name="new-store"),
    path(f"{_OF}stores/<int:key>/", declaring.store, name="store"),
    path("o/<slug:uscc>/books/", books.book, name="books"),
    path("o/<slug:uscc>/books/reports/", waste_reports.report, name="waste-report"),
    path("o/<slug:uscc>/books/reports/make/", waste_reports.make, name="make-waste-report"),
    path(
        "o/<slug:uscc>/books/reports/<int:waste_report_id>.<slug:ending>",
        waste_reports.download,
        name="waste-report-file",
    ),
    path("o/<slug:uscc>/books/<slug:form>.<slug:ending>", books.download, name="book-file"),
]
