"""The shop floor's addresses, all of one organisation."""

from django.urls import path

from wufei.shopfloor.views import scales, work

app_name = "shopfloor"

_SCALES = "o/<slug:uscc>/scales/"
_SCALE = f"{_SCALES}<slug:code>/"
_WORK = "o/<slug:uscc>/work/"

urlpatterns = [
    path(_SCALES, scales.scales, name="scales"),
    path(f"{_SCALES}new/", scales.new_scale, name="new-scale"),
    path(_SCALE, scales.scale, name="scale"),
    path(f"{_SCALE}edit/", scales.edit_scale, name="edit-scale"),
    path(f"{_SCALE}secret/", scales.renew_secret, name="renew-secret"),
    path(f"{_SCALE}retire/", scales.retire_scale, name="retire-scale"),
    path(f"{_SCALE}readings/<int:sequence>/set-aside/", scales.set_aside, name="set-aside"),
    path("o/<slug:uscc>/abandoned-entries/", scales.abandoned, name="abandoned"),
    path(_WORK, work.work, name="work"),
    path(f"{_WORK}worker.js", work.worker, name="worker"),
    path(f"{_WORK}entries/", work.entries, name="entries"),
    path(f"{_WORK}phone/", work.phone, name="phone"),
    path(f"{_WORK}numbers/", work.numbers, name="numbers"),
    path(f"{_WORK}lots/", work.lots, name="lots"),
    path(f"{_WORK}readings/<slug:code>/", work.reading, name="reading"),
]
