"""
Where may one go from an answer? The links of the OpenAPI document.

A link names the operation that may follow, and where in this request or its answer each parameter of that
one stands. `body` holds what the answer gives to the next body; what it doesn't name, the client writes. All
stand in one table, for they lead from room to room, and a room doesn't know those above it. Operations are
called by their functions' names.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from ninja.operation import Operation

from wufei.cases.api import Document


def _asked(name: str) -> dict[str, str]:
    return {name: f"$request.path.{name}"}


def _query(*names: str) -> dict[str, str]:
    return {name: f"$request.query.{name}" for name in names}


def _said(pointer: str) -> str:
    return f"$response.body#/{pointer}"


@dataclass(frozen=True, slots=True)
class Link:
    to: str
    parameters: Mapping[str, str]
    body: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""  # where two links lead from one answer to the same operation


# What stays the same from one request to the next.
HERE = _asked("uscc")
CASE = HERE | _asked("case_id")
RECORD = HERE | _asked("seq")
FIGURE = HERE | _asked("indicator") | _asked("year")
PART = _query("stream", "dimension")
ITS_PART = {"stream": _said("figures/0/stream"), "dimension": _said("figures/0/dimension")}
FILTER = _query("from", "to", "stream", "kind", "store", "lot", "q", "sort", "limit")

ROUND, APPLICATION = _asked("round_id"), _asked("code")
ITS_ROUND = {"round_id": _said("round_id")}

VERSION = {"version": _said("version")}
ITS_YEAR = {"from": _said("year"), "to": _said("year")}
ITS_EDITION = {"edition": _said("edition"), "year": _said("year")}


def _documents(case: dict[str, str]) -> tuple[Link, ...]:
    return tuple(
        Link("produce_document", case | {"document": each}, name=f"produce_{each.name.lower()}")
        for each in Document
    )


def _about_the_case(case: dict[str, str]) -> tuple[Link, ...]:
    return (
        Link("save_case", case, VERSION),
        Link("list_evidence", case),
        Link("attach_evidence", case),
        *_documents(case),
        Link("evaluate", HERE | ITS_EDITION),
        Link("list_indicators", HERE | ITS_YEAR),
        Link("get_edition", {"edition_id": _said("edition")}),
    )


NUMBERED, ITS_NUMBER = HERE | _asked("number"), {"number": _said("number")}
MANIFEST = HERE | _asked("reference")


LINKS: Mapping[str, tuple[Link, ...]] = {
    "list_organisations": (Link("get_organisation", {"uscc": _said("organisations/0/uscc")}),),
    "get_organisation": (
        Link("change_organisation", HERE, VERSION),
        Link("list_streams", HERE),
        Link("list_stores", HERE),
        Link("list_movements", HERE),
        Link("stock", HERE),
        Link("read_inventory", HERE),
        Link("verify", HERE),
        Link("list_indicators", HERE),
        Link("evaluate", HERE),
        Link("list_cases", HERE),
        Link("open_case", HERE),
        Link("list_own_applications", HERE),
        Link("submit_case", HERE),
        Link("list_transformations", HERE),
        Link("transform", HERE),
        Link("relocate", HERE),
        Link("list_zones", HERE),
        Link("list_time_limits", HERE),
        Link("list_stocktakes", HERE),
        Link("list_inspections", HERE),
        Link("list_corrective_actions", HERE),
        Link("list_scales", HERE),
        Link("reserve_numbers", HERE),
        Link("list_manifests", HERE),
        Link("list_tracks", HERE),
        Link("list_track_alerts", HERE),
        Link("list_trackers", HERE),
        Link("create_manifest", HERE),
        Link("list_loads", HERE),
        Link("list_permits", HERE),
        Link("record_permit", HERE),
        Link("list_contracts", HERE),
        Link("record_contract", HERE),
        Link("list_due_diligence", HERE),
        Link("record_due_diligence", HERE),
        Link("list_vehicles", HERE),
        Link("record_vehicle", HERE),
        Link("list_drivers", HERE),
        Link("record_driver", HERE),
        Link("list_approvals", HERE),
        Link("record_approval", HERE),
        Link("list_declarations", HERE),
        Link("list_ready", HERE),
        Link("list_collection_rounds", HERE),
    ),
    "change_organisation": (Link("get_organisation", HERE), Link("change_organisation", HERE, VERSION)),
    # the ledger
    "list_streams": (
        Link("put_stream", HERE | {"code": _said("streams/0/code")}, {"version": _said("streams/0/version")}),
        Link("post_movements", HERE, {"movements": [{"stream": _said("streams/0/code")}]}),
        Link("list_movements", HERE | {"stream": _said("streams/0/code")}),
        Link("list_identifications", HERE),
    ),
    "list_identifications": (
        Link("record_identification", HERE, {"stream": _said("identifications/0/stream")}),
    ),
    "record_identification": (
        Link("list_identifications", HERE),
        Link("read_identification_report", HERE | {"identification_id": _said("id")}),
    ),
    "put_stream": (
        Link("put_stream", HERE | {"code": _said("code")}, VERSION),
        Link("post_movements", HERE, {"movements": [{"stream": _said("code")}]}),
    ),
    "list_stores": (
        Link("put_store", HERE | {"code": _said("stores/0/code")}, {"version": _said("stores/0/version")}),
        Link("list_movements", HERE | {"store": _said("stores/0/code")}),
    ),
    "put_store": (Link("put_store", HERE | {"code": _said("code")}, VERSION),),
    "list_movements": (
        Link("list_movements", HERE | FILTER | {"cursor": _said("next")}, name="next_page"),
        Link("get_movement", HERE | {"seq": _said("movements/0/seq")}),
        Link("reverse_movement", HERE | {"seq": _said("movements/0/seq")}),
        Link("get_label", HERE | {"code": _said("movements/0/lot")}),
    ),
    "post_movements": (
        Link("list_movements", HERE),
        Link("get_movement", HERE | {"seq": _said("movements/0/seq")}),
        Link("reverse_movement", HERE | {"seq": _said("movements/0/seq")}),
        Link("stock", HERE),
        Link("close_month", HERE),
        Link("verify", HERE),
    ),
    "get_movement": (Link("reverse_movement", RECORD),),
    "reverse_movement": (
        Link("get_movement", HERE | {"seq": _said("seq")}),
        Link("get_movement", RECORD, name="get_reversed_movement"),
        Link("verify", HERE),
    ),
    # filings
    "get_plan": (Link("start_plan", HERE | _asked("year")),),
    "start_plan": (
        Link("save_plan", HERE | _asked("year"), VERSION),
        Link("get_plan", HERE | _asked("year")),
    ),
    "save_plan": (
        Link("save_plan", HERE | _asked("year"), VERSION),
        Link("file_plan", HERE | _asked("year"), VERSION),
    ),
    "file_plan": (Link("get_plan", HERE | _asked("year")), Link("list_plans", HERE)),
    "get_disclosure": (Link("publish_disclosure", HERE | _asked("year")),),
    "publish_disclosure": (Link("get_disclosure", HERE | _asked("year")),),
    # lots
    "read_inventory": (
        Link("trace", HERE | {"code": _said("stock/0/lot")}),
        Link("list_movements", HERE | {"stream": _said("stock/0/stream")}),
    ),
    "trace": (Link("trace", HERE | {"code": _said("nodes/0/lot")}),),
    "list_transformations": (
        Link("list_transformations", HERE | {"cursor": _said("next")}, name="next_page"),
    ),
    "transform": (
        Link("reverse_transformation", HERE | {"first_seq": _said("first_seq")}),
        Link("list_transformations", HERE),
        Link("verify", HERE),
    ),
    "reverse_transformation": (Link("list_transformations", HERE),),
    "relocate": (
        Link("get_movement", HERE | {"seq": _said("seq")}),
        Link("reverse_movement", HERE | {"seq": _said("seq")}),
        Link("stock", HERE),
    ),
    # storage
    "list_zones": (
        Link("get_zone", HERE | {"zone_id": _said("zones/0/id")}),
        Link("change_zone", HERE | {"zone_id": _said("zones/0/id")}, {"version": _said("zones/0/version")}),
        Link("create_zone", HERE, {"store": _said("store")}),
        Link("place_lot", HERE, {"store": _said("store"), "zone": _said("zones/0/code")}),
    ),
    "create_zone": (
        Link("get_zone", HERE | {"zone_id": _said("id")}),
        Link("list_zones", HERE | {"store": _said("store")}),
    ),
    "get_zone": (Link("change_zone", HERE | _asked("zone_id"), VERSION),),
    "change_zone": (
        Link("get_zone", HERE | _asked("zone_id")),
        Link("change_zone", HERE | _asked("zone_id"), VERSION),
    ),
    "place_lot": (Link("list_zones", HERE | {"store": _said("store")}),),
    "list_time_limits": (Link("trace", HERE | {"code": _said("lots/0/lot")}),),
    "list_stocktakes": (
        Link("list_stocktakes", HERE | {"cursor": _said("next")}, name="next_page"),
        Link("get_stocktake", HERE | {"number": _said("stocktakes/0/number")}),
        Link("open_stocktake", HERE),
    ),
    "open_stocktake": (
        Link("get_stocktake", HERE | ITS_NUMBER),
        Link("count_lot", HERE | ITS_NUMBER),
        Link("give_up_stocktake", HERE | ITS_NUMBER),
    ),
    "get_stocktake": (
        Link("count_lot", NUMBERED, {"lot": _said("to_count/0/lot")}),
        Link("close_stocktake", NUMBERED),
    ),
    "count_lot": (Link("get_stocktake", NUMBERED),),
    "close_stocktake": (
        Link("get_stocktake", NUMBERED),
        Link("post_differences", NUMBERED, {"explanations": [{"lot": _said("found/0/lot")}]}),
    ),
    "give_up_stocktake": (
        Link("get_stocktake", NUMBERED),
        Link("open_stocktake", HERE, {"store": _said("store")}),
    ),
    "post_differences": (Link("get_stocktake", NUMBERED), Link("verify", HERE)),
    "list_inspections": (
        Link(
            "list_inspections",
            HERE | _query("store", "q", "limit") | {"cursor": _said("next")},
            name="next_page",
        ),
        Link("get_inspection", HERE | {"number": _said("inspections/0/number")}),
        Link("record_inspection", HERE, {"store": _said("stores/0/store")}),
        Link("list_checklists", {}),
    ),
    "record_inspection": (
        Link("get_inspection", HERE | ITS_NUMBER),
        Link("list_corrective_actions", HERE),
    ),
    "get_inspection": (Link("list_inspections", HERE | {"store": _said("store")}),),
    "list_corrective_actions": (
        Link(
            "list_corrective_actions",
            HERE | _query("state", "limit") | {"cursor": _said("next")},
            name="next_page",
        ),
        Link("get_inspection", HERE | {"number": _said("corrective_actions/0/inspection")}),
    ),
    "list_checklists": (Link("list_organisations", {}),),
    # labels
    "reserve_numbers": (Link("get_organisation", HERE),),
    "get_label": (
        Link("get_label_file", HERE | {"code": _said("lot")}),
        Link("register_print", HERE, {"code": _said("lot")}),
        Link("list_movements", HERE | {"lot": _said("lot")}),
    ),
    "register_print": (Link("get_label", HERE | {"code": _said("lot")}),),
    "close_month": (Link("stock", HERE | {"on": _said("closed_through")}), Link("verify", HERE)),
    # manifests; what else may follow depends on the state, which the answer's `acts` say
    "list_manifests": (
        Link("list_manifests", HERE | {"cursor": _said("next")}, name="next_page"),
        Link("get_manifest", HERE | {"reference": _said("manifests/0/reference")}),
    ),
    "create_manifest": (
        Link("get_manifest", HERE | {"reference": _said("reference")}),
        Link("edit_manifest", HERE | {"reference": _said("reference")}, VERSION),
        Link("sign_manifest", HERE | {"reference": _said("reference")}),
    ),
    "get_manifest": (
        Link("sign_manifest", MANIFEST),
        Link("propose_revision", MANIFEST),
        Link("get_track", MANIFEST),
        Link("state_route", MANIFEST),
    ),
    "get_track": (Link("state_route", MANIFEST),),
    "sign_manifest": (Link("get_manifest", HERE | {"reference": _said("reference")}),),
    "propose_revision": (Link("get_manifest", MANIFEST),),
    "list_manifest_fields": (Link("list_organisations", {}),),
    # permits, contracts, vehicles, drivers, approvals
    "list_permits": (
        Link("get_permit", HERE | {"permit_id": _said("permits/0/id")}),
        Link("verify_permit", HERE | {"permit_id": _said("permits/0/id")}),
        Link("revoke_permit", HERE | {"permit_id": _said("permits/0/id")}),
    ),
    "record_permit": (
        Link("get_permit", HERE | {"permit_id": _said("id")}),
        Link("revoke_permit", HERE | {"permit_id": _said("id")}),
        Link("list_permits", HERE),
    ),
    "get_permit": (Link("revoke_permit", HERE | _asked("permit_id")), Link("list_permits", HERE)),
    "verify_permit": (Link("get_permit", HERE | _asked("permit_id")), Link("list_permits", HERE)),
    "revoke_permit": (Link("get_permit", HERE | _asked("permit_id")), Link("list_permits", HERE)),
    "list_contracts": (
        Link("get_contract", HERE | {"contract_id": _said("contracts/0/id")}),
        Link("end_contract", HERE | {"contract_id": _said("contracts/0/id")}),
    ),
    "record_contract": (
        Link("get_contract", HERE | {"contract_id": _said("id")}),
        Link("end_contract", HERE | {"contract_id": _said("id")}),
        Link("list_contracts", HERE),
    ),
    "get_contract": (Link("end_contract", HERE | _asked("contract_id")), Link("list_contracts", HERE)),
    "end_contract": (Link("get_contract", HERE | _asked("contract_id")), Link("list_contracts", HERE)),
    "list_due_diligence": (Link("get_due_diligence", HERE | {"record_id": _said("records/0/id")}),),
    "record_due_diligence": (
        Link("get_due_diligence", HERE | {"record_id": _said("id")}),
        Link("list_due_diligence", HERE | {"subject": _said("subject")}),
    ),
    "get_due_diligence": (Link("list_due_diligence", HERE | {"subject": _said("subject")}),),
    "list_vehicles": (
        Link("get_vehicle", HERE | {"vehicle_id": _said("vehicles/0/id")}),
        Link("end_vehicle", HERE | {"vehicle_id": _said("vehicles/0/id")}),
    ),
    "record_vehicle": (
        Link("get_vehicle", HERE | {"vehicle_id": _said("id")}),
        Link("end_vehicle", HERE | {"vehicle_id": _said("id")}),
        Link("list_vehicles", HERE),
    ),
    "get_vehicle": (Link("end_vehicle", HERE | _asked("vehicle_id")), Link("list_vehicles", HERE)),
    "end_vehicle": (Link("get_vehicle", HERE | _asked("vehicle_id")), Link("list_vehicles", HERE)),
    "list_drivers": (
        Link("get_driver", HERE | {"driver_id": _said("drivers/0/id")}),
        Link("end_driver", HERE | {"driver_id": _said("drivers/0/id")}),
    ),
    "record_driver": (
        Link("get_driver", HERE | {"driver_id": _said("id")}),
        Link("end_driver", HERE | {"driver_id": _said("id")}),
        Link("list_drivers", HERE),
    ),
    "get_driver": (Link("end_driver", HERE | _asked("driver_id")), Link("list_drivers", HERE)),
    "end_driver": (Link("get_driver", HERE | _asked("driver_id")), Link("list_drivers", HERE)),
    "list_approvals": (Link("get_approval", HERE | {"approval_id": _said("approvals/0/id")}),),
    "record_approval": (
        Link("get_approval", HERE | {"approval_id": _said("id")}),
        Link("list_approvals", HERE),
    ),
    "get_approval": (Link("list_approvals", HERE),),
    # figures and evaluation
    "list_indicators": (
        Link(
            "get_figure",
            HERE | {"indicator": _said("figures/0/id"), "year": _said("figures/0/year")} | ITS_PART,
        ),
    ),
    "get_figure": (Link("movements_behind_figure", FIGURE | PART),),
    "movements_behind_figure": (Link("get_figure", FIGURE | PART),),
    "evaluate": (Link("get_edition", {"edition_id": _said("edition")}),),
    "list_editions": (Link("get_edition", {"edition_id": _said("editions/0/id")}),),
    # cases
    "list_cases": (Link("get_case", HERE | {"case_id": _said("cases/0/id")}),),
    "open_case": (
        Link("get_case", HERE | {"case_id": _said("id")}),
        *_about_the_case(HERE | {"case_id": _said("id")}),
    ),
    "get_case": (*_about_the_case(CASE), Link("mark_ready", CASE, VERSION)),
    "save_case": (
        Link("get_case", CASE),
        Link("save_case", CASE, VERSION),
        Link("mark_ready", CASE, VERSION),
    ),
    "mark_ready": (*_documents(CASE), Link("save_case", CASE, VERSION)),
    "list_evidence": (Link("remove_evidence", CASE | {"evidence_id": _said("evidence/0/id")}),),
    "attach_evidence": (
        Link("list_evidence", CASE),
        Link("remove_evidence", CASE | {"evidence_id": _said("id")}),
    ),
    "remove_evidence": (Link("list_evidence", CASE),),
    # reviews
    "list_rounds": (Link("get_round", {"round_id": _said("rounds/0/id")}), Link("open_round", {})),
    "open_round": (
        Link("get_round", {"round_id": _said("id")}),
        Link("edit_round", {"round_id": _said("id")}, VERSION),
        Link("publish_round", {"round_id": _said("id")}),
        Link("get_edition", {"edition_id": _said("edition")}),
    ),
    "get_round": (
        Link("edit_round", ROUND, VERSION),
        Link("round_status", ROUND),
        Link("get_ranking", ROUND),
        Link("list_applications", ROUND),
        Link("list_notices", ROUND),
        Link("get_edition", {"edition_id": _said("edition")}),
    ),
    "edit_round": (Link("get_round", ROUND), Link("edit_round", ROUND, VERSION)),
    "publish_round": (
        Link("get_round", ROUND),
        Link("round_status", ROUND),
        Link("list_applications", ROUND),
    ),
    "round_status": (Link("list_applications", ROUND | {"stage": _said("stages/0/id")}),),
    "get_ranking": (Link("list_applications", ROUND),),
    "list_applications": (Link("get_application", {"code": _said("applications/0/code")}),),
    "list_own_applications": (Link("get_application", {"code": _said("applications/0/code")}),),
    "submit_case": (
        Link("get_application", {"code": _said("code")}),
        Link("list_own_applications", HERE),
        Link("get_round", ITS_ROUND),
    ),
    "get_application": (
        Link("act_on_application", APPLICATION, VERSION),
        Link("list_consultations", APPLICATION),
        Link("ask_departments", APPLICATION),
        Link("get_round", ITS_ROUND),
    ),
    "act_on_application": (Link("get_application", APPLICATION), Link("list_consultations", APPLICATION)),
    "list_consultations": (
        Link("reply_to_consultation", APPLICATION | {"consultation_id": _said("consultations/0/id")}),
    ),
    "ask_departments": (
        Link("list_consultations", APPLICATION),
        Link("reply_to_consultation", APPLICATION | {"consultation_id": _said("consultations/0/id")}),
    ),
    "reply_to_consultation": (Link("list_consultations", APPLICATION), Link("get_application", APPLICATION)),
    "list_notices": (Link("get_notice", {"notice_id": _said("notices/0/id")}),),
    "get_notice": (Link("get_round", ITS_ROUND), Link("list_notices", ITS_ROUND)),
    "list_scales": (Link("list_readings", HERE | {"scale_code": _said("scales/0/code")}),),
    "list_readings": (
        Link("list_readings", HERE | _asked("scale_code") | {"before": _said("next")}, name="next_page"),
    ),
    "list_titles": (Link("get_edition", {"edition_id": _said("titles/0/edition")}),),
}


def describe(operations: Iterable[Operation], ids: Mapping[str, str]) -> None:
    """Write into each operation's description where its success leads; `ids`: each operation's `operationId`."""
    for operation in operations:
        links = LINKS.get(operation.view_func.__name__, ())
        if links:
            status = min(operation.response_models)
            # Of its own: a room may have given several routes the same.
            extra = operation.openapi_extra = deepcopy(operation.openapi_extra or {})
            answer = extra.setdefault("responses", {}).setdefault(status, {})
            answer["links"] = {link.name or link.to: document(link, ids) for link in links}


def document(link: Link, ids: Mapping[str, str]) -> dict[str, Any]:
    said: dict[str, Any] = {"operationId": ids[link.to], "parameters": dict(link.parameters)}
    if link.body:
        said["requestBody"] = dict(link.body)
    return said
