"""What is wrong in a workbook: which sheet, row and column, and what would be right."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    sheet: str | None  # None: the file as a whole
    row: int | None  # as Excel counts, from 1
    column: str | None
    code: str  # English and stable: "amount_negative"
    message: str  # Chinese: what was wrong, and what would be right

    def as_dict(self) -> dict[str, str | int | None]:
        """Return the fault as the command line and the web hand it out."""
        return {
            "sheet": self.sheet,
            "row": self.row,
            "column": self.column,
            "code": self.code,
            "message": self.message,
        }

    def __str__(self) -> str:
        row = f"第{self.row}行" if self.row else ""
        where = "，".join(part for part in (self.sheet, row, self.column) if part)
        return f"{where}：{self.message}" if where else self.message


class WorkbookRefused(Exception):
    """The file is not opened at all; `code` and the Chinese `message` say why."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(f"{code}: {message}")

    @property
    def fault(self) -> Fault:
        return Fault(None, None, None, self.code, self.message)
