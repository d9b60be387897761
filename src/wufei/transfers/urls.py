"""The addresses of manifests, all of one organisation."""

from django.urls import path

from wufei.transfers.views import acting, approving, drafting, listing, showing, weighing

app_name = "transfers"

_OF = "o/<slug:uscc>/manifests/"
_ONE = f"{_OF}<slug:reference>/"

urlpatterns = [
    path(_OF, listing.manifests, name="manifests"),
    path(f"{_OF}new/", drafting.draft, name="new-manifest"),
    path(f"{_OF}carrying/", listing.carrying, name="carrying"),
    path(f"{_OF}approvals/", approving.approvals, name="approvals"),
    path(f"{_OF}weighing/", weighing.weigh, name="weighing"),
    path(f"{_OF}loads/", weighing.loads, name="weighed-loads"),
    path(f"{_OF}loads/<int:key>/", weighing.load, name="weighed-load"),
    path(_ONE, showing.manifest, name="manifest"),
    path(f"{_ONE}edit/", drafting.draft, name="edit-manifest"),
    path(f"{_ONE}revise/", showing.revise, name="revise-manifest"),
    path(f"{_ONE}manifest.pdf", showing.pdf, name="manifest-pdf"),
    path(f"{_ONE}revisions/<int:revision_id>/", showing.answer, name="answer-revision"),
    path(f"{_ONE}discrepancies/<int:discrepancy_id>/", showing.settle, name="settle-discrepancy"),
    path(f"{_ONE}act/<slug:act>/", acting.act, name="act-on-manifest"),
]
