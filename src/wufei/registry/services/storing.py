"""Where files are kept: under the hash of their content, so that the same content is kept once."""

import hashlib

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage


def store(*, folder: str, content: bytes, kind: str) -> str:
    """Keep the content in the folder, unless it is there; return its path."""
    path = f"{folder}/{hashlib.sha256(content).hexdigest()}.{kind}"
    if default_storage.exists(path):
        return path
    return str(default_storage.save(path, ContentFile(content)))


def stored_content(path: str) -> bytes:
    """Return what is kept at the path."""
    with default_storage.open(path, "rb") as kept:
        return bytes(kept.read())
