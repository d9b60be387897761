"""Does the database keep what it acknowledges?"""

from django.db import connection


class UnsafeStore(Exception):
    """The database could lose an acknowledged movement; the message says which setting."""


def durability_faults(settings: dict[str, str]) -> list[str]:
    """
    Return which settings of the database could lose what was acknowledged.

    >>> durability_faults({"synchronous": "1", "journal_mode": "wal"})
    ['synchronous=1']
    """
    safe = {
        "synchronous": {"2", "3"},  # FULL, EXTRA
        "journal_mode": {"wal", "delete", "truncate", "persist"},
        "fsync": {"on"},
        "synchronous_commit": {"on", "local", "remote_apply", "remote_write"},
        "full_page_writes": {"on"},
    }
    return [f"{name}={value}" for name, value in settings.items() if value.lower() not in safe[name]]


def store_settings() -> dict[str, str]:
    """Return the settings of the connected database on which durability rests."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "SELECT s.synchronous, j.journal_mode FROM pragma_synchronous s, pragma_journal_mode j"
            )
            synchronous, journal_mode = cursor.fetchone()
            return {"synchronous": str(synchronous), "journal_mode": journal_mode}
        names = ("fsync", "synchronous_commit", "full_page_writes")
        cursor.execute("SELECT " + ", ".join(f"current_setting('{name}')" for name in names))
        return dict(zip(names, cursor.fetchone(), strict=True))


def refuse_unsafe_store() -> None:
    """
    Let the program go on only where the database keeps what it acknowledges.

    :raises UnsafeStore: naming the settings to change
    """
    if faults := durability_faults(store_settings()):
        raise UnsafeStore(
            "数据库的设置可能在断电时丢失已确认的记录，拒绝启动："
            + "，".join(faults)
            + "。请改为 SQLite synchronous=FULL，或 PostgreSQL fsync=on、full_page_writes=on、synchronous_commit=on。"
        )
