"""`wufei serve`: the site and the worker of the long jobs, until they are stopped."""

import os
import signal
import subprocess
import sys

import click


@click.command()
@click.option("--port", default=8000, show_default=True, help="端口。")
@click.option("--host", default="127.0.0.1", show_default=True, help="监听地址。")
@click.option("--workers", default=2, show_default=True, help="进程数。")
def serve(port: int, host: str, workers: int) -> None:
    """启动网站（gunicorn）和后台作业进程；Ctrl-C 停止。"""
    from django.core.management import call_command  # app ready

    call_command("collectstatic", verbosity=0, interactive=False)
    click.echo(f"无废已启动：http://{host}:{port}/ （Ctrl-C 停止）")
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
        running[0].wait()
    except KeyboardInterrupt:
        click.echo("正在停止……")
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            process.wait(timeout=30)
    sys.exit(0 if running[0].returncode in (0, -signal.SIGTERM, -signal.SIGINT) else 1)
