"""Reads documents back as a person would see them."""

import io

import openpyxl
from docx import Document


def docx_tables(content: bytes) -> list[list[list[str]]]:
    """Return each table as rows of texts; a merged cell is given once."""
    found = []
    for table in Document(io.BytesIO(content)).tables:
        rows = []
        for row in table.rows:
            seen, texts = [], []
            for cell in row.cells:
                if cell._tc not in seen:
                    seen.append(cell._tc)
                    texts.append(cell.text)
            rows.append(texts)
        found.append(rows)
    return found


def docx_text(content: bytes) -> str:
    document = Document(io.BytesIO(content))
    lines = [paragraph.text for paragraph in document.paragraphs]
    return "\n".join([*lines, *(text for t in docx_tables(content) for row in t for text in row)])


def row_of(content: bytes, label: str) -> list[str]:
    """Return the cells of the last row of that label, without the label."""
    [*_, found] = [
        row[1:] for table in docx_tables(content) for row in table if row[0] == label and len(row) > 1
    ]
    return found


def xlsx_rows(content: bytes) -> list[list[object]]:
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    return [[cell.value for cell in row] for row in sheet.iter_rows()]
