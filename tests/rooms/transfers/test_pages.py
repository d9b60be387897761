"""The pages of manifests and of permits: who sees them, what they show, what they do."""

from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from tests.rooms.transfers import world as worlds
from wufei.ledger.kinds import Kind
from wufei.registry.models import Contract, Driver, DueDiligence, OperatingPermit, PermitGroup, Vehicle
from wufei.transfers import queries, services
from wufei.transfers.fields import Part
from wufei.transfers.models import Discrepancy, Flag, Leg, Manifest, Revision, TransferApproval
from wufei.transfers.states import Act

# Every page here is asked for below, by a party, by a stranger and by nobody.
ROUTES = frozenset(
    f"transfers:{name}"
    for name in (
        "manifests", "new-manifest", "carrying", "approvals", "manifest", "edit-manifest", "revise-manifest",
        "manifest-pdf", "answer-revision", "settle-discrepancy", "act-on-manifest", "weighing", "weighed-loads",
        "weighed-load",
    )
) | frozenset(f"registry:{name}" for name in ("permits", "record-permit", "verify-permit", "revoke-permit", "end-paper"))  # fmt: skip


@pytest.fixture
def world(db, monkeypatch):
    made = worlds.build()
    monkeypatch.setattr("django.utils.timezone.now", lambda: made.now)
    return made


def client(user) -> Client:
    made = Client()
    made.force_login(user)
    return made


def at(route, organisation, **said) -> str:
    return reverse(
        route if ":" in route else f"transfers:{route}", kwargs={"uscc": organisation.uscc, **said}
    )


def draft_form(world, **said):
    return {
        "receiver": world.receiver.uscc, "carrier1": world.carrier.uscc, "version": "0", "uid": str(worlds.new_id()),
        "lines": "0", "scanned": "", **worlds.SAID, **said,
    }  # fmt: skip


def test_a_manifest_from_the_scanner_to_the_receivers_scale(world):
    world.drum("A"), world.drum("B")
    officer, driver, taker = client(world.officer), client(world.driver), client(world.taker)
    made = officer.post(at("new-manifest", world.generator), draft_form(world, scanned="A\nB\nA\n"))
    manifest = Manifest.objects.get()
    assert made.url == at("edit-manifest", world.generator, reference=manifest.uid)
    assert [line.said["hazards"] for line in queries.lines_of(manifest)] == [
        "T,I",
        "T,I",
    ]  # from the catalogue

    page = officer.get(made.url).content.decode()
    assert "容器 A" in page
    fixed = draft_form(world, version="1", lines="2", done="1")
    for n, code in enumerate("AB"):
        fixed |= {
            f"line{n}-lot": code, f"line{n}-stream": "F1", f"line{n}-store": "危废库", f"line{n}-tonnes": "0.2",
            f"line{n}-package_count": "1", f"line{n}-hazards": "T,I", f"line{n}-physical_form": "LIQUID",
            f"line{n}-packaging": "DRUM",
        }  # fmt: skip
    saved = officer.post(made.url, fixed)
    assert saved.status_code == 302, saved.content.decode()
    issued = officer.post(at("act-on-manifest", world.generator, reference=manifest.uid, act="issue"), ids())
    number = Manifest.objects.get().number
    assert issued.url == at("manifest", world.generator, reference=number)

    cards = driver.get(at("carrying", world.carrier)).content.decode()
    assert number in cards
    assert "起运" in cards
    to = at("act-on-manifest", world.carrier, reference=number, act="load")
    asked = driver.get(to).content.decode()
    assert "渝A12345" in asked
    assert "李师傅" in asked
    world.later(minutes=5)
    assert driver.post(to, ids(**worlds.DRIVE, vehicle_permit="渝运证1")).status_code == 302
    world.later(hours=2)
    assert (
        driver.post(at("act-on-manifest", world.carrier, reference=number, act="deliver"), ids()).status_code
        == 302
    )

    to = at("act-on-manifest", world.receiver, reference=number, act="accept")
    assert "移出 0.2 吨" in taker.get(to).content.decode()
    weighed = ids(**worlds.TAKEN)
    for n in (1, 2):
        weighed |= {f"line{n}-received": "0.2", f"line{n}-mode": "R9", f"line{n}-count": "1"}
    world.later(hours=1)
    done = taker.post(to, weighed)
    assert done.status_code == 302, done.content.decode()
    assert world.state(manifest) == "ACCEPTED"
    assert world.ledger.kinds()[-1] is Kind.CONTRACTED_UTILISATION


