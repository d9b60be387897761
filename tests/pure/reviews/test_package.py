"""A package that passes from one level to the next is whole and unchanged, or it is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wufei.reviews import package
from wufei.reviews.package import PackageBroken, new_key, seal, unseal

PRIVATE, PUBLIC = new_key()
TRUSTED = frozenset({PUBLIC})
MANIFEST = {"edition": "miit-2025-539-park", "applications": [{"code": "2026-001-00001", "名称": "示范园区"}]}
FILES = {"cases/00001/申报书.docx": b"PK docx", "cases/00001/provenance.json": b"{}"}
SEALED = seal(manifest=MANIFEST, files=FILES, private_key=PRIVATE)


def test_what_was_sealed_comes_out_again():
    opened = unseal(SEALED, trusted=TRUSTED)

    assert dict(opened.files) == FILES
    assert {key: opened.manifest[key] for key in MANIFEST} == MANIFEST
    assert opened.public_key == PUBLIC


def test_the_same_content_makes_the_same_bytes():
    assert seal(manifest=MANIFEST, files=dict(reversed(FILES.items())), private_key=PRIVATE) == SEALED


def test_every_single_changed_byte_is_refused():
    for place in range(len(SEALED)):
        changed = bytearray(SEALED)
        changed[place] ^= 0x01
        with pytest.raises(PackageBroken):
            unseal(bytes(changed), trusted=TRUSTED)


@given(where=st.integers(0, len(SEALED)), what=st.binary(min_size=1, max_size=8))
def test_whatever_is_put_in_or_cut_off_is_refused(where, what):
    for changed in (SEALED[:where] + what + SEALED[where:], SEALED[:where]):
        if changed != SEALED:
            with pytest.raises(PackageBroken):
                unseal(changed, trusted=TRUSTED)


@pytest.mark.parametrize(
    ("key", "signature"),
    [
        ("\\ud800", "zz"), (PUBLIC, "\\ud800"), (PUBLIC, "zz"), (PUBLIC[:-1], "0" * 128), (PUBLIC.upper(), "0" * 128),
        ("a" * 64, "0" * 127),
    ],
    ids=("surrogates", "no hex", "no hex signed", "short key", "capitals", "short signature"),  # keys are made anew
)  # fmt: skip
def test_a_header_with_anything_but_hex_is_refused_before_it_is_compared(key, signature):
    line = f'{{"algorithm":"Ed25519","key":"{key}","signature":"{signature}"}}\n'

    with pytest.raises(PackageBroken) as why:
        unseal(package.FORMAT + line.encode() + b"x", trusted=TRUSTED | {key})

    assert why.value.code == "signature_malformed"


def test_a_stranger_s_key_is_refused_though_its_signature_holds():
    other, _ = new_key()

    with pytest.raises(PackageBroken) as why:
        unseal(seal(manifest=MANIFEST, files=FILES, private_key=other), trusted=TRUSTED)

    assert why.value.code == "key_not_trusted"


def test_without_the_check_of_the_signature_a_changed_byte_would_pass(monkeypatch):
    """The control: what refuses is the signature, not luck."""

    class Careless:
        @staticmethod
        def from_public_bytes(_):
            return Careless()

        def verify(self, *_):
            return None

    monkeypatch.setattr(package, "Ed25519PublicKey", Careless)
    theirs, their_public = new_key()
    forged = seal(manifest=MANIFEST | {"applications": []}, files=FILES, private_key=theirs)
    swapped = forged.replace(their_public.encode(), PUBLIC.encode())

    assert unseal(swapped, trusted=TRUSTED).manifest["applications"] == []
