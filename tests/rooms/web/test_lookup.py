"""Waste codes, industries and divisions are found by code, name and pinyin initials, with their edition."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(make_user, organisation):
    client = Client()
    client.force_login(make_user("WORKER", organisation))

    def ask(**said: str) -> str:
        answer = client.get("/lookup/", said)
        assert answer.status_code == 200
        return answer.content.decode()

    return ask


@pytest.mark.parametrize("text", ["SW02", "粉煤灰", "fmh"])
def test_a_waste_is_found_by_code_by_name_and_by_initials(page, text):
    shown = page(q=text)
    assert "SW02" in shown
    assert "粉煤灰" in shown
    assert "未核对" in shown


def test_a_hazardous_code_shows_its_edition_and_its_exemptions(page):
    shown = page(q="900-249-08")
    assert "2021年版" in shown
    assert "2025年版尚未导入" in shown


def test_an_industry_narrows_wastes(page):
    shown = page(industry="321", kind="waste")
    assert "321-026-48" in shown
    assert "900-214-08" not in shown


def test_verified_and_unverified_never_stand_beside_each_other(page):
    shown = page(q="900-249-08")
    assert "未核对" in shown
    assert "已核对" not in shown


def test_a_class_of_industry_is_answered_with_the_groups_that_are_near(page):
    shown = page(q="火力发电", kind="industry")
    assert "没有小类" in shown
    assert "?q=441&amp;kind=industry" in shown


def test_nothing_found_says_how_to_ask(page):
    assert "换一个写法" in page(q="没有这样的东西")
    assert "查危险废物名录" in page()


def test_what_was_typed_is_shown_as_text(page):
    assert "<script>alert" not in page(q="<script>alert(1)</script>")


def test_an_exemption_is_shown_with_its_stage_and_condition(page):
    shown = page(q="900-003-04")
    assert "豁免清单第" in shown
