"""
What does the command line say when it is used wrongly? Click's own messages, in Chinese.

Click looks its words up through gettext, by the language of the terminal and from a compiled catalogue
that it does not ship. Ours speaks Chinese on every terminal, so its look-up is answered from this table.
"""

import gettext
import sys

WORDS = {
    "Usage:": "用法:",
    "Options": "选项",
    "Commands": "命令",
    "Positional arguments": "参数",
    "default: {default}": "默认：{default}",
    "env var: {var}": "环境变量：{var}",
    "required": "必填",
    "(dynamic)": "（视情况而定）",
    "Show this message and exit.": "显示本说明后退出。",
    "Show the version and exit.": "显示版本号后退出。",
    "Try '{command} {option}' for help.": "用法说明：{command} {option}",
    "Error: {message}": "错误：{message}",
    "Aborted!": "已中止。",
    "unknown error": "不明的错误",
    "Missing command.": "没有写命令。",
    "Missing argument": "缺少参数",
    "Missing option": "缺少选项",
    "Missing parameter": "缺少参数",
    "Missing parameter: {param_name}": "缺少参数：{param_name}",
    "Missing {param_type}": "缺少 {param_type}",
    "No such command {name!r}.": "没有命令“{name}”。",
    "No such option {name!r}.": "没有选项“{name}”。",
    "Did you mean {possibility}?": "是不是要写 {possibility}？",
    "(Did you mean one of: {possibilities}?)": "（是不是要写其中之一：{possibilities}？）",
    "Invalid value: {message}": "值不对：{message}",
    "Invalid value for {param_hint}: {message}": "{param_hint} 的值不对：{message}",
    "Got unexpected extra argument ({args})": "多写了参数：{args}",
    "Got unexpected extra arguments ({args})": "多写了参数：{args}",
    "Takes {nargs} values but 1 was given.": "须写 {nargs} 个值，只写了 1 个。",
    "Takes {nargs} values but {len} were given.": "须写 {nargs} 个值，写了 {len} 个。",
    "Argument {name!r} takes {nargs} values.": "参数“{name}”须写 {nargs} 个值。",
    "Option {name!r} requires an argument.": "选项“{name}”后面须写一个值。",
    "Option {name!r} requires {nargs} arguments.": "选项“{name}”后面须写 {nargs} 个值。",
    "Option {name!r} does not take a value.": "选项“{name}”后面不写值。",
    "Choose from:\n\t{choices}": "可选：\n\t{choices}",
    "{value!r} is not {choice}.": "“{value}”不可用，只能写 {choice}。",
    "{value!r} is not one of {choices}.": "“{value}”不可用，须为其中之一：{choices}。",
    "{value!r} is not a valid {number_type}.": "“{value}”不是整数。",
    "{value} is not in the range {range}.": "{value} 不在范围 {range} 之内。",
    "{value!r} is not a valid boolean. Recognized values: {states}": "“{value}”不是“是”或“否”；可写：{states}",
    "{value!r} does not match the format {format}.": "“{value}”不是 {format} 的写法。",
    "{value!r} does not match the formats {formats}.": "“{value}”不是这些写法之一：{formats}。",
    "{value!r} is not a valid UUID.": "“{value}”不是 UUID。",
    "file": "文件",
    "directory": "文件夹",
    "path": "路径",
    "{name} {filename!r} does not exist.": "{name}“{filename}”不存在。",
    "{name} {filename!r} is a file.": "“{filename}”是文件，这里要文件夹。",
    "{name} {filename!r} is a directory.": "“{filename}”是文件夹，这里要文件。",
    "{name} {filename!r} is not readable.": "{name}“{filename}”不可读。",
    "{name} {filename!r} is not writable.": "{name}“{filename}”不可写。",
    "Could not open file {filename!r}: {message}": "打不开文件“{filename}”：{message}",
}


def said(message: str) -> str:
    """Return the Chinese for one of click's messages; one that is not in the table stays as it is."""
    return WORDS.get(message, message)


def said_of_number(one: str, many: str, count: int) -> str:
    return said(one if count == 1 else many)


def speak_chinese() -> None:
    """Let click's modules look their words up here; a second call changes nothing."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != "click":
            continue
        for alias, before, ours in (
            ("_", gettext.gettext, said),
            ("ngettext", gettext.ngettext, said_of_number),
        ):
            if vars(module).get(alias) is before:
                setattr(module, alias, ours)
