"""The addresses of collection, all of one organisation."""

from django.urls import path

from wufei.collection.views import collecting, declaring, driving, overseeing, points, registering

app_name = "collection"

_OF = "o/<slug:uscc>/collection/"
_ROUNDS = f"{_OF}rounds/"
_ROUND = f"{_ROUNDS}<int:number>/"

urlpatterns = [
    path(_OF, overseeing.home, name="home"),
    path(f"{_OF}enrol/", registering.enrol, name="enrol"),
    path(f"{_OF}agree/", registering.agree, name="agree"),
    path(f"{_OF}registrations/", registering.registrations, name="registrations"),
    path(f"{_OF}registrations/new/", registering.register, name="register"),
    path(f"{_OF}registrations/<int:registration_id>/", registering.registration, name="registration"),
    path("collection/registrations/<int:registration_id>/", registering.find, name="find-registration"),
    path(f"{_OF}generators/", overseeing.generators, name="generators"),
    path(f"{_OF}declarations/", declaring.declarations, name="declarations"),
    path(f"{_OF}declarations/<int:year>/<int:month>/", declaring.declare, name="declare"),
    path(f"{_OF}pickups/", declaring.pickups, name="pickups"),
    path(f"{_OF}pickups/<int:stop_id>/sign/", declaring.sign_pickup, name="sign-pickup"),
    path(f"{_OF}signing-code/", declaring.signing_code, name="signing-code"),
    path(f"{_OF}ready/", collecting.ready, name="ready"),
    path(_ROUNDS, collecting.rounds, name="rounds"),
    path(_ROUND, collecting.round_, name="round"),
    path(f"{_ROUND}act/", collecting.act, name="act-on-round"),
    path(f"{_ROUND}close/", collecting.close, name="close-round"),
    path(f"{_ROUND}drive/", driving.drive, name="drive"),
    path(f"{_ROUND}stops/<int:stop_id>/", driving.stop, name="stop"),
    path(f"{_OF}points/", points.points, name="points"),
    path(f"{_OF}points/record/", points.record, name="record-point"),
]
