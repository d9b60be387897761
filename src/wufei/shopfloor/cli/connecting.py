"""How our commands reach the broker: its address from the option or the settings, one session that lasts."""

from typing import Any

import click
import paho.mqtt.client as mqtt
from django.conf import settings
from paho.mqtt.enums import CallbackAPIVersion

from wufei.shopfloor.broker import Address, AddressMalformed, address_of

KEEPALIVE_SECONDS = 20
SHORTEST_WAIT, LONGEST_WAIT = 1, 15  # seconds between two tries to connect


def chosen(said: str | None) -> Address:
    """Return the broker's address; the command ends with 2 where there is none."""
    text = said or settings.BROKER
    if not text:
        raise click.UsageError("没有写 MQTT 服务器：用 --broker HOST:PORT，或设环境变量 WUFEI_BROKER。")
    try:
        return address_of(text)
    except AddressMalformed:
        example = "mqtt://用户:密码@主机:1883、mqtts://…:8883 或 主机:端口"
        raise click.UsageError(f"MQTT 服务器的地址不对；应为 {example}。") from None


def client_for(address: Address, *, name: str, lasts: bool, **more: Any) -> mqtt.Client:
    """Return a client that isn't connected yet; `lasts`: the broker keeps what comes while it is away."""
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id=name, clean_session=not lasts, protocol=mqtt.MQTTv311, **more
    )
    if address.user:
        client.username_pw_set(address.user, address.password)
    if address.has_tls:
        client.tls_set(ca_certs=settings.BROKER_CA or None)
    client.reconnect_delay_set(SHORTEST_WAIT, LONGEST_WAIT)
    client.connect_async(address.host, address.port, KEEPALIVE_SECONDS)
    return client
