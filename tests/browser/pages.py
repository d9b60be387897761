"""The main pages, who opens them, and where they are: for the tests of accessibility and the pictures in docs."""

from dataclasses import dataclass

from wufei.demo.district import district, uscc_of

_SERIALS = {each["id"]: each["serial"] for each in district()["enterprises"] + district()["authorities"]}
POWER = uscc_of(_SERIALS["power"])
PARK = uscc_of(district()["park"]["serial"])
DISTRICT, CITY = uscc_of(_SERIALS["district-industry"]), uscc_of(_SERIALS["city"])
GEAR = uscc_of(_SERIALS["gear"])
EDITION, PARK_EDITION = "chongqing-2026-6-enterprise", "chongqing-2026-6-park"
FACTORY_EDITION = "gbt-36132-2025-green-factory"
SMELTER = uscc_of(_SERIALS["smelter"])
MINISTRY = uscc_of("202")  # as in season.yaml
HAUL = uscc_of("231")  # as in road.yaml
COLLECTOR, SHOP = uscc_of("690"), uscc_of("701")  # as in collecting.yaml
_CASE, _PARK_CASE = f"/o/{POWER}/cases/1/", f"/o/{PARK}/cases/2/"  # in the order of the demo's `papers`


# In the order of season.yaml: the finished round, the running one, the zero-waste one, the ministry's.
_FINISHED, _RUNNING, _SENT, _ABOVE = (f"/reviews/rounds/{number}/" for number in range(1, 5))
_AT = "/reviews/applications/2026-002-{:05d}/"  # of the running round
_EXPERTS_DRAW, _SECOND_NOTICE, _TITLE, _REVOKED = 2, 3, 1, 5


@dataclass(frozen=True, slots=True)
class MainPage:
    name: str  # of the picture
    person: str | None
    path: str
    link: str = ""  # where keys differ from store to store: the page that the first link like this leads to