def ids(**said):
    return {"client_id": str(worlds.new_id()), **said}


def test_a_page_says_why_it_was_refused_and_nothing_was_done(world):
    DueDiligence.objects.all().delete()
    manifest = world.draft()
    to = at("act-on-manifest", world.generator, reference=manifest.uid, act="issue")
    response = client(world.officer).post(to, ids())
    assert response.status_code == 422
    assert "没有对接受人主体资格和技术能力的有效核实记录" in response.content.decode()
    assert world.state(manifest) == "DRAFT"


def test_an_old_draft_page_does_not_overwrite_a_newer_one(world):
    manifest = world.draft()
    to = at("edit-manifest", world.generator, reference=manifest.uid)
    first = draft_form(world, version="1", contact="李四", scanned="D001", uid=str(manifest.uid))
    assert client(world.officer).post(to, first).status_code == 302
    stale = client(world.officer).post(to, first | {"contact": "王二"})
    assert stale.status_code == 422
    assert "已被他人修改" in stale.content.decode()
    assert Manifest.objects.get().said["contact"] == "李四"


def test_a_line_that_is_struck_out_and_one_of_bulk(world):
    world.ledger.post("2026-06-20 F2 产生 1 吨 危废库 -")
    manifest = world.draft()
    form = draft_form(world, version="1", lines="2", **{"line0-lot": "D001", "line0-drop": "on"})
    form |= {"line1-stream": "F2", "line1-tonnes": "0.35", "line1-package_count": "1"}
    client(world.officer).post(at("edit-manifest", world.generator, reference=manifest.uid), form)
    [line] = queries.lines_of(manifest)
    assert (line.lot_code, line.stream.code, line.declared_g) == ("", "F2", 350_000)


def test_nobody_else_sees_a_manifest_and_a_worker_does_not_issue(world):
    manifest = world.issued()
    world.receive(world.delivered(), "100")
    answered = services.propose_revision(
        manifest=manifest, organisation=world.generator, by=world.officer, now=world.now, reason="错",
        changes=[services.Change(part=Part.MANIFEST, field="contact", to="李四")],
    )  # fmt: skip
    known = {
        "reference": manifest.number, "act": "cancel", "revision_id": answered.pk, "key": world.permit.pk,
        "discrepancy_id": Discrepancy.objects.get().pk, "what": "vehicle",
    }  # fmt: skip
    stranger = client(
        worlds.person("ENVIRONMENT_OFFICER", worlds.organisation(70, "路人", "ENTERPRISE"), "路人")
    )
    worker = client(worlds.person("WORKER", world.generator, "班组"))
    handled = {"new-manifest", "approvals", "edit-manifest", "revise-manifest", "answer-revision", "settle-discrepancy", "record-permit", "verify-permit", "revoke-permit", "end-paper"}  # fmt: skip
    posted = {"answer-revision", "settle-discrepancy", "verify-permit", "revoke-permit", "end-paper"}
    for route in sorted(ROUTES):
        name = route.split(":")[1]
        names = {
            "manifest": ["reference"], "edit-manifest": ["reference"], "revise-manifest": ["reference"],
            "manifest-pdf": ["reference"], "answer-revision": ["reference", "revision_id"],
            "settle-discrepancy": ["reference", "discrepancy_id"], "act-on-manifest": ["reference", "act"],
            "record-permit": ["what"], "verify-permit": ["key"], "revoke-permit": ["key"],
            "end-paper": ["what", "key"], "weighed-load": ["key"],
        }.get(name, [])  # fmt: skip
        if name == "weighed-load":  # of a receiver: see test_weighing.py
            continue
        address = at(route, world.generator, **{each: known[each] for each in names})
        ask = "post" if name in posted else "get"
        assert getattr(stranger, ask)(address).status_code == 404, route
        assert getattr(Client(), ask)(address).status_code == 302, route
        assert getattr(worker, ask)(address).status_code == (403 if name in handled else 200), route
    assert worker.post(at("act-on-manifest", world.generator, reference=manifest.number, act="cancel"), ids(reason="x")).status_code == 403  # fmt: skip
    assert world.state(manifest) == "ISSUED"


