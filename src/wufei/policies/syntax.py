"""What is wrong with this YAML, said in Chinese? The parser says it in English."""

import yaml

# By what the parser says; its two makes (libyaml, Python) word some of it differently.
_WORDS = (
    (
        "mapping values are not allowed",
        "这里不能再写“键: 值”；内容里有冒号加空格的整个加引号，否则看缩进和上一行的冒号",
    ),
    ("mapping keys are not allowed", "这里不能写键；请检查缩进"),
    ("sequence entries are not allowed", "这里不能写列表项“- ”；请检查缩进"),
    ("cannot start any token", "这里的字符不能用来开头：缩进不能用制表符，以 @、`、% 开头的内容须加引号"),
    ("tab character", "缩进不能用制表符，请改用空格"),
    ("expected ',' or '}'", "花括号 { } 没有闭合，或其中少了逗号"),
    ("expected ',' or ']'", "方括号 [ ] 没有闭合，或其中少了逗号"),
    ("expected '-' indicator", "列表中有一行不以“- ”开头，或缩进不一致"),
    ("expected <block end>", "缩进不一致，或引号、括号多了或少了"),
    ("expected key", "缩进不一致，或引号、括号多了或少了"),
    ("expected ':'", "键的后面少了冒号（冒号后须有一个空格）"),
    ("expected <document start>", "这里的内容不属于前面的键值表；请检查缩进"),
    ("node content", "这里少了内容"),
    ("unexpected end of stream", "从这里开始的引号没有闭合"),
    ("document indicator", "从这里开始的引号没有闭合"),
    ("document separator", "从这里开始的引号没有闭合"),
    ("escape", "双引号里的反斜线“\\”写法不对；照原样写的，改用单引号"),
    ("hexdecimal", "双引号里的反斜线“\\”写法不对；照原样写的，改用单引号"),
    ("undefined tag handle", "不允许使用标签（!）"),
    ("tag", "不允许使用标签（!）"),
    ("anchor", "不允许使用锚点或别名（& 和 *）"),
    ("alphabetic or numeric character", "不允许使用锚点或别名（& 和 *）"),
    ("%YAML", "不能写以 % 开头的指令"),
    ("directive", "不能写以 % 开头的指令"),
)
# These are noticed only at the end of the file; people look for where it began.
_BEGUN_BEFORE = ("unexpected end of stream", "document indicator", "document separator")


def syntax_error(error: yaml.MarkedYAMLError) -> tuple[int, str]:
    """Return the line, from 1, and the reason with its column."""
    problem = error.problem or ""
    is_begun_before = any(words in problem for words in _BEGUN_BEFORE)
    mark = (error.context_mark if is_begun_before else None) or error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    why = next((words for said, words in _WORDS if said in problem), "这里的写法无法理解")
    return line, f"YAML 语法错误：第 {column} 列，{why}"
