"""Did this device say so? HMAC-SHA256 over the message's canonical text, with a secret of each device's own."""

import hashlib
import hmac
import secrets
from typing import Protocol
from uuid import UUID, uuid5

# Whatever a scale's reading is posted as, it is posted once: its client id follows from scale and number.
READINGS = UUID("5f0c9a52-6b1e-4b57-9d3a-7c2f4e0d8b61")
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that is taken for another
CODE_LETTERS = 8


class Said(Protocol):
    """What a device signs: a reading of a scale, the positions of a vehicle."""

    def canonical(self) -> str: ...


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def new_code(letter: str = "C") -> str:
    """Return a code that no other device of the kind has, as likely as not to be guessed as 1 in 10¹²."""
    return letter + "".join(secrets.choice(_LETTERS) for _ in range(CODE_LETTERS))


def signature(message: Said, secret: str) -> str:
    """
    Return the signature in hexadecimal.

    >>> from wufei.shopfloor.reading import Message
    >>> said = Message(scale="S1", sequence=7, gross=12, tare=0, net="12.0", unit="kg", stable=True,
    ...     taken_at="2026-07-01T10:00:00+08:00")
    >>> signature(said, "secret")[:16]
    '3387ea299ab20e91'
    """
    return hmac.new(secret.encode(), message.canonical().encode(), hashlib.sha256).hexdigest()


def is_signed(message: Said, secret: str, given: str) -> bool:
    return hmac.compare_digest(signature(message, secret).encode(), given.lower().encode())


def digest(message: Said) -> str:
    """Return what tells one content from another under the same sequence number."""
    return hashlib.sha256(message.canonical().encode()).hexdigest()


def client_id(scale: str, sequence: int) -> UUID:
    return uuid5(READINGS, f"{scale}:{sequence}")
