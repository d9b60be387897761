"""`wufei serve`: the site and the worker of the long jobs, until they are stopped."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable

import click

READY_SECONDS = 60
OTHER_PORT = "换一个端口，如 --port 8765（make demo 写 make demo PORT=8765）。"
WHY_NOT = {
    errno.EADDRINUSE: f"端口已被别的程序占用。请停掉那个程序，或{OTHER_PORT}",
    errno.EACCES: f"没有使用这个端口的权限。请{OTHER_PORT}",
}


@click.command()
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="端口。")
@click.option("--host", default="127.0.0.1", show_default=True, help="监听地址。")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="进程数。")
@click.option("--json", "as_json", is_flag=True, help="启动后输出一行 JSON（网址），直到停止不再输出。")
def serve(port: int, host: str, workers: int, as_json: bool) -> None:
    """启动网站（gunicorn）和后台作业进程；Ctrl-C 停止。"""
    run(port=port, host=host, workers=workers, on_ready=lambda address: _tell(address, as_json))


def _tell(address: str, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"address": address}, ensure_ascii=False))
    else:
        click.echo(started(address))


def started(address: str) -> str:
    return f"无废已启动：{address} （Ctrl-C 停止）"


def refuse_taken_port(*, port: int, host: str) -> None:
    """Exit with 1 where nobody can listen there, before anything is begun."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        with socket.socket(found[0][0], socket.SOCK_STREAM) as tried:
            # As gunicorn does it: a port that was left a moment ago is free.
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(found[0][4])
    except OSError as refused:
        why = WHY_NOT.get(refused.errno or 0, "这个地址不可用，请检查 --host。")
        click.echo(f"不能在 {host}:{port} 上启动网站：{why}", err=True)
        sys.exit(1)


def run(*, port: int, host: str, workers: int, on_ready: Callable[[str], None]) -> None:
    """Serve until stopped; `on_ready` is called with the address once the site answers."""
    from django.core.management import call_command  # app ready

    refuse_taken_port(port=port, host=host)
    call_command("collectstatic", verbosity=0, interactive=False)
    web = [
        sys.executable, "-m", "gunicorn", "wufei.web.wsgi:application", "--bind", f"{host}:{port}",
        "--workers", str(workers), "--threads", "4", "--log-level", "warning", "--timeout", "120",
        # More than our largest upload takes; nothing is read that is larger than the rooms allow.
        "--worker-tmp-dir", "/dev/shm" if os.path.isdir("/dev/shm") else "/tmp",  # noqa: S108
    ]  # fmt: skip
    jobs = [sys.executable, "-m", "django", "db_worker", "--interval", "0.5"]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "wufei.web.settings"}
    running = [subprocess.Popen(web, env=environment), subprocess.Popen(jobs, env=environment)]
    # Whoever stops us with SIGTERM, as a service manager does, stops both of them too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if _is_ready(running[0], port=port, host=host):
            on_ready(f"http://{host}:{port}/")
        running[0].wait()
    except KeyboardInterrupt:
        click.echo("正在停止……", err=True)
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            process.wait(timeout=30)
    sys.exit(0 if running[0].returncode in (0, -signal.SIGTERM, -signal.SIGINT) else 1)


def _is_ready(site: subprocess.Popen[bytes], *, port: int, host: str) -> bool:
    """Wait until the site takes connections; False where it ends or stays silent."""
    reached_by = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 read, not bound
    until = time.monotonic() + READY_SECONDS
    while site.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection((reached_by, port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return True
    click.echo("网站没有启动；原因见上面的输出。", err=True)
    return False
