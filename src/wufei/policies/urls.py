"""The addresses of editions, evaluations, declarations and requirement sets, all of one organisation."""

from django.urls import path

from wufei.policies.views import editions, evaluating, requirements, stating

app_name = "policies"

_OF = "o/<slug:uscc>/evaluation/"
_ONE = f"{_OF}<slug:edition_id>/<int:year>/"

urlpatterns = [
    path(_OF, editions.editions, name="editions"),
    path(_ONE, evaluating.evaluation, name="evaluation"),
    path(f"{_ONE}judge/<slug:criterion_id>/<slug:question>/", evaluating.judge, name="judge"),
    path(f"{_ONE}values/", stating.values, name="stated-values"),
    path("o/<slug:uscc>/declarations/", stating.latest, name="latest-declarations"),
    path("o/<slug:uscc>/declarations/<int:year>/", stating.declarations, name="declarations"),
    path("o/<slug:uscc>/requirements/", requirements.requirements, name="requirements"),
    path("o/<slug:uscc>/requirements/<slug:edition_id>/new/", requirements.new, name="new-requirements"),
]
