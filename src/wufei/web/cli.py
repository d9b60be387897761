"""
The command line: `wufei`. Each room brings its own commands; this file only finds them.

Exit codes: 0 success, 1 the answer is "no" or input was refused, 2 wrong use.
"""

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import click

from wufei.terms.arguments import why
from wufei.web.command_words import speak_chinese

speak_chinese()

# Which module has which command; a module is imported only when its command is asked for.
COMMANDS = {
    "catalogue": "wufei.catalogue.cli:catalogue",
    "workdays": "wufei.catalogue.cli:workdays",
    "template": "wufei.capture.cli:template",
    "import": "wufei.capture.cli:import_command",
    "verify": "wufei.ledger.cli:verify",
    "seal": "wufei.ledger.cli:seal",
    "manifest": "wufei.transfers.cli:manifest_group",
    "stock": "wufei.ledger.cli:stock",
    "ledger-book": "wufei.ledger.cli:ledger_book",
    "plan": "wufei.filings.cli:plan_command",
    "trace": "wufei.ledger.cli:trace",
    "label": "wufei.labels.cli:label",
    "indicators": "wufei.indicators.cli:indicators",
    "figure": "wufei.indicators.cli:figure",
    "evaluate": "wufei.policies.cli:evaluate",
    "editions": "wufei.policies.cli:editions",
    "case": "wufei.cases.cli:case",
    "register": "wufei.reviews.cli:register_group",
    "round": "wufei.reviews.cli:round_group",
    "draw": "wufei.reviews.cli:draw_command",
    "gateway": "wufei.tracking.cli.gateway:gateway",
    "scale": "wufei.shopfloor.cli.scales:scale",
    "backup": "wufei.web.backing_up:backup",
    "restore": "wufei.web.restoring:restore",
    "tracker": "wufei.tracking.cli.trackers:tracker",
    "serve": "wufei.web.serving:serve",
    "worker": "wufei.web.serving:worker",
    "demo": "wufei.demo.cli:demo",
}
# These look nothing up in the store, so they need neither Django nor a database.
STORELESS = {"catalogue", "workdays", "template"}
# It brings the store to the version of the backup first.
MIGRATES_ITSELF = {"restore"}


class Rooms(click.Group):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse what a terminal of another encoding sent: nothing here could keep or compare it."""
        for each in args:
            if not each.isprintable() and any(0xD800 <= ord(c) <= 0xDFFF for c in each):
                raise click.UsageError("参数里有不是 UTF-8 的字符；请检查终端的编码。")
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        _choose_data(ctx.params)
        if cmd_name not in STORELESS:
            _open_store(migrate=cmd_name not in MIGRATES_ITSELF)
        module, name = COMMANDS[cmd_name].split(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command), f"{COMMANDS[cmd_name]} is a command"
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a file that can't be read or written, or a broken edition, is said in words: 1."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except OSError as error:
            if error.filename is None:
                raise
            raise click.ClickException(f"“{error.filename}”不能读写：{why(error)}。") from error
        except Exception as failed:
            from wufei.policies.loading import BrokenEditions  # slow import

            if not isinstance(failed, BrokenEditions):
                raise
            click.echo("政策版本文件有错，须改正后再用：", err=True)
            for fault in failed.faults:
                click.echo(str(fault), err=True)
            sys.exit(1)


def _choose_data(said: dict[str, Any]) -> None:
    if said.get("data"):
        os.environ["WUFEI_DATA"] = str(Path(said["data"]).resolve())
    if said.get("editions"):
        os.environ["WUFEI_EDITIONS"] = os.pathsep.join(str(Path(p).resolve()) for p in said["editions"])


def _open_store(*, migrate: bool) -> None:
    """Start Django on the chosen data; refuse a store that could lose what it acknowledges."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wufei.web.settings")
    if os.environ.get("WUFEI_STORE_IS_OPEN"):  # in the tests, which bring their own
        return
    import django  # slow import

    django.setup()
    from wufei.ledger.queries import UnsafeStore, refuse_unsafe_store  # app ready
    from wufei.web.migrating import migrate_if_needed  # app ready

    try:
        refuse_unsafe_store()
    except UnsafeStore as unsafe:
        raise click.ClickException(str(unsafe)) from unsafe
    if migrate:
        migrate_if_needed()


@click.group(cls=Rooms, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--data", metavar="DIR", help="内嵌数据库和文件所在的文件夹（或环境变量 WUFEI_DATA）。")
@click.option("--editions", metavar="DIR", multiple=True, help="再加一个政策版本文件夹，可重复。")
@click.version_option(package_name="wufei")
def main(**_: Any) -> None:
    """无废 Wufei：从磅单到公布的每一个数，来去都查得到。"""


if __name__ == "__main__":
    sys.exit(main())
