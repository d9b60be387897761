"""The main pages, who opens them, and where they are: for the tests of accessibility and the pictures in docs."""

from dataclasses import dataclass

from wufei.demo.district import district, uscc_of

_SERIALS = {each["id"]: each["serial"] for each in district()["enterprises"] + district()["authorities"]}
POWER = uscc_of(_SERIALS["power"])
PARK = uscc_of(district()["park"]["serial"])
DISTRICT = uscc_of(_SERIALS["district-industry"])
EDITION, PARK_EDITION = "chongqing-2026-6-enterprise", "chongqing-2026-6-park"


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
    MainPage("profile", "power", f"/o/{POWER}/profile/"),
    MainPage("audit", "power", f"/o/{POWER}/audit/"),
    MainPage("lookup", "power", "/lookup/?q=fmh"),
    MainPage("account", "power", "/account/"),
    MainPage("home-park", "park", f"/o/{PARK}/"),
    MainPage("members", "park", f"/o/{PARK}/members/"),
    MainPage("figures-park", "park", f"/o/{PARK}/figures/"),
    MainPage("evaluation-park", "park", f"/o/{PARK}/evaluation/{PARK_EDITION}/2025/"),
    MainPage("home-authority", "district-industry", f"/o/{DISTRICT}/"),
    MainPage("organisations", "district-industry", "/organisations/"),
    MainPage("requirements", "district-industry", f"/o/{DISTRICT}/requirements/"),
    MainPage("users", "admin", "/users/"),
    MainPage("permissions", "admin", "/permissions/"),
    MainPage("api", "power", "/api/v1/docs"),
)