def test_a_draft_is_not_there_for_the_receiver(world):
    manifest = world.draft()
    assert client(world.taker).get(at("manifest", world.receiver, reference=manifest.uid)).status_code == 404
    assert str(manifest.uid) not in client(world.taker).get(at("manifests", world.receiver)).content.decode()


def test_one_manifest_shows_its_signatures_its_differences_and_what_is_open(world):
    manifest = world.receive(world.delivered(), "100")
    page = (
        client(world.officer).get(at("manifest", world.generator, reference=manifest.number)).content.decode()
    )
    for text in (
        "签发",
        "起运",
        "运抵",
        "已接受",
        "移出 0.2 吨，接收 0.1 吨",
        "李师傅",
        "自行填报，尚未经主管部门核实",
        "提出更正",
    ):
        assert text in page, text
    settled = client(world.officer).post(
        at("settle-discrepancy", world.generator, reference=manifest.number, discrepancy_id=Discrepancy.objects.get().pk),
        {"reason": "桶内分层"},
    )  # fmt: skip
    assert settled.status_code == 302
    page = client(world.officer).get(settled.url).content.decode()
    assert "已处理：" in page
    assert "桶内分层" in page


def test_who_goes_on_in_a_closed_generator_settles_its_differences_on_the_page(world):
    from wufei.registry.services import successions

    manifest = world.receive(world.delivered(), "100")
    heir = worlds.organisation(33, "承继公司", "ENTERPRISE")
    successions.record_succession(
        predecessor=world.generator, successor=heir, kind="MERGER", on=worlds.TODAY, document="文", now=world.now,
        by=worlds.person("AUTHORITY_OFFICER", worlds.organisation(34, "市局", "AUTHORITY", "500000"), "市局"),
    )  # fmt: skip
    person = client(worlds.person("ENVIRONMENT_OFFICER", heir, "承继人"))
    shown = person.get(at("manifest", heir, reference=manifest.number)).content.decode()
    to = at(
        "settle-discrepancy", heir, reference=manifest.number, discrepancy_id=Discrepancy.objects.get().pk
    )
    assert f'action="{to}"' in shown
    assert person.post(to, {"reason": "桶内分层"}).status_code == 302
    assert Discrepancy.objects.get().reason == "桶内分层"


def test_a_revision_is_proposed_by_one_and_agreed_to_by_the_other(world):
    manifest = world.issued()
    to = at("revise-manifest", world.generator, reference=manifest.number)
    page = client(world.officer).get(to).content.decode()
    assert "移出人经办人" in page
    assert "接受人经办人" not in page
    values = {f"manifest-0-{name}": value for name, value in worlds.SAID.items()}
    values |= {f"line-1-{name}": value for name, value in worlds.OF_A_LINE.items()} | {
        "line-1-package_count": "1"
    }
    said = client(world.officer).post(to, values | {"manifest-0-contact": "李四", "reason": "写错"})
    assert said.status_code == 302, said.content.decode()
    revision = Revision.objects.get()
    assert [change["field"] for change in revision.changes] == ["contact"]
    shown = (
        client(world.taker).get(at("manifest", world.receiver, reference=manifest.number)).content.decode()
    )
    assert "<del>张三</del> <ins>李四</ins>" in shown
    answer = at("answer-revision", world.receiver, reference=manifest.number, revision_id=revision.pk)
    assert client(world.taker).post(answer, {"agrees": "yes"}).status_code == 302
    assert Manifest.objects.get().said["contact"] == "李四"
    again = client(world.taker).post(answer, {"agrees": "no", "answer": "x"})
    assert again.status_code == 409
    assert "已经答复过" in again.content.decode()


