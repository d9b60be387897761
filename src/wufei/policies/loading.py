"""
Is this file a sound edition, and if not, where is it wrong?

Scalars stay text until their field reads them, so no number passes through a float.
Every fault names file, line and reason.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from wufei.policies.edition import (
    OPERAND_MARKS,
    Criterion,
    Declared,
    Edition,
    FigureThreshold,
    Judged,
    Kind,
    Parameter,
    StatedThreshold,
    Threshold,
    YearsSince,
    extended,
    leaves,
)
from wufei.policies.syntax import syntax_error
from wufei.policies.workability import (
    Complaint,
    Loc,
    fact_faults,
    region_faults,
    scoring_faults,
    stage_faults,
)

OURS = Path(__file__).parent / "editions"
SIZE_MAX = 512 * 1024
DEPTH_MAX = 24
NODES_MAX = 50_000
_UNREADABLE: dict[type[OSError], str] = {
    FileNotFoundError: "没有这个文件",
    PermissionError: "没有读取它的权限",
    IsADirectoryError: "这是文件夹，不是文件",
    NotADirectoryError: "路径中有一段不是文件夹",
}
# What YAML 1.1 lets stand in a text (5.1); its parsers tell of the others by no line.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    file: Path
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


class BrokenEditions(Exception):
    """One or more files are no sound editions; `faults` says where and why."""

    def __init__(self, faults: list[Fault]):
        self.faults = faults
        super().__init__("; ".join(str(fault) for fault in faults))


class _Stop(Exception):
    """What was read so far leads nowhere; carries line and reason."""

    def __init__(self, line: int, reason: str):
        self.line, self.reason = line, reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Source:
    """A file as read: plain data, and the node of each part for its line."""

    path: Path
    data: Any
    node: yaml.Node

    def line(self, loc: Loc) -> int:
        """Return the line of the part, or of the nearest part around it that exists."""
        node = self.node
        line = node.start_mark.line
        for step in loc:
            found = _inside(node, step)
            if found is None:
                if isinstance(node, yaml.MappingNode) and isinstance(step, str) and step not in OPERAND_MARKS:
                    break
                continue
            line, node = found
        return int(line) + 1


def _inside(node: yaml.Node, step: int | str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return key.start_mark.line, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line, node.value[step]
    return None


# ---- text to plain data ---------------------------------------------------------------


def _read(path: Path) -> Source:
    try:
        with path.open("rb") as file:
            raw = file.read(SIZE_MAX + 1)
    except OSError as error:
        why = next((words for kind, words in _UNREADABLE.items() if isinstance(error, kind)), "系统拒绝读取")
        raise _Stop(1, f"文件无法读取：{why}") from error
    if len(raw) > SIZE_MAX:
        raise _Stop(1, f"文件超过 {SIZE_MAX // 1024} KB，不予读取")
    try:
        text = raw.decode("utf-8-sig")
        _refuse_control_characters(text)
        _refuse_what_expands(text)
        node = yaml.compose(text, Loader=_LOADER)
    except UnicodeDecodeError as error:
        raise _Stop(raw[: error.start].count(b"\n") + 1, "文件不是 UTF-8 编码的文本") from error
    except yaml.MarkedYAMLError as error:
        raise _Stop(*syntax_error(error)) from error
    except yaml.YAMLError as error:
        raise _Stop(1, "YAML 语法错误：文件无法解析") from error
    if not isinstance(node, yaml.MappingNode):
        raise _Stop(1, "文件须是一个版本的键值表")
    return Source(path, _plain(node), node)


def _refuse_control_characters(text: str) -> None:
    if found := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        reason = f"第 {column} 列有不允许的控制字符（U+{ord(found.group()):04X}），请删去"
        raise _Stop(line, f"YAML 语法错误：{reason}")


def _refuse_what_expands(text: str) -> None:
    """Refuse anchors, aliases, tags, further documents, and too deep or too many nodes, before composing."""
    depth = documents = 0
    for count, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        assert event.start_mark is not None, "the parser marks every event"
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _Stop(line, "不允许使用锚点或别名（& 和 *）")
        if getattr(event, "tag", None) not in (None, "!"):
            raise _Stop(line, "不允许使用标签（!）")
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if documents > 1:
            raise _Stop(line, "一个文件只写一个版本")
        if depth > DEPTH_MAX or count > NODES_MAX:
            raise _Stop(line, "内容嵌套过深或过多，不予读取")


def _plain(node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return None if not node.style and node.value in ("", "~", "null") else node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item) for item in node.value]
    found: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _Stop(key.start_mark.line + 1, "键须是文字")
        if key.value in found:
            raise _Stop(key.start_mark.line + 1, f"键“{key.value}”重复")
        found[key.value] = _plain(value)
    return found


# ---- plain data to an edition ---------------------------------------------------------

_OWN_CODES = {
    "not_decimal": "“{input}”不是十进制数（不写千分位、百分号、指数）",
    "not_whole": "“{input}”不是整数",
    "not_a_day": "“{input}”不是日期（写作 2026-01-31）",
}
_REASONS = {
    "missing": "缺少“{key}”",
    "extra_forbidden": "不认识的键“{key}”",
    "enum": "“{input}”不在可选值之内：{expected}",
    "literal_error": "“{input}”不在可选值之内：{expected}",
    "string_too_short": "“{key}”不能为空",
    "string_too_long": "“{key}”太长：最多 {max_length} 字",
    "string_type": "“{key}”须是文字",
    "string_pattern_mismatch": "“{input}”{written}",
    "too_short": "“{key}”至少写一项",
    "dict_type": "“{key}”须是键值表",
    "model_type": "“{key}”须是键值表",
    "model_attributes_type": "“{key}”须是键值表",
    "tuple_type": "“{key}”须是列表",
    "union_tag_not_found": "看不出这是哪一种条件：须且只须有其中一键 " + "、".join(OPERAND_MARKS),
    "union_tag_invalid": "看不出这是哪一种条件：须且只须有其中一键 " + "、".join(OPERAND_MARKS),
    "bool_type": "“{key}”须写 true 或 false",
    "int_type": "“{key}”须是整数",
    "decimal_type": "“{key}”须是十进制数",
    "date_type": "“{key}”须是日期（写作 2026-01-31）",
    "bool_parsing": "“{input}”须写 true 或 false",
    "date_from_datetime_parsing": "“{input}”不是日历上的一天",
    "date_parsing": "“{input}”不是日历上的一天",
}


_WRITTEN = {
    "-": "只能用小写字母、数字和连接符",
    "_": "只能用小写字母、数字和下划线",
    "6": "须是六位数字的行政区划代码",
}


def _reason(error: Mapping[str, Any]) -> str:
    loc = error["loc"]
    names = [str(step) for step in loc if isinstance(step, str)]
    given, context = error.get("input"), error.get("ctx", {})
    pattern = str(context.get("pattern", ""))
    words = {
        "key": names[-1] if names else "",
        "input": "" if given is None else str(given)[:60],
        "expected": "、".join(filter(None, re.findall(r"'([^']*)'", str(context.get("expected", ""))))),
        "max_length": context.get("max_length", ""),
        "written": next(
            (said for mark, said in _WRITTEN.items() if f"{mark}]" in pattern or f"{{{mark}}}" in pattern),
            "写法不对",
        ),
    }
    if error["type"] == "value_error":
        return _OWN_CODES[str(context["error"])].format(**words)
    template = _REASONS.get(error["type"], "“{key}”的内容不合要求")
    return template.format(**words)


@dataclass(frozen=True, slots=True)
class _Read:
    """A file whose own content is sound; what it extends is not looked at yet."""

    source: Source
    edition: Edition


def _validated(path: Path) -> tuple[_Read | None, list[Fault]]:
    try:
        source = _read(path)
    except _Stop as stop:
        return None, [Fault(path, stop.line, stop.reason)]
    try:
        edition = Edition.model_validate(source.data)
    except ValidationError as error:
        errors = error.errors()
        deeper = {e["loc"][:depth] for e in errors for depth in range(len(e["loc"]))}
        # A list whose only row is faulty is also reported as too short: the row says it all.
        told = [e for e in errors if not (e["type"] == "too_short" and e["loc"] in deeper)]
        faults = [Fault(path, source.line(e["loc"]), _reason(e)) for e in told]
        return None, sorted(set(faults))
    stated = {
        "document": edition.norm.number,
    }
    criteria = tuple(c if c.document else c.model_copy(update=stated) for c in edition.criteria)
    return _Read(source, edition.model_copy(update={"criteria": criteria})), []


def _own_faults(edition: Edition) -> Iterator[Complaint]:
    """Yield what is wrong with the file in itself."""
    for group in ("dates", "quotas", "stages", "forms", "stated_items", "criteria"):
        seen: set[str] = set()
        for index, row in enumerate(getattr(edition, group)):
            if row.id in seen:
                yield (group, index, "id"), f"编号“{row.id}”重复"
            seen.add(row.id)
    norm = edition.norm
    if norm.in_force_to and norm.in_force_to < norm.in_force_from:
        yield ("norm", "in_force_to"), "文件失效日期早于施行日期"
    if edition.in_force_from < norm.in_force_from:
        yield ("in_force_from",), "版本施行日期早于所依据文件的施行日期"
    yield from region_faults(edition)
    yield from _dated_faults(("parameters",), edition.parameters)
    for index, criterion in enumerate(edition.criteria):
        yield from _dated_faults(("criteria", index, "parameters"), criterion.parameters)


def _dated_faults(at: Loc, parameters: Mapping[str, Parameter]) -> Iterator[Complaint]:
    for name, parameter in parameters.items():
        for index, dated in enumerate(parameter.values):
            here = (*at, name, "values", index)
            if dated.to and dated.to < dated.start:
                yield (*here, "to"), f"参数“{name}”的失效日期早于生效日期"
            if index and (
                dated.start <= parameter.values[index - 1].start
                or (parameter.values[index - 1].to or parameter.values[index - 1].start) >= dated.start
            ):
                yield (*here, "from"), f"参数“{name}”的生效期间与前一值重叠"


def _whole_faults(
    own: Edition, whole: Edition, parent: Edition | None, known: frozenset[str] | None
) -> Iterator[Complaint]:
    """Yield what is wrong with the edition once it has taken over what it extends."""
    inherited = {c.id for c in parent.criteria} if parent else set()
    if parent and parent.subject_kind != own.subject_kind:
        yield ("subject_kind",), "与所扩展版本的对象（企业或园区）不同"
    if not whole.criteria:
        yield ("criteria",), "版本没有任何条款"
    stages = {stage.id for stage in whole.stages}
    for index, day in enumerate(own.dates):
        if day.stage is not None and day.stage not in stages:
            yield ("dates", index, "stage"), f"没有编号为“{day.stage}”的环节"
    yield from stage_faults(own, whole)
    yield from scoring_faults(own.scoring, known)
    items = {item.id for item in whole.stated_items}
    for index, criterion in enumerate(own.criteria):
        here: Loc = ("criteria", index)
        if criterion.replaces and criterion.id not in inherited:
            yield (*here, "id"), f"“{criterion.id}”要替换的条款不在所扩展的版本中"
        if not criterion.replaces and criterion.id in inherited:
            yield (*here, "id"), f"编号“{criterion.id}”与所扩展的版本重复（确要替换时写 replaces: true）"
        yield from _criterion_faults(here, criterion, whole, known, items)
    weights = [c.weight for c in whole.criteria if c.kind == Kind.SCORE and c.weight is not None]
    if weights and sum(weights) != 100:
        yield ("criteria",), f"权重合计为 {sum(weights)}，须为 100"


def _criterion_faults(
    here: Loc, criterion: Criterion, whole: Edition, known: frozenset[str] | None, items: set[str]
) -> Iterator[Complaint]:
    is_score = criterion.kind == Kind.SCORE
    if is_score and (criterion.score is None or criterion.weight is None or criterion.test):
        yield here, "评分条款须写 score 和 weight，不写 test"
    if not is_score and (criterion.test is None or criterion.score or criterion.weight is not None):
        yield here, "非评分条款须写 test，不写 score 和 weight"
    if criterion.weight is not None and criterion.weight <= 0:
        yield (*here, "weight"), "权重须大于零"

    def asked(
        name: str | None, at: Loc, among: set[str] | frozenset[str] | None, word: str
    ) -> Iterator[Complaint]:
        if name is not None and among is not None and name not in among:
            yield at, f"不认识的{word}“{name}”"

    parameters = {*whole.parameters, *criterion.parameters}
    if criterion.score:
        scored, at = criterion.score, (*here, "score")
        if sum(x is not None for x in (scored.figure, scored.stated, scored.judged)) != 1:
            yield at, "评分依据须且只须写 figure、stated、judged 之一"
        if (scored.baseline is None) != (scored.leading is None):
            yield at, "基准值与引领值须同时写或都不写"
        yield from asked(scored.figure, (*at, "figure"), known, "指标")
        yield from asked(scored.stated, (*at, "stated"), items, "自报项")
        yield from asked(scored.baseline, (*at, "baseline"), parameters, "参数")
        yield from asked(scored.leading, (*at, "leading"), parameters, "参数")
    if criterion.test:
        yield from _whole_number_faults(here, criterion, whole)
        for at, leaf in _placed_leaves((*here, "test"), criterion.test):
            yield from _leaf_faults(at, leaf, known, items, parameters, asked)
            yield from fact_faults(at, leaf)


def _whole_number_faults(here: Loc, criterion: Criterion, whole: Edition) -> Iterator[Complaint]:
    """Yield the numbers of years that are no numbers of years."""
    for leaf in leaves(criterion.test):
        for field in ("window", "years_back", "years_at_least"):
            name = getattr(leaf, field, None)
            parameter = criterion.parameters.get(name or "") or whole.parameters.get(name or "")
            for dated in parameter.values if parameter else ():
                if dated.value != dated.value.to_integral_value() or not 1 <= dated.value <= 50:
                    yield here, f"参数“{name}”是年数，须为 1 至 50 的整数"


def _placed_leaves(at: Loc, operand: Any) -> Iterator[tuple[Loc, Any]]:
    """Yield each leaf with its place in the file."""
    for field in ("all", "any"):
        if type(operand).__name__.lower().rstrip("_") == field:
            for index, leg in enumerate(operand.legs):
                yield from _placed_leaves((*at, field, index), leg)
            return
    if hasattr(operand, "leg"):
        yield from _placed_leaves((*at, "not"), operand.leg)
    else:
        yield at, operand


def _leaf_faults(
    at: Loc,
    leaf: Any,
    known: frozenset[str] | None,
    items: set[str],
    parameters: set[str],
    asked: Callable[..., Iterator[Complaint]],
) -> Iterator[Complaint]:
    match leaf:
        case FigureThreshold():
            yield from asked(leaf.figure, (*at, "figure"), known, "指标")
            yield from asked(leaf.change_of, (*at, "change_of"), known, "指标")
            yield from asked(leaf.years_back, (*at, "years_back"), parameters, "参数")
            if (leaf.change_of is None) != (leaf.years_back is None):
                yield at, "change_of、years_back 须同时写或都不写"
        case StatedThreshold():
            yield from asked(leaf.stated, (*at, "stated"), items, "自报项")
        case Judged():
            for index, name in enumerate(leaf.benchmark):
                yield from asked(name, (*at, "benchmark", index), known, "指标")
        case Declared():
            yield from asked(leaf.window, (*at, "window"), parameters, "参数")
        case YearsSince():
            yield from asked(leaf.years_at_least, (*at, "years_at_least"), parameters, "参数")
    if isinstance(leaf, Threshold):
        if (leaf.at_least is None) == (leaf.at_most is None):
            yield at, "须且只须写 at_least、at_most 之一"
        for field in ("at_least", "at_most"):
            yield from asked(getattr(leaf, field), (*at, field), parameters, "参数")


# ---- folders --------------------------------------------------------------------------


class _Shelf:
    """The files at hand, by edition id; extends are followed with cycles refused."""

    def __init__(self, known: frozenset[str] | None):
        self._known = known
        self._reads: dict[str, _Read] = {}
        self._done: dict[str, Edition] = {}
        self.faults: list[Fault] = []

    def put(self, read: _Read, *, replace: bool = False) -> None:
        held = self._reads.get(read.edition.id)
        if held:
            line = read.source.line(("id",))
            reason = f"版本编号“{read.edition.id}”已由 {held.source.path} 使用"
            self.faults.append(Fault(read.source.path, line, reason))
        if held and not replace:
            return
        self._reads[read.edition.id] = read

    def whole(self, id_: str, below: tuple[str, ...] = ()) -> Edition | None:
        """Return the edition with all it takes over, or None where a fault stands in the way."""
        if id_ in self._done:
            return self._done[id_]
        read = self._reads[id_]
        own, source, parent = read.edition, read.source, None
        complaints: list[Complaint] = []
        if own.extends is not None:
            if own.extends == id_ or own.extends in below:
                complaints.append((("extends",), f"扩展关系成环：{' → '.join((*below, id_, own.extends))}"))
            elif own.extends not in self._reads:
                complaints.append((("extends",), f"所扩展的版本“{own.extends}”不存在或不能用"))
            else:
                parent = self.whole(own.extends, (*below, id_))
                if parent is None:
                    complaints.append((("extends",), f"所扩展的版本“{own.extends}”不存在或不能用"))
        complaints += _own_faults(own)
        whole = extended(parent, own) if parent else own
        if not complaints:
            complaints += _whole_faults(own, whole, parent, self._known)
        if complaints:
            self.faults += [Fault(source.path, source.line(loc), reason) for loc, reason in complaints]
            return None
        self._done[id_] = whole
        return whole


def load_editions(
    folders: Iterable[Path], *, known_indicators: frozenset[str] | None = None
) -> dict[str, Edition]:
    """
    Return the editions of all files in the folders, by id, with what they extend taken over.

    :raises BrokenEditions: with every fault of every file, if there is any
    """
    shelf = _Shelf(known_indicators)
    ids: list[str] = []
    for folder in folders:
        if not folder.is_dir():
            shelf.faults.append(Fault(folder, 1, "文件夹不存在"))
            continue
        for path in sorted(folder.glob("*.yaml")):
            read, faults = _validated(path)
            shelf.faults += faults
            if read:
                shelf.put(read)
                ids.append(read.edition.id)
    editions = {id_: whole for id_ in dict.fromkeys(ids) if (whole := shelf.whole(id_))}
    if shelf.faults:
        raise BrokenEditions(sorted(set(shelf.faults)))
    return editions


def check_file(
    path: Path, *, folders: Iterable[Path] = (), known_indicators: frozenset[str] | None = None
) -> list[Fault]:
    """
    Return the faults of one file; what it extends is looked for beside it and in the folders.

    An id that another file at hand has is a fault, as it is when they are loaded together.
    """
    read, faults = _validated(path)
    if read is None:
        return faults
    shelf = _Shelf(known_indicators)
    for folder in (path.parent, *folders, OURS):
        for other in sorted(folder.glob("*.yaml")):
            if other.resolve() != path.resolve():
                beside, _ = _validated(other)
                if beside and beside.edition.id not in shelf._reads:
                    shelf.put(beside)
    shelf.put(read, replace=True)
    shelf.whole(read.edition.id)
    return sorted({fault for fault in shelf.faults if fault.file == path})


def declaration_items(editions: Iterable[Edition]) -> dict[str, tuple[str, ...]]:
    """Return each declaration item that the editions ask for, with the registers to look into."""
    found: dict[str, dict[str, None]] = {}
    for edition in editions:
        for criterion in edition.criteria:
            for leaf in leaves(criterion.test) if criterion.test else ():
                if isinstance(leaf, Declared):
                    registers = found.setdefault(leaf.declaration, {})
                    if leaf.register_to_ask:
                        registers[leaf.register_to_ask] = None
    return {item: tuple(registers) for item, registers in found.items()}
