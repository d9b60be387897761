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
_CASE, _PARK_CASE = f"/o/{POWER}/cases/1/", f"/o/{PARK}/cases/2/"  # in the order of the demo's `papers`


@dataclass(frozen=True, slots=True)
class MainPage:
    name: str  # of the picture
    person: str | None
    path: str


PAGES = (
    MainPage("sign-in", None, "/sign-in/"),
    MainPage("home-enterprise", "power", f"/o/{POWER}/"),
    MainPage("ledger", "power", f"/o/{POWER}/ledger/"),
    MainPage("movement", "power", f"/o/{POWER}/ledger/100/"),
    MainPage("quick-entry", "power-worker", f"/o/{POWER}/ledger/new/"),
    MainPage("stock", "power", f"/o/{POWER}/ledger/stock/"),
    MainPage("months", "power", f"/o/{POWER}/ledger/months/"),
    MainPage("streams", "power", f"/o/{POWER}/ledger/streams/"),
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
    MainPage("users", "admin", "/users/"),
    MainPage("permissions", "admin", "/permissions/"),
    MainPage("api", "power", "/api/v1/docs"),
)
