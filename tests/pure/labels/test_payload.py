"""What the QR code says is read back, and nothing else passes for it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pure.labels.test_digital_id import WHOLE, ids, usccs
from wufei.labels.digital_id import DigitalIdRefused
from wufei.labels.payload import Fault, Payload, PayloadRefused, read_payload

rest = {
    "lot": st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=80).map(str.strip),
    "mass_g": st.none() | st.integers(0, 10**14),
    "volume_ml": st.none() | st.integers(1, 10**9),
}
hazardous = st.builds(
    lambda number, **said: Payload(
        digital_id=number, uscc=number.uscc, waste_code=number.waste_code, on=number.on, **said
    ),
    ids,
    hazards=st.lists(st.sampled_from(["T", "C", "I", "R", "In"]), unique=True).map(tuple),
    **rest,
)
general = st.builds(
    lambda uscc, **said: Payload(digital_id=None, uscc=uscc, **said),
    usccs,
    waste_code=st.sampled_from(["900-001-S17", "SW02"]),
    on=st.none() | st.dates(date(2000, 1, 1), date(2199, 12, 31)),
    **rest,
)


@given(hazardous | general)
def test_what_a_code_says_is_read_back(payload: Payload):
    said = str(payload)
    assert said.isascii()
    assert read_payload(f" {said}\r\n") == payload


@given(hazardous | general, st.data())
def test_a_torn_or_misread_code_is_noticed(payload: Payload, data):
    said = str(payload)
    cut = data.draw(st.integers(4, len(said) - 1))
    with pytest.raises(PayloadRefused) as refused:
        read_payload(said[:cut])
    assert refused.value.fault is Fault.PAYLOAD_TORN
    at = data.draw(st.integers(4, len(said) - 1))
    other = data.draw(st.sampled_from("0123456789ABCDEF/%"))
    if other != said[at]:
        with pytest.raises((PayloadRefused, DigitalIdRefused)):
            read_payload(said[:at] + other + said[at + 1 :])


def test_a_bare_number_is_read_too():
    read = read_payload(WHOLE)
    assert (str(read.digital_id), read.waste_code, read.on) == (WHOLE, "900-249-08", date(2026, 7, 1))


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("https://gfmh.meescc.cn/solidPortal/#/?id=1", Fault.PAYLOAD_OF_ANOTHER_SYSTEM),
        ("weixin://dl/business", Fault.PAYLOAD_OF_ANOTHER_SYSTEM),
        ("WF2/H/1", Fault.PAYLOAD_VERSION_UNKNOWN),
        ("WF1", Fault.PAYLOAD_TORN),
        ("WF1/H/91110000600037341L", Fault.PAYLOAD_TORN),
    ],
)
def test_a_code_of_another_system_is_refused_with_the_reason(said: str, fault: Fault):
    with pytest.raises(PayloadRefused) as refused:
        read_payload(said)
    assert refused.value.fault is fault


def test_the_check_is_over_everything_that_is_said():
    """The control: with its own check a changed code would pass."""
    import zlib

    said = str(Payload(digital_id=None, uscc="91110000600037341L", waste_code="SW02", mass_g=1000))
    changed = said.rpartition("/")[0].replace("/1000/", "/9000/")
    assert read_payload(f"{changed}/{zlib.crc32(changed.encode()):08X}").mass_g == 9000
