"""`wufei serve`: the site, the worker of the long jobs, and who watches the vehicles, until they are stopped."""

import errno
import hashlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable

import click

READY_SECONDS = 60
AWAY_SECONDS = 1
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


@click.command()
@click.option("--json", "as_json", is_flag=True, help="每件事输出一行 JSON。")
def worker(as_json: bool) -> None:
    """运行后台作业（导入、批量办理、发邮件），直到停止；数据库不可用时等它回来。wufei serve 自带一个。"""
    from django.db import InterfaceError, OperationalError, connection  # app ready
    from django_tasks_db.management.commands.db_worker import Worker

    _refuse_broken_editions()
    running = Worker(
        queue_names=["default"], interval=0.5, batch=False, backend_name="default", startup_delay=False,
        max_tasks=None, worker_id=secrets.token_hex(16), excluded_queue_names=[],
    )  # fmt: skip
    running.configure_signals()
    _say(as_json, "ready", "后台作业已启动（Ctrl-C 停止）。")
    while running.running:
        try:
            running.run()
        except (OperationalError, InterfaceError) as away:
            connection.close()
            reason = str(away).partition("\n")[0]
            _say(as_json, "database_away", f"数据库不可用，稍后再试：{reason}", reason=reason)
            time.sleep(AWAY_SECONDS)


def _say(as_json: bool, event: str, words: str, **more: str) -> None:
    said = json.dumps({"event": event, **more}, ensure_ascii=False) if as_json else words
    click.echo(said, err=not as_json)  # beside a site, whose output may be one line of JSON


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
    _refuse_broken_editions()
    refuse_taken_port(port=port, host=host)
    _collect_static()
    web = [
        sys.executable, "-m", "gunicorn", "wufei.web.wsgi:application", "--bind", f"{host}:{port}",
        "--workers", str(workers), "--threads", "4", "--log-level", "warning", "--timeout", "120",
        # Loaded once, before the port is open, and forked: who connects is answered at once.
        "--preload",
        # More than our largest upload takes; nothing is read that is larger than the rooms allow.
        "--worker-tmp-dir", "/dev/shm" if os.path.isdir("/dev/shm") else "/tmp",  # noqa: S108
    ]  # fmt: skip
    jobs = [sys.executable, "-m", "wufei.web.cli", "worker"]
    watch = [
        sys.executable,
        "-m",
        "wufei.web.cli",
        "tracker",
        "watch",
    ]  # a silent vehicle says nothing itself
    environment = {"DJANGO_SETTINGS_MODULE": "wufei.web.settings"} | os.environ
    running = [subprocess.Popen(web, env=environment)]
    # Whoever stops us with SIGTERM, as a service manager does, stops both of them too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        is_ready = _is_ready(running[0], port=port, host=host)
        # After the site, which people wait for: starting all at once takes all longer.
        running += [subprocess.Popen(command, env=environment) for command in (jobs, watch)]
        if is_ready:
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


def _refuse_broken_editions() -> None:
    """
    Read the editions once: who starts with sound ones goes on with them when a file is broken later.

    :raises BrokenEditions: if a file is no sound edition now
    """
    from wufei.policies.queries import known_editions  # app ready

    known_editions()


def _collect_static() -> None:
    """Collect scripts, styles and pictures where any changed since; else a start would wait for it each time."""
    from django.conf import settings  # app ready
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    made = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            found = os.stat(storage.path(name))
            made.update(f"{name} {found.st_mtime_ns} {found.st_size}\n".encode())
    kept, said = settings.DATA / "static-collected", made.hexdigest()
    if kept.exists() and kept.read_text() == said and any(settings.STATIC_ROOT.iterdir()):
        return
    call_command("collectstatic", verbosity=0, interactive=False)
    kept.write_text(said)


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
