from django.urls import path

from wufei.registry.views import account, organisations, people, permits, signing_in, successions

app_name = "registry"

urlpatterns = [
    path("sign-in/", signing_in.sign_in, name="sign-in"),
    path("sign-in/code/", signing_in.second_factor, name="second-factor"),
    path("sign-out/", signing_in.sign_out, name="sign-out"),
    path("account/", account.account, name="account"),
    path("account/password/", account.change_password, name="change-password"),
    path("account/email/", account.change_email, name="change-email"),
    path("account/email/confirm/", account.confirm_email, name="confirm-email"),
    path("account/second-factor/", account.enrol_second_factor, name="enrol-second-factor"),
    path("account/second-factor/remove/", account.remove_second_factor, name="remove-second-factor"),
    path("account/recovery-codes/", account.renew_recovery_codes, name="renew-recovery-codes"),
    path("account/tokens/new/", account.issue_token, name="issue-token"),
    path("account/tokens/<int:pk>/revoke/", account.revoke_token, name="revoke-token"),
    path("permissions/", organisations.permissions, name="permissions"),
    path("organisations/", organisations.organisations, name="organisations"),
    path("organisations/new/", organisations.register, name="register"),
    path("o/<slug:uscc>/profile/", organisations.organisation, name="organisation"),
    path("o/<slug:uscc>/profile/edit/", organisations.edit, name="edit-organisation"),
    path("o/<slug:uscc>/history/", successions.history, name="history"),
    path("o/<slug:uscc>/history/rename/", successions.rename, name="rename"),
    path("o/<slug:uscc>/history/successor/", successions.succeed, name="succeed"),
    path("o/<slug:uscc>/history/close/", successions.close, name="close"),
    path("o/<slug:uscc>/permits/", permits.permits, name="permits"),
    path("o/<slug:uscc>/permits/new/<slug:what>/", permits.record, name="record-permit"),
    path("o/<slug:uscc>/permits/<slug:what>/<int:key>/end/", permits.end, name="end-paper"),
    path("o/<slug:uscc>/permits/<int:key>/verify/", permits.verify, name="verify-permit"),
    path("o/<slug:uscc>/permits/<int:key>/revoke/", permits.revoke, name="revoke-permit"),
    path("o/<slug:uscc>/members/", organisations.members, name="members"),
    path("o/<slug:uscc>/members/join/", organisations.join, name="join"),
    path("o/<slug:uscc>/members/<slug:member_uscc>/leave/", organisations.leave, name="leave"),
    path("o/<slug:uscc>/audit/", organisations.audit_log, name="audit-log"),
    path("users/", people.users, name="users"),
    path("users/new/", people.create, name="create-user"),
    path("users/<int:pk>/", people.user, name="user"),
    path("users/<int:pk>/roles/", people.assign_role, name="assign-role"),
    path("users/<int:pk>/roles/<int:assignment_pk>/remove/", people.remove_role, name="remove-role"),
    path("users/<int:pk>/active/", people.set_active, name="set-active"),
    path("users/<int:pk>/password/", people.set_password, name="set-password"),
    path("users/<int:pk>/email/", people.set_email, name="set-email"),
    path(
        "users/<int:pk>/second-factor/remove/", people.remove_second_factor, name="remove-users-second-factor"
    ),
]
