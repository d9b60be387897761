"""
Which typeface are PDFs and labels set in?

One, and we bring it along: a PDF carries what it uses of it, so that it looks alike on every machine. It is a
黑体, as HJ 1276 asks for labels.
"""

from functools import cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

NAME = "Noto Sans SC"
FILE = Path(__file__).parent / "fonts" / "NotoSansSC-Medium.ttf"


@cache
def font_name() -> str:
    """Return the name under which ReportLab knows the typeface, made known at the first call."""
    pdfmetrics.registerFont(TTFont(NAME, FILE))
    pdfmetrics.registerFontFamily(NAME, normal=NAME, bold=NAME, italic=NAME, boldItalic=NAME)
    return NAME