PAGES = (
    MainPage("sign-in", None, "/sign-in/"),
    MainPage("home-enterprise", "power", f"/o/{POWER}/"),
    MainPage("ledger", "power", f"/o/{POWER}/ledger/"),
    MainPage("movement", "power", f"/o/{POWER}/ledger/100/"),
    MainPage("quick-entry", "power-worker", f"/o/{POWER}/ledger/new/"),
    MainPage("work", "power-worker", f"/o/{POWER}/work/"),
    MainPage("scales", "power", f"/o/{POWER}/scales/"),
    MainPage("scale-new", "power", f"/o/{POWER}/scales/new/"),
    MainPage("abandoned-entries", "power", f"/o/{POWER}/abandoned-entries/"),
    MainPage("stock", "power", f"/o/{POWER}/ledger/stock/"),
    MainPage("lots", "power", f"/o/{POWER}/ledger/lots/"),
    MainPage("trace", "power", "/trace/"),
    MainPage("books", "power", f"/o/{POWER}/books/?form=general-2&year=2025&part=Q1"),
    MainPage("waste-report", "power", f"/o/{POWER}/books/reports/?year=2025&part=03"),
    MainPage("months", "power", f"/o/{POWER}/ledger/months/"),
    MainPage("plans", "gear", f"/o/{GEAR}/plans/"),
    MainPage("plan", "gear", f"/o/{GEAR}/plans/", link=rf"/o/{GEAR}/plans/\d+/$"),
    MainPage("disclosures", "power", f"/o/{POWER}/disclosures/"),
    MainPage("disclosure", "power", f"/o/{POWER}/disclosures/", link=rf"/o/{POWER}/disclosures/\d+/$"),
    MainPage("public-disclosures", None, "/public/disclosures/"),
    MainPage("public-disclosure", None, "/public/disclosures/", link=r"/public/disclosures/\w+/\d+/$"),
    MainPage("labels", "gear", f"/o/{GEAR}/labels/"),
    MainPage("label", "gear", f"/o/{GEAR}/labels/", link=rf"/o/{GEAR}/labels/\d+/$"),
    MainPage("label-numbers", "gear", f"/o/{GEAR}/labels/numbers/"),
    MainPage("label-signs", "gear", f"/o/{GEAR}/labels/signs/"),
    MainPage("zones", "gear", f"/o/{GEAR}/storage/zones/"),
    MainPage("time-limits", "gear", f"/o/{GEAR}/storage/limits/"),
    MainPage("inspections", "gear", f"/o/{GEAR}/storage/inspections/"),
    MainPage("inspect", "gear-worker", f"/o/{GEAR}/storage/inspections/new/?store=K02"),
    MainPage("inspection", "gear", f"/o/{GEAR}/storage/inspections/2/"),
    MainPage("corrective-actions", "gear", f"/o/{GEAR}/storage/corrective-actions/"),
    MainPage("corrective-action", "gear", f"/o/{GEAR}/storage/corrective-actions/2/"),
    MainPage("stocktakes", "gear", f"/o/{GEAR}/storage/stocktakes/"),
    MainPage("manifests", "gear", f"/o/{GEAR}/manifests/"),
    MainPage("manifest-draft", "gear", f"/o/{GEAR}/manifests/new/"),
    MainPage("approvals", "gear", f"/o/{GEAR}/manifests/approvals/"),
    MainPage("tracks", "gear", f"/o/{GEAR}/tracks/"),
    MainPage("track", "gear", f"/o/{GEAR}/tracks/", link=rf"/o/{GEAR}/tracks/\d+/$"),
    MainPage("track-alerts", "gear", f"/o/{GEAR}/tracks/alerts/"),
    MainPage("trackers", "haul", f"/o/{HAUL}/trackers/"),
    MainPage("tracker-new", "haul", f"/o/{HAUL}/trackers/new/"),
    MainPage("collection-ready", "collect", f"/o/{COLLECTOR}/collection/ready/"),
    MainPage("collection-rounds", "collect", f"/o/{COLLECTOR}/collection/rounds/"),
    MainPage("collection-round", "collect", f"/o/{COLLECTOR}/collection/rounds/1/"),
    MainPage("collection-drive", "collect-driver", f"/o/{COLLECTOR}/collection/rounds/2/drive/"),
    MainPage("collection-points", "collect", f"/o/{COLLECTOR}/collection/points/"),
    MainPage("collection-generators", "collect", f"/o/{COLLECTOR}/collection/generators/"),
    MainPage("collection-register", "collect", f"/o/{COLLECTOR}/collection/registrations/new/"),
    MainPage("small-generator-months", "shop-zhou", f"/o/{SHOP}/collection/declarations/"),
    MainPage("small-generator-declare", "shop-zhou", f"/o/{SHOP}/collection/declarations/2026/11/"),
    MainPage("small-generator-pickups", "shop-zhou", f"/o/{SHOP}/collection/pickups/"),
    MainPage("small-generator-public", None, "/public/small-generators/"),
    MainPage("weighing", "gear", f"/o/{GEAR}/manifests/weighing/"),
    MainPage("weighed-loads", "gear", f"/o/{GEAR}/manifests/loads/"),
    MainPage("permits", "gear", f"/o/{GEAR}/permits/"),
    MainPage("streams", "power", f"/o/{POWER}/ledger/streams/"),
    MainPage("identifications", "power", f"/o/{POWER}/ledger/identifications/"),
    MainPage(
        "identification",
        "power",
        f"/o/{POWER}/ledger/identifications/",
        link=rf"/o/{POWER}/ledger/streams/\d+/identification/$",
    ),
    MainPage("stores", "power", f"/o/{POWER}/ledger/stores/"),
    MainPage("import", "power", f"/o/{POWER}/import/"),
    MainPage("flows", "power", f"/o/{POWER}/flows/"),
    MainPage("figures", "power", f"/o/{POWER}/figures/"),
    MainPage("figure", "power", f"/o/{POWER}/figures/utilisation_rate_pct/2025/"),
    MainPage("stated", "power", f"/o/{POWER}/figures/stated/2025/"),
    MainPage("declarations", "power", f"/o/{POWER}/declarations/2025/"),
    MainPage("editions", "power", f"/o/{POWER}/evaluation/"),
    MainPage("evaluation", "power", f"/o/{POWER}/evaluation/{EDITION}/2025/"),
    MainPage("cases", "power", f"/o/{POWER}/cases/"),
    MainPage("case", "power", _CASE),
    MainPage("case-form", "power", f"{_CASE}form/"),
    MainPage("case-evidence", "power", f"{_CASE}evidence/"),
    MainPage("case-check", "power", f"{_CASE}check/"),
    MainPage("figures-months", "power", f"/o/{POWER}/figures/2025/"),
    MainPage("profile", "power", f"/o/{POWER}/profile/"),
    MainPage("audit", "power", f"/o/{POWER}/audit/"),
    MainPage("lookup", "power", "/lookup/?q=fmh"),
    MainPage("account", "power", "/account/"),
    MainPage("home-park", "park", f"/o/{PARK}/"),
    MainPage("members", "park", f"/o/{PARK}/members/"),
    MainPage("figures-park", "park", f"/o/{PARK}/figures/"),
    MainPage("evaluation-park", "park", f"/o/{PARK}/evaluation/{PARK_EDITION}/2025/"),
    MainPage("months-park", "park", f"/o/{PARK}/figures/2025/"),
    MainPage("case-form-park", "park", f"{_PARK_CASE}form/"),
    MainPage("home-worker", "power-worker", f"/o/{POWER}/"),
    MainPage("ledger-worker", "power-worker", f"/o/{POWER}/ledger/"),
    MainPage("import-preview", "gear", f"/o/{GEAR}/import/1/"),
    MainPage("evaluation-factory", "gear", f"/o/{GEAR}/evaluation/{FACTORY_EDITION}/2025/"),
    MainPage("stated-values", "gear", f"/o/{GEAR}/evaluation/{FACTORY_EDITION}/2025/values/"),
    MainPage(
        "judge", "district-industry", f"/o/{POWER}/evaluation/{EDITION}/2025/judge/quality-scale/scale/"
    ),
    MainPage("home-city", "city", f"/o/{CITY}/"),
    MainPage("organisations-city", "city", "/organisations/"),
    MainPage("home-expert", "expert", "/account/"),
    MainPage("home-agency", "agency", "/account/"),
    MainPage("second-factor-enrol", "agency", "/account/second-factor/"),
    MainPage("second-factor", "repair", "/sign-in/code/"),
    MainPage("home-authority", "district-industry", f"/o/{DISTRICT}/"),
    MainPage("organisations", "district-industry", "/organisations/"),
    MainPage("requirements", "district-industry", f"/o/{DISTRICT}/requirements/"),
    # reviews: the city's round
    MainPage("rounds", "city", "/reviews/rounds/"),
    MainPage("round", "city", _RUNNING),
    MainPage("round-finished", "city", _FINISHED),
    MainPage("round-open", "city", "/reviews/rounds/open/"),
    MainPage("round-edit", "city", f"{_RUNNING}edit/"),
    MainPage("round-late", "city", f"{_RUNNING}late/"),
    MainPage("stages", "admin", "/reviews/stages/"),
    MainPage("applications", "city", f"{_RUNNING}applications/"),
    MainPage("application-city", "city", _AT.format(5)),
    MainPage("doubts", "city", f"{_AT.format(5)}doubts/"),
    MainPage("tasks-city", "city", "/reviews/tasks/"),
    MainPage("messages", "city", "/reviews/messages/"),
    MainPage("delegations", "city", "/reviews/delegations/"),
    MainPage("experts", "city", f"/o/{CITY}/experts/"),
    MainPage("expert-page", "city", f"/o/{CITY}/experts/1/"),
    MainPage("draws", "city", f"{_RUNNING}draws/"),
    MainPage("draw", "city", f"{_RUNNING}draws/{_EXPERTS_DRAW}/"),
    MainPage("assignments", "city", f"{_RUNNING}assignments/"),
    MainPage("scores", "city", f"{_RUNNING}scores/"),
    MainPage("discussion", "city", f"{_RUNNING}scores/", link=rf"{_RUNNING}scores/[\d-]+/$"),
    MainPage("ranking", "city", f"{_RUNNING}ranking/?number=2"),
    MainPage("notices", "city", f"{_RUNNING}notices/"),
    MainPage("notice-new", "city", f"{_RUNNING}notices/new/"),
    MainPage("notice", "city", f"/reviews/notices/{_SECOND_NOTICE}/"),
    MainPage(
        "objection", "city", f"/reviews/notices/{_SECOND_NOTICE}/", link=r"/reviews/objections/[\w-]+/$"
    ),
    MainPage("papers", "city", f"{_RUNNING}papers/"),
    MainPage("packages", "city", f"{_SENT}packages/"),
    MainPage("register", "city", f"/o/{CITY}/register/"),
    MainPage("title", "city", f"/o/{CITY}/register/titles/{_TITLE}/"),
    MainPage("register-changes", "city", f"/o/{CITY}/register/changes/"),
    MainPage("reevaluation", "city", f"/o/{CITY}/register/reevaluation/"),
    MainPage("cultivation", "city", f"/o/{CITY}/cultivation/"),
    MainPage("credit-facts", "city", f"/o/{CITY}/credit-facts/"),
    MainPage("agencies", "city", f"/o/{CITY}/agencies/"),
    MainPage("agency-page", "city", f"/o/{CITY}/agencies/", link=rf"/o/{CITY}/agencies/\w{{18}}/$"),
    MainPage("agencies-waiting", "city", f"/o/{CITY}/agencies/waiting/"),
    MainPage("expert-new", "city", f"/o/{CITY}/experts/new/"),
    MainPage("title-end", "city", f"/o/{CITY}/register/titles/{_TITLE}/end/"),
    # reviews: the district, a department, the applicant, the expert, the agency, the ministry
    MainPage("tasks", "district-industry", "/reviews/tasks/"),
    MainPage("application", "district-industry", _AT.format(1)),
    MainPage("recommendations", "district-industry", f"{_RUNNING}recommendations/{DISTRICT}/"),
    MainPage("site-checks", "district-industry", "/reviews/site-checks/"),
    MainPage("site-check", "district-industry", "/reviews/site-checks/2026-002-00002/"),
    MainPage("consultations", "district-tax", "/reviews/consultations/"),
    MainPage("consultation", "district-tax", "/reviews/consultations/", link=r"/reviews/consultations/\d+/$"),
    MainPage("mine", "gear", "/reviews/mine/"),
    MainPage("application-own", "gear", _AT.format(2)),
    MainPage("titles-own", "smelter", f"/o/{SMELTER}/titles/"),
    MainPage("title-own", "smelter", f"/o/{SMELTER}/titles/{_TITLE}/"),
    MainPage("scoring", "expert", "/reviews/scoring/"),
    MainPage("score-sheet", "expert", "/reviews/scoring/", link=r"/reviews/scoring/\d+/$"),
    MainPage("agency-reports", "agency", "/reviews/agency-reports/"),
    MainPage("agency-report", "agency", "/reviews/agency-reports/1/"),
    MainPage("round-ministry", "ministry", _ABOVE),
    MainPage("applications-ministry", "ministry", f"{_ABOVE}applications/"),
    MainPage("packages-ministry", "ministry", f"{_ABOVE}packages/"),
    MainPage("targets", "ministry", "/reviews/targets/"),
    MainPage("register-ministry", "ministry", f"/o/{MINISTRY}/register/"),
    # portal
    MainPage("public", None, "/public/"),
    MainPage("public-calls", None, "/public/calls/"),
    MainPage("public-call", None, "/public/calls/2/"),
    MainPage("public-notices", None, "/public/notices/"),
    MainPage("public-notice", None, f"/public/notices/{_SECOND_NOTICE}/"),
    MainPage("public-objection", None, f"/public/notices/{_SECOND_NOTICE}/1/objection/"),
    MainPage("public-objection-state", None, "/public/objections/"),
    MainPage("public-register", None, "/public/register/"),
    MainPage("public-title", None, f"/public/register/{_REVOKED}/"),
    MainPage("public-ended", None, "/public/register/ended/"),
    MainPage("public-draws", None, "/public/draws/"),
    MainPage("public-draw", None, f"/public/draws/{_EXPERTS_DRAW}/"),
    MainPage("public-cases", None, "/public/cases/"),
    MainPage("public-agencies", None, "/public/agencies/"),
    MainPage("public-agencies-excluded", None, "/public/agencies/excluded/"),
    MainPage("users", "admin", "/users/"),
    MainPage("keys", "admin", "/reviews/keys/"),
    MainPage("permissions", "admin", "/permissions/"),
    MainPage("api", "power", "/api/v1/docs"),
)
