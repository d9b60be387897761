"""The addresses of reviews: rounds, applications, tasks, and what belongs to them."""

from django.urls import path

from wufei.reviews.views import (
    applications,
    applications_own,
    batches,
    messages,
    rounds,
    rounds_recommending,
    rounds_stages,
    tasks,
)

app_name = "reviews"

_ROUND = "reviews/rounds/<int:round_id>/"
_APPLICATION = "reviews/applications/<slug:code>/"
_BATCH = "reviews/batches/<int:key>/"

urlpatterns = [
    # rounds
    path("reviews/rounds/", rounds.rounds, name="rounds"),
    path("reviews/rounds/open/", rounds.open_round, name="open-round"),
    path(_ROUND, rounds.round_page, name="round"),
    path(f"{_ROUND}edit/", rounds.edit_round, name="edit-round"),
    path(f"{_ROUND}publish/", rounds.publish, name="publish-round"),
    path(f"{_ROUND}close/", rounds.close, name="close-round"),
    path(f"{_ROUND}late/", rounds.admit_late, name="admit-late"),
    path(f"{_ROUND}documents/", rounds.upload, name="add-document"),
    path(f"{_ROUND}documents/<int:document_id>/", rounds.document, name="round-document"),
    path(
        f"{_ROUND}recommendations/<slug:uscc>/", rounds_recommending.recommendations, name="recommendations"
    ),
    path(
        f"{_ROUND}recommendations/<slug:uscc>/sealed/",
        rounds_recommending.sealed,
        name="sealed-recommendation",
    ),
    path("reviews/stages/", rounds_stages.stages, name="stages"),
    # applications
    path(f"{_ROUND}applications/", applications.applications, name="applications"),
    path(f"{_ROUND}batch/", batches.plan, name="plan-batch"),
    path(f"{_ROUND}hand-in/<int:case_id>/", applications_own.hand_in, name="hand-in"),
    path("reviews/mine/", applications_own.mine, name="mine"),
    path(_APPLICATION, applications.application, name="application"),
    path(f"{_APPLICATION}decide/", applications.decide, name="decide"),
    path(f"{_APPLICATION}pass-on/", applications.pass_on, name="pass-on"),
    path(f"{_APPLICATION}documents/<int:document_id>/", applications.act_document, name="act-document"),
    path(f"{_APPLICATION}files/<int:file_id>/", applications.submitted_file, name="submitted-file"),
    path(f"{_APPLICATION}case-file/", applications.case_file, name="case-file"),
    path(_BATCH, batches.batch, name="batch"),
    path(f"{_BATCH}progress/", batches.progress, name="batch-progress"),
    path(f"{_BATCH}confirm/", batches.confirm, name="confirm-batch"),
    path(f"{_BATCH}stop/", batches.stop, name="stop-batch"),
    # tasks and messages
    path("reviews/tasks/", tasks.tasks, name="tasks"),
    path("reviews/messages/", messages.inbox, name="messages"),
    path("reviews/messages/read/", messages.read_all, name="read-all-messages"),
    path("reviews/messages/<int:key>/read/", messages.read, name="read-message"),
    path("reviews/delegations/", messages.delegations, name="delegations"),
    path("reviews/delegations/<int:key>/end/", messages.end_delegation, name="end-delegation"),
]