def test_a_mass_is_corrected_on_the_page_in_tonnes_and_stands_on_the_paper(world):
    import pypdfium2

    manifest = world.receive(world.delivered(), "170")
    to = at("revise-manifest", world.receiver, reference=manifest.number)
    page = client(world.taker).get(to).content.decode()
    assert "第 1 行 接受量（吨）" in page
    assert 'value="0.17"' in page
    assert "移出量" not in page  # the generator's own
    form = {f"manifest-0-{name}": value for name, value in worlds.TAKEN.items()} | {"reason": "磅单抄错"}
    wrong = client(world.taker).post(to, form | {"line-1-received_g": "1,8"})
    assert wrong.status_code == 422
    tenfold = client(world.taker).post(to, form | {"line-1-received_g": "2"})
    assert (tenfold.status_code, "复磅" in tenfold.content.decode()) == (422, True)
    done = client(world.taker).post(to, form | {"line-1-received_g": "0.18"})
    assert done.status_code == 302, done.content.decode()
    shown = at("manifest", world.generator, reference=manifest.number)
    assert "<del>0.17 吨</del> <ins>0.18 吨</ins>" in client(world.officer).get(shown).content.decode()
    carrier = client(worlds.User.objects.get(username="调度"))
    seen = carrier.get(at("manifest", world.carrier, reference=manifest.number)).content.decode()
    assert 'name="agrees" value="yes"' not in seen  # a mass is agreed on by generator and receiver
    answer = at(
        "answer-revision", world.generator, reference=manifest.number, revision_id=Revision.objects.get().pk
    )
    world.later(minutes=1)
    assert client(world.officer).post(answer, {"agrees": "yes"}).status_code == 302
    assert world.received.holds("接收库").grams == 180_000
    content = client(world.taker).get(at("manifest-pdf", world.receiver, reference=manifest.number)).content
    text = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(content))
    for said in ("签署之后的更正", "0.17 吨", "0.18 吨", "磅单抄错", "−0.02"):
        assert said in text, said


def test_each_act_has_its_page(world):
    manifest = world.loaded()
    for act in Act:
        response = client(world.driver).get(
            at("act-on-manifest", world.carrier, reference=manifest.number, act=act.lower().replace("_", "-"))
        )
        assert response.status_code == 200
        is_possible = act in (Act.DELIVER, Act.STORE)
        assert ("不能这样办理" in response.content.decode()) != is_possible, act
    assert client(world.driver).get(
        at("act-on-manifest", world.carrier, reference=manifest.number, act="explode")
    ).status_code == 404  # fmt: skip


def test_the_list_is_filtered_and_exported(world):
    first, second = world.issued(), world.draft()
    officer = client(world.officer)
    everything = officer.get(at("manifests", world.generator)).content.decode()
    assert first.number in everything
    assert str(second.uid) in everything
    drafts = officer.get(at("manifests", world.generator) + "?state=DRAFT").content.decode()
    assert first.number not in drafts
    assert str(second.uid) in drafts
    content = officer.get(at("manifests", world.generator) + "?export=xlsx&q=D001").content
    rows = list(load_workbook(BytesIO(content)).active.iter_rows(values_only=True))
    assert [row[0] for row in rows] == ["联单编号", first.number]
    assert Decimal(str(rows[1][8])) == Decimal("0.2")


def test_the_list_takes_as_many_queries_for_one_as_for_thirty(world, django_assert_max_num_queries):
    officer = client(world.officer)
    world.issued()
    officer.get(at("manifests", world.generator))
    with django_assert_max_num_queries(40) as one:
        officer.get(at("manifests", world.generator))
    for _ in range(29):
        world.issued()
    with django_assert_max_num_queries(len(one.captured_queries)):
        page = officer.get(at("manifests", world.generator)).content.decode()
    assert page.count("20265001") >= 30


def test_what_is_overdue_and_what_is_open_stands_above_the_list(world):
    world.receive(world.delivered(), "100")
    world.delivered()
    world.later(days=10)
    page = client(world.officer).get(at("manifests", world.generator)).content.decode()
    assert "有 1 份联单运抵后超过五个工作日仍未确认" in page
    assert "待处理的接收差异" in page


# --- what crosses the border, permits and contracts


