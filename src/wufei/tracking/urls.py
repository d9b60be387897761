"""The addresses of tracking, all of one organisation."""

from django.urls import path

from wufei.tracking.views import reporting, trackers, tracks

app_name = "tracking"

_TRACKS = "o/<slug:uscc>/tracks/"
_TRACK = f"{_TRACKS}<slug:reference>/"
_TRACKERS = "o/<slug:uscc>/trackers/"
_TRACKER = f"{_TRACKERS}<slug:code>/"

urlpatterns = [
    path(_TRACKS, tracks.tracks, name="tracks"),
    path(f"{_TRACKS}alerts/", tracks.alerts, name="alerts"),
    path(f"{_TRACKS}alerts/<int:alert_id>/", tracks.acknowledge, name="acknowledge"),
    path(_TRACK, tracks.track, name="track"),
    path(f"{_TRACK}track.<slug:ending>", tracks.export_track, name="export-track"),
    path(f"{_TRACK}route/", tracks.state_route, name="state-route"),
    path(f"{_TRACK}report/", reporting.report, name="report"),
    path(f"{_TRACK}positions/", reporting.positions, name="positions"),
    path(_TRACKERS, trackers.trackers, name="trackers"),
    path(f"{_TRACKERS}new/", trackers.new_tracker, name="new-tracker"),
    path(_TRACKER, trackers.tracker, name="tracker"),
    path(f"{_TRACKER}secret/", trackers.renew_secret, name="renew-secret"),
    path(f"{_TRACKER}retire/", trackers.retire_tracker, name="retire-tracker"),
]
