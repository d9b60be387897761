"""The addresses of filings: of one organisation, and what is public of it."""

from django.urls import path

from wufei.filings.views import disclosures, plans, public

app_name = "filings"

_PLANS = "o/<slug:uscc>/plans/"
_DISCLOSURES = "o/<slug:uscc>/disclosures/"
_PUBLIC = "public/disclosures/"

urlpatterns = [
    path(_PLANS, plans.plans, name="plans"),
    path(f"{_PLANS}<int:year>/", plans.plan_page, name="plan"),
    path(f"{_PLANS}<int:year>/start/", plans.start, name="start-plan"),
    path(f"{_PLANS}<int:year>/edit/", plans.edit, name="edit-plan"),
    path(f"{_PLANS}<int:year>/give-up/", plans.give_up, name="give-up-plan"),
    path(f"{_PLANS}<int:year>/file/", plans.file, name="file-plan"),
    path(f"{_PLANS}<int:year>/<int:number>.<slug:ending>", plans.download, name="plan-file"),
    path(_DISCLOSURES, disclosures.disclosures, name="disclosures"),
    path(f"{_DISCLOSURES}<int:year>/", disclosures.disclosure, name="disclosure"),
    path(f"{_DISCLOSURES}<int:year>/publish/", disclosures.publish, name="publish-disclosure"),
    path(_PUBLIC, public.disclosures, name="public-disclosures"),
    path(f"{_PUBLIC}<slug:uscc>/<int:year>/", public.disclosure, name="public-disclosure"),
    path(
        f"{_PUBLIC}<slug:uscc>/<int:year>/<int:number>.<slug:ending>",
        public.download,
        name="public-disclosure-file",
    ),
]
