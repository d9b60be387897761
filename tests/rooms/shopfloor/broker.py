"""A real broker, Mosquitto, on a port of the test's own: started, killed, started again on what it kept."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def mosquitto() -> str:
    if found := shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
        return found
    if os.environ.get("CI") == "true":
        pytest.fail("CI 上没有 mosquitto：tools/install_test_system 没有装上")
    pytest.skip("本机没有 mosquitto，MQTT 测试跳过！请装 mosquitto 后重跑")


class Broker:
    def __init__(self, folder: Path, *, user: str = "", password: str = ""):
        self.port, self.folder, self.program = free_port(), folder, mosquitto()
        folder.mkdir(exist_ok=True)
        lines = [
            f"listener {self.port} 127.0.0.1", "persistence true", f"persistence_location {folder}/",
            "autosave_interval 1", "autosave_on_changes true", f"user {os.environ.get('USER') or 'root'}",
            f"allow_anonymous {'false' if user else 'true'}",
        ]  # fmt: skip
        if user:
            shutil.copy("/dev/null", folder / "people")
            tool = shutil.which("mosquitto_passwd", path=f"{os.environ.get('PATH', '')}:/usr/bin")
            assert tool, "it comes with the broker"
            subprocess.run([tool, "-b", str(folder / "people"), user, password], check=True)
            lines.append(f"password_file {folder}/people")
        self.settings = folder / "mosquitto.conf"
        self.settings.write_text("\n".join(lines) + "\n")
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> "Broker":
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, "-c", str(self.settings)], stdout=log, stderr=subprocess.STDOUT
            )
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert self.process.poll() is None, (self.folder / "log").read_text()
                time.sleep(0.05)
            else:
                return self
        raise AssertionError("the broker doesn't listen")

    def kill(self) -> None:
        """End it without warning."""
        assert self.process is not None, "it was started"
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
