"""The shapes of what people type into a plan: one form for each row, made from the table's columns."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wufei.filings.plan import (
    LONGEST,
    LONGEST_TEXT,
    MOST_ROWS,
    TABLES,
    Cell,
    Column,
    Content,
    Row,
    Table,
    tonnes,
)
from wufei.terms.mass import Mass

EMPTY_ROWS = 1


def _field(column: Column, streams: Iterable[tuple[str, str]]) -> forms.Field:
    """Return the field of a column; nothing is required of a draft, filing asks for it."""
    label = f"{column.group}：{column.label}" if column.group else column.label
    said: dict[str, Any] = {"label": label, "required": False}
    if column.cell is Cell.MASS:
        return forms.DecimalField(
            max_digits=15, decimal_places=6, min_value=Decimal(0), max_value=Decimal(10**8), localize=False,
            widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}), **said,
        )  # fmt: skip
    if column.cell is Cell.STREAM:
        return forms.ChoiceField(choices=[("", "—"), *streams], **said)
    if column.choices:
        return forms.ChoiceField(choices=[("", "—"), *column.choices], **said)
    if column.cell is Cell.LONG:
        return forms.CharField(max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 5}), **said)
    return forms.CharField(max_length=LONGEST, **said)


class RowForm(forms.Form):
    """One row of a table; `drop` takes it away."""

    drop = forms.BooleanField(label=_("删去这一行"), required=False)

    def __init__(self, *said: Any, table: Table, streams: Iterable[tuple[str, str]], **rest: Any) -> None:
        super().__init__(*said, **rest)
        for column in table.entered:
            self.fields[column.key] = _field(column, streams)
        if table.is_one:
            del self.fields["drop"]
        else:
            self.order_fields([*(column.key for column in table.entered), "drop"])
        self.table = table

    def row(self) -> Row | None:
        """Return what the row says; None where it says nothing, or is taken away. Only of a valid form."""
        said = self.cleaned_data
        if said.get("drop"):
            return None
        found: Row = {}
        for column in self.table.entered:
            value = said[column.key]
            if column.cell is Cell.MASS:
                value = None if value is None else Mass.of(value, "吨").grams
            found[column.key] = value
        is_said = any(value not in ("", None) for value in found.values())
        return found if is_said or self.table.is_one else None


class TableForms:
    """The rows of one table, with empty ones to add."""

    def __init__(
        self, table: Table, rows: Iterable[Row], posted: Mapping[str, Any] | None, streams: list[tuple[str, str]]
    ) -> None:  # fmt: skip
        self.table = table
        said: dict[str, Any] = {"table": table, "streams": streams}
        if posted is not None:
            count = posted.get(f"{table.id}-rows", "0")
            number = min(int(count), MOST_ROWS) if count.isdecimal() and len(count) < 5 else 0
            self.forms = [RowForm(posted, prefix=f"{table.id}{at}", **said) for at in range(number)]
            return
        filled = [
            RowForm(prefix=f"{table.id}{at}", initial=_initial(table, row), **said)
            for at, row in enumerate(rows)
        ]
        more = 0 if table.is_one else EMPTY_ROWS
        empty = [RowForm(prefix=f"{table.id}{len(filled) + at}", **said) for at in range(more)]
        self.forms = filled + empty

    @property
    def is_valid(self) -> bool:
        return not [
            form for form in self.forms if not form.is_valid()
        ]  # each one, so that all errors are shown

    def rows(self) -> list[Row]:
        return [row for row in (form.row() for form in self.forms) if row is not None]


def _initial(table: Table, row: Row) -> dict[str, Any]:
    return {
        column.key: tonnes(row[column.key])
        if column.cell is Cell.MASS and row.get(column.key) is not None
        else row.get(column.key)
        for column in table.entered
    }


def plan_forms(
    content: Content, posted: Mapping[str, Any] | None, streams: list[tuple[str, str]], tables: Iterable[Table] = TABLES
) -> list[TableForms]:  # fmt: skip
    """Return the forms of all tables that are asked for."""
    return [TableForms(table, content[table.id], posted, streams) for table in tables]


class VersionForm(forms.Form):
    """Which version of the draft the reader saw."""

    version = forms.IntegerField(min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput)


class FilingForm(VersionForm):
    reason = forms.CharField(label=_("变更原因"), required=False, max_length=200)


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("变更原因"), required=False, max_length=200)


class PublicFilter(forms.Form):
    """Which published disclosures are listed."""

    q = forms.CharField(label=_("单位名称、信用代码"), required=False, max_length=80)
    year = forms.IntegerField(label=_("年度"), required=False, min_value=1949, max_value=2200)
