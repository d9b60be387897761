"""
How does what a person typed enter a document?

As plain text only: control characters, lone surrogates and what XML forbids are taken out, line ends
become one kind. The templates escape the rest.
"""

import re
import unicodedata

# Not allowed in XML 1.0, or taken by docxtpl as layout (\a, \f, \v); direction overrides hide what stands there.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)


def cleaned(text: str) -> str:
    """
    Return the text without what no document can hold.

    >>> cleaned("一\\r\\n二\\x07三\\u202e四")
    '一\\n二三四'
    """
    text = re.sub("\r\n?|\u2028|\u2029|\x85", "\n", text)
    return _FORBIDDEN.sub("", text)


def one_line(text: str) -> str:
    """
    Return the text on one line.

    >>> one_line(" 一\\n  二\\t三 ")
    '一 二 三'
    """
    return " ".join(cleaned(text).split())


def paragraphs(text: str) -> tuple[str, ...]:
    """
    Return the paragraphs, without empty ones and without indents typed with spaces.

    >>> paragraphs("　　一\\n\\n二 ")
    ('一', '二')
    """
    lines = (" ".join(re.split(r"[ \t]+", line.strip())) for line in cleaned(text).split("\n"))
    return tuple(line for line in lines if line)


def file_name(text: str) -> str:
    """
    Return the last part of a file's name, without anything that a file system or a header takes amiss.

    >>> file_name("C:\\\\材料\\\\建设方案.PDF"), file_name("../../etc/pass\\nwd.pdf")
    ('建设方案.PDF', 'passwd.pdf')
    """
    name = re.split(r"[/\\]", cleaned(unicodedata.normalize("NFC", text)).replace("\n", ""))[-1]
    name = re.sub(r'[<>:"|?*\t]', "", name).strip(" .")
    stem, dot, extension = name.rpartition(".")
    return f"{stem[:100]}{dot}{extension[:10]}" if dot else name[:100]