def test_approvals_are_recorded_and_show_what_is_left(world):
    said = {
        "receiver": world.receiver.uscc, "kind": "APPROVAL", "number": "渝环跨1号", "waste_code": worlds.OIL,
        "tonnes": "12.5", "valid_from": "2026-01-01", "valid_through": "2026-12-31",
    }  # fmt: skip
    to = at("approvals", world.generator)
    assert client(world.officer).post(to, said).status_code == 302
    assert TransferApproval.objects.get().approved_g == 12_500_000
    assert "12.5" in client(world.officer).get(to).content.decode()
    wrong = client(world.officer).post(to, said | {"number": "2", "valid_through": "2027-06-30"})
    assert (wrong.status_code, "不超过十二个月" in wrong.content.decode()) == (422, True)


@pytest.mark.parametrize(
    ("what", "said", "model"),
    [
        ("permit", {"kind": "COLLECTION", "number": "SJ1", "valid_from": "2026-01-01", "valid_through": "2028-12-31", "waste_codes": "HW08、900-041-49", "modes": "C1", "capacity": "3000"}, OperatingPermit),
        ("contract", {"purpose": "RECEIVING", "number": "HT9", "signed_on": "2026-01-01", "valid_through": "2026-12-31", "waste_codes": "HW08"}, Contract),
        ("due-diligence", {"checked_on": "2026-05-01", "valid_through": "2027-04-30", "qualification": "齐全", "capability": "具备", "is_passed": "on"}, DueDiligence),
        ("vehicle", {"plate": "渝B88888", "permit_number": "8", "valid_through": "2027-01-01"}, Vehicle),
    ],
)  # fmt: skip
def test_what_is_recorded_stands_on_the_page(world, what, said, model):
    before = model.objects.filter(organisation=world.generator).count()
    if what in ("contract", "due-diligence"):
        said = said | {"other": world.receiver.uscc}
    to = at("registry:record-permit", world.generator, what=what)
    assert client(world.officer).get(to).status_code == 200
    done = client(world.officer).post(to, said)
    assert done.status_code == 302, done.content.decode()
    assert model.objects.filter(organisation=world.generator).count() == before + 1
    page = client(world.officer).get(done.url).content.decode()
    assert str(said.get("number") or said.get("plate") or said["qualification"]) in page


def test_a_permit_page_says_what_is_wrong(world):
    to = at("registry:record-permit", world.generator, what="permit")
    said = {"kind": "COLLECTION", "number": "SJ1", "valid_from": "2026-01-01", "valid_through": "2028-12-31"}
    for more, text in (
        ({}, "请填写废物代码或类别和年经营能力"),
        ({"waste_codes": "HW99", "capacity": "1"}, "HW99"),
        ({"waste_codes": "HW08", "capacity": "0"}, "年经营能力应大于零"),
        ({"waste_codes": "HW08", "capacity": "1", "valid_through": "2025-01-01"}, "有效期的结束早于开始"),
    ):
        response = client(world.officer).post(to, said | more)
        assert (response.status_code, text in response.content.decode()) == (422, True), text
    assert not PermitGroup.objects.exclude(permit=world.permit).exists()


def test_an_authority_verifies_and_ends_a_permit(world):
    authority = worlds.organisation(71, "市局", "AUTHORITY", "500000")
    inspector = client(worlds.person("AUTHORITY_OFFICER", authority, "市局"))
    page = at("registry:permits", world.receiver)
    assert "自行填报，未核实" in inspector.get(page).content.decode()
    assert (
        client(world.taker)
        .post(at("registry:verify-permit", world.receiver, key=world.permit.pk))
        .status_code
        == 403
    )
    for _ in range(2):  # the same thing twice is done
        assert (
            inspector.post(at("registry:verify-permit", world.receiver, key=world.permit.pk)).status_code
            == 302
        )
    assert "未核实" not in inspector.get(page).content.decode()
    for _ in range(2):
        assert (
            inspector.post(at("registry:revoke-permit", world.receiver, key=world.permit.pk)).status_code
            == 302
        )
    world.permit.refresh_from_db()
    assert world.permit.revoked_on == date(2026, 7, 1)
    assert "已终止" in inspector.get(page).content.decode()


