"""The addresses of storage, all of one organisation."""

from django.urls import path

from wufei.storage.views import inspections, stocktaking, zones

app_name = "storage"

_OF = "o/<slug:uscc>/storage/"
_SHEETS = f"{_OF}stocktakes/"
_INSPECTIONS = f"{_OF}inspections/"

urlpatterns = [
    path(f"{_OF}zones/", zones.zones, name="zones"),
    path(f"{_OF}zones/new/", zones.new_zone, name="new-zone"),
    path(f"{_OF}zones/place/", zones.place, name="place"),
    path(f"{_OF}zones/<int:zone_id>/", zones.zone, name="zone"),
    path(f"{_OF}limits/", zones.limits, name="limits"),
    path(_INSPECTIONS, inspections.inspections, name="inspections"),
    path(f"{_INSPECTIONS}new/", inspections.inspect, name="inspect"),
    path(f"{_INSPECTIONS}<int:number>/", inspections.inspection, name="inspection"),
    path(f"{_INSPECTIONS}<int:number>/record.pdf", inspections.record, name="inspection-record"),
    path(f"{_OF}inspection-photos/<int:photo_id>/", inspections.photo, name="inspection-photo"),
    path(f"{_OF}corrective-actions/", inspections.corrective_actions, name="corrective-actions"),
    path(f"{_OF}corrective-actions/<int:number>/", inspections.corrective_action, name="corrective-action"),
    path(_SHEETS, stocktaking.stocktakes, name="stocktakes"),
    path(f"{_SHEETS}<int:number>/", stocktaking.stocktake, name="stocktake"),
    path(f"{_SHEETS}<int:number>/count/", stocktaking.count, name="count"),
    path(f"{_SHEETS}<int:number>/close/", stocktaking.close, name="close"),
    path(f"{_SHEETS}<int:number>/give-up/", stocktaking.give_up, name="give-up"),
    path(f"{_SHEETS}<int:number>/post/", stocktaking.post, name="post"),
]
