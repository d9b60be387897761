"""No code of a refusal is without Chinese words."""

from wufei.labels import digital_id, payload
from wufei.labels.refusals import Code
from wufei.labels.wording import DIGITAL_ID_TEXT, PAYLOAD_TEXT, REFUSAL_TEXT


def test_every_refusal_has_its_sentence():
    for codes, texts in (
        (Code, REFUSAL_TEXT),
        (digital_id.Fault, DIGITAL_ID_TEXT),
        (payload.Fault, PAYLOAD_TEXT),
    ):
        assert set(texts) == set(codes)
        assert all(text.endswith("。") for text in texts.values())
