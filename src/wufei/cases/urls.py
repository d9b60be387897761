"""The addresses of cases, all of one organisation."""

from django.urls import path

from wufei.cases.views import attaching, producing, submissions, writing

app_name = "cases"

_OF = "o/<slug:uscc>/cases/"
_ONE = f"{_OF}<int:case_id>/"
_SUBMITTED = f"{_ONE}submissions/<int:number>/"

urlpatterns = [
    path(_OF, writing.cases, name="cases"),
    path(_ONE, writing.case, name="case"),
    path(f"{_ONE}save/", writing.save, name="save"),
    path(f"{_ONE}count/", writing.count, name="count"),
    path(f"{_ONE}form/", producing.form, name="form"),
    path(f"{_ONE}evidence/", attaching.evidence, name="evidence"),
    path(f"{_ONE}evidence/<int:evidence_id>/", attaching.download, name="evidence-file"),
    path(f"{_ONE}evidence/<int:evidence_id>/remove/", attaching.remove, name="remove-evidence"),
    path(f"{_ONE}check/", producing.check, name="check"),
    path(f"{_ONE}ready/", producing.ready, name="ready"),
    path(f"{_ONE}documents/<str:document>", producing.document, name="document"),
    path(f"{_ONE}submissions/", submissions.submissions, name="submissions"),
    path(_SUBMITTED, submissions.submission, name="submission"),
    path(f"{_SUBMITTED}numbers/<int:index>/", submissions.submitted_number, name="submitted-number"),
    path(f"{_SUBMITTED}files/<int:file_id>/", submissions.submitted_file, name="submitted-file"),
    path(f"{_SUBMITTED}case-file/", submissions.case_file, name="submitted-case-file"),
    path(f"{_ONE}differences/<int:earlier>/<int:later>/", submissions.difference, name="difference"),
]
