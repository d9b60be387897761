"""The addresses of reviews: rounds, applications, tasks, and what belongs to them."""

from django.urls import path

from wufei.reviews.views import (
    agencies,
    agencies_own,
    applications,
    applications_own,
    assignments,
    batches,
    consultations,
    credit,
    cultivation,
    documents,
    doubts,
    draws,
    experts,
    messages,
    notices,
    packages,
    reevaluations,
    register,
    register_changes,
    rounds,
    rounds_recommending,
    rounds_stages,
    scores,
    scoring,
    site_checks,
    tasks,
    titles,
)

app_name = "reviews"

_ROUND = "reviews/rounds/<int:round_id>/"
_APPLICATION = "reviews/applications/<slug:code>/"
_BATCH = "reviews/batches/<int:key>/"
_POOL = "o/<slug:uscc>/experts/"
_SCORING = "reviews/scoring/<int:assignment_id>/"
_REPORT = "reviews/agency-reports/<int:key>/"

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
    # what should be looked at again
    path(f"{_APPLICATION}doubts/", doubts.doubts, name="doubts"),
    path("o/<slug:uscc>/cases/<int:case_id>/self-check/", doubts.self_check, name="self-check"),
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
    # experts: the pool, the draw, who scores what, the ranking
    path(_POOL, experts.experts, name="experts"),
    path(f"{_POOL}new/", experts.new, name="new-expert"),
    path(f"{_POOL}<int:expert_id>/", experts.expert, name="expert"),
    path(f"{_POOL}<int:expert_id>/ties/", experts.tie, name="expert-tie"),
    path(f"{_POOL}<int:expert_id>/ties/<int:tie_id>/end/", experts.end_tie, name="end-expert-tie"),
    path(f"{_ROUND}draws/", draws.draws, name="draws"),
    path(f"{_ROUND}draws/<int:draw_id>/", draws.draw, name="draw"),
    path(f"{_ROUND}assignments/", assignments.assignments, name="assignments"),
    path(f"{_ROUND}assignments/<int:assignment_id>/replace/", assignments.replace, name="replace-expert"),
    path(f"{_ROUND}scores/", scores.scores, name="scores"),
    path(f"{_ROUND}scores/<slug:code>/", scores.discussion, name="discussion"),
    path(f"{_ROUND}ranking/", scores.ranking, name="ranking"),
    # an expert's own
    path("reviews/scoring/", scoring.tasks, name="scoring"),
    path(_SCORING, scoring.sheet, name="score-sheet"),
    path(f"{_SCORING}save/", scoring.save, name="save-sheet"),
    path(f"{_SCORING}recuse/", scoring.recuse, name="recuse"),
    path(f"{_SCORING}discuss/", scoring.discuss, name="discuss"),
    path(f"{_SCORING}files/<int:number>/", scoring.file, name="blind-file"),
    # the register
    path("o/<slug:uscc>/register/", register.register, name="register"),
    path("o/<slug:uscc>/register/titles/<int:title_id>/", register.title, name="title"),
    path("o/<slug:uscc>/register/titles/<int:title_id>/end/", register.end, name="end-title"),
    path(
        "o/<slug:uscc>/register/titles/<int:title_id>/warn/<int:year>/",
        reevaluations.warn,
        name="warn-holder",
    ),
    path("o/<slug:uscc>/register/grant/<int:application_id>/", register.grant, name="grant-title"),
    path("o/<slug:uscc>/register/changes/", register_changes.changes, name="changes"),
    path("o/<slug:uscc>/register/changes/<int:change_id>/", register_changes.change, name="change"),
    path(
        "o/<slug:uscc>/register/changes/<int:change_id>/file/",
        register_changes.change_file,
        name="change-file",
    ),
    path("o/<slug:uscc>/register/reevaluation/", reevaluations.year, name="years-reevaluation"),
    path(
        "o/<slug:uscc>/register/reevaluation/<slug:edition_id>/<int:year>/remind/",
        reevaluations.remind,
        name="remind-holders",
    ),
    path("o/<slug:uscc>/cultivation/", cultivation.library, name="cultivation"),
    path("o/<slug:uscc>/cultivation/enter/", cultivation.enter, name="enter-cultivation"),
    path("o/<slug:uscc>/cultivation/<int:cultivation_id>/", cultivation.move, name="move-cultivation"),
    path("o/<slug:uscc>/credit-facts/", credit.facts, name="credit-facts"),
    path("o/<slug:uscc>/credit/", credit.of_organisation, name="credit"),
    # a holder's own titles
    path("o/<slug:uscc>/titles/", titles.titles, name="titles"),
    path("o/<slug:uscc>/titles/<int:title_id>/", titles.own_title, name="own-title"),
    path("o/<slug:uscc>/titles/<int:title_id>/answer/", titles.answer, name="answer-reevaluation"),
    path("o/<slug:uscc>/titles/<int:title_id>/change/", titles.report, name="report-change"),
    path(
        "o/<slug:uscc>/titles/<int:title_id>/change/<int:change_id>/file/",
        titles.own_change_file,
        name="own-change-file",
    ),
    # checks on site; the worker serves its own folder and no other page
    path("reviews/site-checks/", site_checks.site_checks, name="site-checks"),
    path("reviews/site-checks/worker.js", site_checks.worker, name="site-check-worker"),
    path("reviews/site-checks/photos/<int:photo_id>/", site_checks.photo, name="site-check-photo"),
    path("reviews/site-checks/<slug:code>/", site_checks.site_check, name="site-check"),
    # consulted departments
    path("reviews/consultations/", consultations.consultations, name="consultations"),
    path("reviews/consultations/<int:key>/", consultations.consultation, name="consultation"),
    path("reviews/consultations/<int:key>/close/", consultations.close, name="close-consultation"),
    path("reviews/consultations/<int:key>/document/", consultations.document, name="consultation-document"),
    path(f"{_APPLICATION}consult/", consultations.consult, name="consult"),
    # third-party agencies: an authority's, an agency's own, the applicant's
    path("o/<slug:uscc>/agencies/", agencies.agencies, name="agencies"),
    path("o/<slug:uscc>/agencies/waiting/", agencies.waiting, name="agencies-waiting"),
    path("o/<slug:uscc>/agencies/reports/<int:report_id>/", agencies.report, name="agency-report-read"),
    path(
        "o/<slug:uscc>/agencies/reports/<int:report_id>/file/",
        agencies.report_file,
        name="agency-report-file-read",
    ),
    path("o/<slug:uscc>/agencies/<slug:agency_uscc>/", agencies.agency, name="agency"),
    path("o/<slug:uscc>/agencies/<slug:agency_uscc>/judge/", agencies.judge, name="judge-agency"),
    path("o/<slug:uscc>/agencies/<slug:agency_uscc>/exclude/", agencies.exclude, name="exclude-agency"),
    path("reviews/agency-reports/", agencies_own.reports, name="agency-reports"),
    path(_REPORT, agencies_own.report, name="agency-report"),
    path(f"{_REPORT}save/", agencies_own.save, name="save-agency-report"),
    path(f"{_REPORT}file/", agencies_own.report_file, name="agency-report-file"),
    path(f"{_REPORT}act/", agencies_own.act, name="agency-act"),
    path(f"{_REPORT}withdraw/", agencies_own.withdraw, name="withdraw-agency"),
    path(f"{_REPORT}files/<int:file_id>/", agencies_own.submitted_file, name="agency-submitted-file"),
    path(f"{_APPLICATION}agency/", agencies_own.choose, name="choose-agency"),
    path(f"{_APPLICATION}agency/report/", agencies_own.report_of, name="application-agency-report"),
    # notices, packages, papers
    path(f"{_ROUND}notices/", notices.notices, name="notices"),
    path(f"{_ROUND}notices/new/", notices.put_up, name="put-up-notice"),
    path("reviews/notices/<int:notice_id>/", notices.notice, name="notice"),
    path("reviews/notices/<int:notice_id>/extend/", notices.extend, name="extend-notice"),
    path("reviews/notices/<int:notice_id>/clear/", notices.clear, name="clear-notice"),
    path("reviews/notices/<int:notice_id>/<int:position>/remove/", notices.remove, name="remove-from-notice"),
    path("reviews/notices/<int:notice_id>/paper/", documents.notice, name="notice-paper"),
    path("reviews/objections/<slug:code>/", notices.objection, name="objection"),
    path(
        "reviews/objections/<slug:code>/files/<int:file_id>/", notices.objection_file, name="objection-file"
    ),
    path("reviews/targets/", notices.targets, name="targets"),
    path(f"{_ROUND}packages/", packages.packages, name="packages"),
    path(f"{_ROUND}packages/export/", packages.export, name="export-package"),
    path(f"{_ROUND}packages/load/", packages.load, name="load-package"),
    path(f"{_ROUND}packages/key/", packages.make_key, name="make-key"),
    path("reviews/keys/", packages.keys, name="keys"),
    path(f"{_ROUND}papers/", documents.papers, name="papers"),
    path(f"{_ROUND}papers/<slug:paper>/", documents.paper, name="paper"),
    path(
        f"{_ROUND}papers/recommendation/<slug:uscc>/", documents.recommendation, name="recommendation-paper"
    ),
    path(f"{_APPLICATION}opinions/", documents.opinions, name="opinions-paper"),
    path("reviews/assignments/<int:assignment_id>/paper/", documents.score_sheet, name="score-paper"),
]
