"""What exactly was signed? The content of a manifest as one text, and its hash."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def canonical(document: Mapping[str, Any]) -> str:
    """Return the document as text that is the same wherever it is made: sorted keys, no spaces."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def content_hash(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the canonical text: what a signature is put under."""
    return hashlib.sha256(canonical(document).encode()).hexdigest()
