"""The addresses of what is public: everything under public/."""

from django.urls import path

from wufei.portal.views import agencies, calls, cases, draws, notices, register, small_generators

app_name = "portal"

urlpatterns = [
    path("public/", calls.home, name="home"),
    path("public/calls/", calls.calls, name="calls"),
    path("public/calls/<int:round_id>/", calls.call, name="call"),
    path("public/calls/<int:round_id>/documents/<int:document_id>/", calls.document, name="document"),
    path("public/notices/", notices.notices, name="notices"),
    path("public/notices/<int:notice_id>/", notices.notice, name="notice"),
    path(
        "public/notices/<int:notice_id>/<int:position>/objection/", notices.raise_objection,
        name="raise-objection",
    ),
    path("public/objections/", notices.objection, name="objection"),
    path("public/objections/received/", notices.receipt, name="receipt"),
    path("public/register/", register.register, name="register"),
    path("public/register/ended/", register.ended, name="ended"),
    path("public/register/<int:title_id>/", register.title, name="title"),
    path("public/small-generators/", small_generators.register, name="register-small-generator"),
    path("public/small-generators/received/", small_generators.received, name="small-generator-received"),
    path("public/small-generators/status/", small_generators.status, name="small-generator-status"),
    path("public/draws/", draws.draws, name="draws"),
    path("public/draws/<int:draw_id>/", draws.draw, name="draw"),
    path("public/cases/", cases.cases, name="cases"),
    path("public/agencies/", agencies.recommended, name="agencies"),
    path("public/agencies/excluded/", agencies.excluded, name="excluded-agencies"),
]  # fmt: skip
