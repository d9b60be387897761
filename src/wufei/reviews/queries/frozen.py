"""
What reads single things out of frozen contents, in the database itself.

A content is many kilobytes; of twenty thousand of them only a figure or a title is wanted.
"""

import json
from typing import Any

from django.db.models import Expression, F, Func, JSONField, TextField
from django.db.models.sql.compiler import SQLCompiler

CONTENT = "submission__content"
IN_SQLITE = """
    (SELECT json_extract(n.value, '$.value') FROM json_each({content}, '$.numbers') n
    WHERE json_extract(n.value, '$.indicator') = %s AND json_extract(n.value, '$.year') = {year}
      AND json_extract(n.value, '$.stream') IS NULL AND json_extract(n.value, '$.dimension') IS NULL LIMIT 1)"""
IN_POSTGRESQL = """
    jsonb_path_query_first({content}, %s::jsonpath, jsonb_build_object('i', %s::text, 'y', {year})) #>> '{{}}'"""
PATH = (
    "$.numbers[*] ? (@.indicator == $i && @.year == $y && (!exists(@.stream) || @.stream == null) "
    "&& (!exists(@.dimension) || @.dimension == null)).value"
)


class TextsOf(Func):
    """The texts of these names as a JSON array, read in one pass."""

    output_field = JSONField()

    def __init__(self, *names: str) -> None:
        super().__init__(F(CONTENT))
        self.names = names

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **_: Any) -> tuple[str, tuple[Any, ...]]:
        content, parameters = compiler.compile(_content_of(self))
        paths = [f"$.texts.{name}" for name in self.names]
        marks = ", ".join(["%s"] * len(paths))
        return f"json_extract({content}, {marks})", (*parameters, *paths)

    def as_postgresql(self, compiler: SQLCompiler, connection: Any, **_: Any) -> tuple[str, tuple[Any, ...]]:
        content, parameters = compiler.compile(_content_of(self))
        each = ", ".join([f"{content} #> %s::text[]"] * len(self.names))
        given = tuple(value for name in self.names for value in (*parameters, ["texts", name]))
        return f"jsonb_build_array({each})", given


class FigureOf(Func):
    """The value of an indicator in the submission's year, of the whole and not of a stream, as text."""

    output_field = TextField()

    def __init__(self, indicator: str) -> None:
        super().__init__(F(CONTENT), F("submission__year"))
        self.indicator = indicator

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **_: Any) -> tuple[str, tuple[Any, ...]]:
        content, of_content = compiler.compile(_content_of(self))
        year, of_year = compiler.compile(self.get_source_expressions()[1])
        said = IN_SQLITE.format(content=content, year=year)
        return said, (*of_content, self.indicator, *of_year)

    def as_postgresql(self, compiler: SQLCompiler, connection: Any, **_: Any) -> tuple[str, tuple[Any, ...]]:
        content, of_content = compiler.compile(_content_of(self))
        year, of_year = compiler.compile(self.get_source_expressions()[1])
        said = IN_POSTGRESQL.format(content=content, year=year)
        return said, (*of_content, PATH, self.indicator, *of_year)


def _content_of(function: Func) -> Expression:
    return function.get_source_expressions()[0]


def texts_in(said: Any) -> list[str]:
    """Return the texts that were there of those asked for."""
    rows = json.loads(said) if isinstance(said, str) else said
    return [each for each in rows or () if isinstance(each, str)]