def test_a_contract_a_vehicle_and_a_driver_are_ended_today_and_hold_no_more(world):
    contract = Contract.objects.get(purpose="RECEIVING")
    vehicle, driver = Vehicle.objects.get(), Driver.objects.get()
    dispatcher = client(worlds.User.objects.get(username="调度"))
    waiting = world.issued()
    for who, of, what, row in (
        (client(world.officer), world.generator, "contract", contract),
        (dispatcher, world.carrier, "vehicle", vehicle), (dispatcher, world.carrier, "driver", driver),
    ):  # fmt: skip
        to = at("registry:end-paper", of, what=what, key=row.pk)
        for _ in range(2):  # the same thing twice is done
            assert who.post(to).status_code == 302
        row.refresh_from_db()
        assert row.ended_on == date(2026, 7, 1)
        assert "2026-07-01" in who.get(at("registry:permits", of)).content.decode()
        assert client(world.taker).post(to).status_code == 404
    assert dispatcher.post(at("registry:end-paper", world.carrier, what="permit", key=1)).status_code == 404
    lorry = at("act-on-manifest", world.carrier, reference=waiting.number, act="load")
    page = dispatcher.post(lorry, ids(**worlds.DRIVE, vehicle_permit="渝运证1")).content.decode()
    assert "没有与该单位的、有效且含该废物的书面合同" in page
    Contract.objects.update(ended_on=None)
    page = dispatcher.post(lorry, ids(**worlds.DRIVE, vehicle_permit="渝运证1")).content.decode()
    assert "承运人没有登记这辆车" in page
    assert "承运人没有登记这名驾驶员" in page


def test_what_is_registered_of_vehicle_and_driver_need_not_be_typed_again(world):
    manifest = world.issued()
    driver = client(worlds.User.objects.get(username="调度"))
    to = at("act-on-manifest", world.carrier, reference=manifest.number, act="load")
    named = {name: said for name, said in worlds.DRIVE.items() if name != "driver_phone"}

    refused = driver.post(to, ids(**named | {"plate": "渝C00000"}))
    assert refused.status_code == 422
    assert "营运证件号" in refused.content.decode()

    assert driver.post(to, ids(**named)).status_code == 302
    said = Leg.objects.get(manifest=manifest).said
    assert (said["vehicle_permit"], said["driver_phone"]) == ("渝运证1", "13800000001")


def test_a_vehicle_says_what_it_may_carry_and_more_than_that_is_flagged(world):
    dispatcher = client(worlds.User.objects.get(username="调度"))
    to = at("registry:record-permit", world.carrier, what="vehicle")
    said = {"plate": "渝A12345", "permit_number": "渝运证1", "valid_through": "2028-12-31"}
    assert dispatcher.post(to, said | {"load": "0"}).status_code == 422
    assert dispatcher.post(to, said | {"load": "0.3"}).status_code == 302
    assert "载质量 0.3 吨" in dispatcher.get(at("registry:permits", world.carrier)).content.decode()
    first, second = world.loaded(), world.loaded()
    assert not Flag.objects.filter(manifest=first, code="vehicle_overloaded").exists()
    assert (
        Flag.objects.get(manifest=second, code="vehicle_overloaded").detail
        == "渝A12345 核定 0.3 吨，装载 0.4 吨"
    )
    world.deliver(first), world.deliver(second)
    third = world.loaded()
    assert not Flag.objects.filter(manifest=third, code="vehicle_overloaded").exists()


def test_the_manifest_on_paper_says_what_the_page_says(world):
    import pypdfium2

    manifest = world.receive(world.delivered(), "195")
    content = client(world.taker).get(at("manifest-pdf", world.receiver, reference=manifest.number)).content
    pages = pypdfium2.PdfDocument(content)
    text = "".join(page.get_textpage().get_text_range() for page in pages)
    for said in (manifest.number, "危险废物转移联单", "綦江齿轮", "涪陵油品再生", "顺达运输", "渝A12345", "0.195", "−0.005",
                 "不是生态环境部另行制定的联单格式"):  # fmt: skip
        assert said in text, said


def test_a_weight_with_a_comma_is_refused_and_said_so(world):
    manifest = world.delivered()
    to = at("act-on-manifest", world.receiver, reference=manifest.number, act="accept")
    response = client(world.taker).post(
        to, ids(**worlds.TAKEN, **{"line1-received": "0,2", "line1-mode": "R9"})
    )
    assert response.status_code == 422
    assert "field-errors" in response.content.decode()
    assert world.state(manifest) == "DELIVERED"
