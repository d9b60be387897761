"""
Is this package from whom it says it is, whole and unchanged?

What one level's round sends to the next: one line that names the format, one line with the signature, then a
zip archive with `manifest.json` and the files that it lists. The Ed25519 signature covers every byte of the
archive and the line itself can be written in one way only, so a changed byte anywhere is refused; nothing of
the archive is looked into before its signature holds and its key is trusted.
"""

import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

FORMAT = b"WUFEI-PACKAGE 1\n"
MANIFEST = "manifest.json"
MAX_BYTES = 500 * 1024 * 1024
MAX_HEADER = 1000
_KEY = re.compile("[0-9a-f]{64}")
_SIGNATURE = re.compile("[0-9a-f]{128}")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same content makes the same bytes


class PackageBroken(Exception):
    """The package is not taken; `code` says why."""

    def __init__(self, code: str, detail: str = ""):
        # not_a_package, too_large, signature_malformed, key_not_trusted, signature_wrong, content_malformed,
        # manifest_malformed, nothing_in_it
        self.code = code
        self.detail = detail
        super().__init__(f"{code} {detail}".strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    manifest: Mapping[str, Any]
    files: Mapping[str, bytes]  # by path, as the manifest lists them
    public_key: str  # hex
    sha256: str  # of the whole package


def new_key() -> tuple[str, str]:
    """Return a fresh private and public key, in hex."""
    made = Ed25519PrivateKey.generate()
    return made.private_bytes_raw().hex(), made.public_key().public_bytes_raw().hex()


def seal(*, manifest: Mapping[str, Any], files: Mapping[str, bytes], private_key: str) -> bytes:
    """Return the package, signed. `manifest` must not have the key `files`: it is written here."""
    assert "files" not in manifest, "the list of files is made here"
    listed = {
        path: {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body)} for path, body in files.items()
    }
    archive = _archive({MANIFEST: canonical({**manifest, "files": listed}), **files})
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private_key))
    public = key.public_key().public_bytes_raw().hex()
    return FORMAT + _header(public, key.sign(FORMAT + archive).hex()) + archive


def unseal(package: bytes, *, trusted: frozenset[str]) -> Opened:
    """
    Return what is in the package.

    :raises PackageBroken: if a byte was changed, or the key is none of the trusted ones
    """
    if len(package) > MAX_BYTES:
        raise PackageBroken("too_large")
    if not package.startswith(FORMAT):
        raise PackageBroken("not_a_package")
    head, _, archive = package[len(FORMAT) :].partition(b"\n")
    public, signature = _read_header(head + b"\n")
    if public not in trusted:
        raise PackageBroken("key_not_trusted", public)
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(
            bytes.fromhex(signature), FORMAT + archive
        )
    except (InvalidSignature, ValueError) as error:
        raise PackageBroken("signature_wrong") from error
    manifest, files = _content(archive)
    return Opened(
        manifest=manifest, files=files, public_key=public, sha256=hashlib.sha256(package).hexdigest()
    )


def canonical(value: Any) -> bytes:
    """Return the one way in which a value is written as JSON."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _header(public: str, signature: str) -> bytes:
    return canonical({"algorithm": "Ed25519", "key": public, "signature": signature}) + b"\n"


def _read_header(line: bytes) -> tuple[str, str]:
    try:
        said = json.loads(line) if len(line) <= MAX_HEADER else {}
        public, signature = said["key"], said["signature"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise PackageBroken("signature_malformed") from error
    if not (isinstance(public, str) and isinstance(signature, str)):
        raise PackageBroken("signature_malformed")
    # Before anything is compared: what a stranger wrote there may not even be writable as bytes.
    if not _KEY.fullmatch(public) or not _SIGNATURE.fullmatch(signature):
        raise PackageBroken("signature_malformed")
    if line != _header(public, signature):
        raise PackageBroken("signature_malformed")
    return public, signature


def _archive(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            archive.writestr(zipfile.ZipInfo(path, _EPOCH), files[path], zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _content(archive: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            if sum(entry.file_size for entry in opened.infolist()) > MAX_BYTES:
                raise PackageBroken("too_large")
            bodies = {name: opened.read(name) for name in opened.namelist()}
        manifest = json.loads(bodies.pop(MANIFEST))
        listed = manifest["files"]
        hashes = {path: hashlib.sha256(body).hexdigest() for path, body in bodies.items()}
        if hashes != {path: each["sha256"] for path, each in listed.items()}:
            raise PackageBroken("content_malformed", "files differ from the list")
    except (
        zipfile.BadZipFile,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RuntimeError,
        EOFError,
        zlib.error,
    ) as error:
        raise PackageBroken("content_malformed") from error
    return manifest, bodies
