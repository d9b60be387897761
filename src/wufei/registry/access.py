"""
May this person do this to that organisation?

Pure. The only table of permissions; what it does not grant is refused. A person holds
roles in organisations; a role grants permissions by the relation that its organisation
has to the organisation in question.
"""

from enum import StrEnum
from functools import cache


class Role(StrEnum):
    ENVIRONMENT_OFFICER = "ENVIRONMENT_OFFICER"  # 企业环保专员
    WORKER = "WORKER"  # 班组工人
    PARK_OFFICER = "PARK_OFFICER"  # 园区管委会
    AUTHORITY_OFFICER = "AUTHORITY_OFFICER"  # 主管部门
    EXPERT = "EXPERT"  # 评审专家
    AGENCY_STAFF = "AGENCY_STAFF"  # 第三方机构
    ADMINISTRATOR = "ADMINISTRATOR"  # 系统管理员


class Relation(StrEnum):
    """What the organisation of a role is to the organisation in question."""

    OWN = "OWN"
    PARK = "PARK"  # the park of which it is a member today
    JURISDICTION = "JURISDICTION"  # the authority of its district, city or province
    OPERATOR = "OPERATOR"  # the platform's operator: an administrator's relation to everybody


class Permission(StrEnum):
    VIEW_ORGANISATION = "VIEW_ORGANISATION"
    EDIT_ORGANISATION = "EDIT_ORGANISATION"
    VIEW_LEDGER = "VIEW_LEDGER"
    POST_MOVEMENTS = "POST_MOVEMENTS"
    REVERSE_MOVEMENTS = "REVERSE_MOVEMENTS"
    CLOSE_MONTH = "CLOSE_MONTH"
    IMPORT_WORKBOOK = "IMPORT_WORKBOOK"
    VIEW_FIGURES = "VIEW_FIGURES"
    VIEW_CASE = "VIEW_CASE"
    EDIT_CASE = "EDIT_CASE"
    JUDGE = "JUDGE"  # answer a question that the rules put to a person; grant an exception
    MAINTAIN_REQUIREMENTS = "MAINTAIN_REQUIREMENTS"  # baseline and leading values of an industry
    MANAGE_USERS = "MANAGE_USERS"
    RUN_ROUND = "RUN_ROUND"  # open a round, decide at its stages, keep the register: an authority's own
    REVIEW_CASE = "REVIEW_CASE"  # look into submitted cases of those it supervises
    MAINTAIN_EXPERTS = "MAINTAIN_EXPERTS"
    VIEW_MANIFESTS = "VIEW_MANIFESTS"  # issued ones; a draft is its own organisation's
    HANDLE_MANIFESTS = "HANDLE_MANIFESTS"  # draft, issue, revise, settle; contracts and due diligence
    SIGN_MANIFESTS = "SIGN_MANIFESTS"  # load, hand over, deliver, weigh in
    VIEW_TRACKS = "VIEW_TRACKS"  # where the vehicles of manifests are: a driver's whereabouts too
    KEEP_PERMITS = "KEEP_PERMITS"  # say which permits, vehicles and drivers there are
    VERIFY_PERMITS = "VERIFY_PERMITS"  # look at a permit and say that it is so


_P = Permission
_OFFICER_OF_OWN = frozenset(
    {
        _P.VIEW_ORGANISATION, _P.EDIT_ORGANISATION, _P.VIEW_LEDGER, _P.POST_MOVEMENTS,
        _P.REVERSE_MOVEMENTS, _P.CLOSE_MONTH, _P.IMPORT_WORKBOOK, _P.VIEW_FIGURES, _P.VIEW_CASE,
        _P.EDIT_CASE, _P.VIEW_MANIFESTS, _P.HANDLE_MANIFESTS, _P.SIGN_MANIFESTS, _P.VIEW_TRACKS,
        _P.KEEP_PERMITS,
    }
)  # fmt: skip

GRANTS: dict[tuple[Role, Relation], frozenset[Permission]] = {
    (Role.ENVIRONMENT_OFFICER, Relation.OWN): _OFFICER_OF_OWN,
    (Role.WORKER, Relation.OWN): frozenset(
        {
            _P.VIEW_ORGANISATION,
            _P.VIEW_LEDGER,
            _P.POST_MOVEMENTS,
            _P.VIEW_MANIFESTS,
            _P.SIGN_MANIFESTS,
            _P.VIEW_TRACKS,
        }
    ),
    (Role.PARK_OFFICER, Relation.OWN): _OFFICER_OF_OWN,
    (Role.PARK_OFFICER, Relation.PARK): frozenset(
        {_P.VIEW_ORGANISATION, _P.VIEW_LEDGER, _P.VIEW_FIGURES, _P.VIEW_MANIFESTS}
    ),
    (Role.AUTHORITY_OFFICER, Relation.OWN): frozenset(
        {_P.VIEW_ORGANISATION, _P.MAINTAIN_REQUIREMENTS, _P.RUN_ROUND, _P.MAINTAIN_EXPERTS}
    ),
    (Role.AUTHORITY_OFFICER, Relation.JURISDICTION): frozenset(
        {
            _P.VIEW_ORGANISATION,
            _P.VIEW_LEDGER,
            _P.VIEW_FIGURES,
            _P.JUDGE,
            _P.REVIEW_CASE,
            _P.VIEW_MANIFESTS,
            _P.VIEW_TRACKS,
            _P.VERIFY_PERMITS,
        }
    ),
    (Role.ADMINISTRATOR, Relation.OPERATOR): frozenset(
        {_P.VIEW_ORGANISATION, _P.EDIT_ORGANISATION, _P.MANAGE_USERS}
    ),
    # Experts and agencies see what a review assigns to them, and nothing by themselves.
}


@cache
def granting(permission: Permission) -> frozenset[tuple[Role, Relation]]:
    """Return the pairs of role and relation that grant the permission."""
    return frozenset(pair for pair, granted in GRANTS.items() if permission in granted)
