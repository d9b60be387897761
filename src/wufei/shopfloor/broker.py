"""Where is the MQTT broker, and under which topics do scales speak? Pure."""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

PLAIN_PORT, TLS_PORT = 1883, 8883
READINGS = "wufei/scales/+/readings"


class AddressMalformed(ValueError):
    """The text is no address of a broker."""


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int
    has_tls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)


def address_of(text: str) -> Address:
    """
    Read an address: HOST, HOST:PORT, mqtt://user:password@host:1883 or mqtts://… for TLS.

    >>> address_of("localhost:1884")
    Address(host='localhost', port=1884, has_tls=False, user='')
    >>> address_of("mqtts://floor:p%40ss@broker.example")
    Address(host='broker.example', port=8883, has_tls=True, user='floor')

    :raises AddressMalformed: if it is none
    """
    said = text if "://" in text else f"mqtt://{text}"
    try:
        parts = urlsplit(said)
        port = parts.port
    except ValueError:
        raise AddressMalformed(text) from None
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.path not in ("", "/"):
        raise AddressMalformed(text)
    has_tls = parts.scheme == "mqtts"
    return Address(
        parts.hostname, port or (TLS_PORT if has_tls else PLAIN_PORT), has_tls,
        unquote(parts.username or ""), unquote(parts.password or ""),
    )  # fmt: skip


def readings_topic(scale: str) -> str:
    return READINGS.replace("+", scale)


def answers_topic(scale: str) -> str:
    return f"wufei/scales/{scale}/answers"


def scale_of(topic: str) -> str:
    """
    Return the scale that a topic of readings is of.

    >>> scale_of("wufei/scales/C2/readings")
    'C2'
    """
    return topic.split("/")[2]
