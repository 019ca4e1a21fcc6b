# ruff: noqa: PLR0911, SLF001 - a case for each kind of node
"""From a node to the text of a Helm template."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby

from llmd_constructs.charts.expressions import Scope
from llmd_constructs.charts.nodes import (
    Choice,
    Column,
    Condition,
    Each,
    Fields,
    Inside,
    Items,
    Listed,
    Mapped,
    Node,
    Parts,
    Path,
    Plain,
    Product,
    Ref,
    Slot,
    Text,
)
from llmd_constructs.charts.reading import CONTINUED
from llmd_constructs.emit.yaml_text import yaml_text

Lines = list[str]
MOST_INLINE = 140
"""Length up to which an expression is easier to read than an `if`."""
_WriteSlot = Callable[[Slot], Lines]
_WriteNode = Callable[[Node], Lines]
_WriteWith = Callable[["Writer"], Lines]


class Writer:
    """Writes one template."""

    def __init__(self, scope: Scope) -> None:
        """Write in this scope."""
        self._scope = scope

    def object(self, node: Node) -> Lines:
        """A whole object."""
        return self._block(node, "")

    def _block(self, node: Node, indent: str) -> Lines:
        match node:
            case Fields(slots):
                return self._slots(slots, indent, lambda slot: self._field(slot.key, slot.node, indent))
            case Items(slots):
                return self._slots(slots, indent, lambda slot: self._item(slot.node, indent))
            case Choice(cases):
                return self._cases(cases, indent, lambda case: self._block(case, indent))
            case Each(over, inner):
                return self._each(over, indent, lambda writer: writer._item(inner, indent))
            case _:
                return [indent + self._scalar(node)]

    def _slots(self, slots: Sequence[Slot], indent: str, write: _WriteSlot) -> Lines:
        """Slots one after the other; neighbours that are there at the same time share one `if`."""
        lines: Lines = []
        groups = [(when, list(group)) for when, group in groupby(slots, key=lambda slot: slot.when)]
        position = 0
        while position < len(groups):
            when, group = groups[position]
            inner = [line for slot in group for line in write(slot)]
            position += 1
            if when.always:
                lines += inner
                continue
            otherwise: Lines = []
            if position < len(groups) and self._scope.complementary(when, groups[position][0]):
                other = [line for slot in groups[position][1] for line in write(slot)]
                otherwise = [f"{indent}{{{{- else }}}}", *other]
                position += 1
            name = group[0].key
            lines += self._when(when, name, indent, [*inner, *otherwise])
        return lines

    def _when(self, when: Condition, name: str, indent: str, inner: Lines) -> Lines:
        return [
            f"{indent}{{{{- if {self._scope.condition(when, name)} }}}}",
            *inner,
            f"{indent}{{{{- end }}}}",
        ]

    def _cases(
        self, cases: Sequence[tuple[Condition, Node]], indent: str, write: _WriteNode, word: str = "if"
    ) -> Lines:
        """Alternatives, the one that is hardest to describe as what is left."""
        described = sorted(cases, key=lambda case: len(self._scope.condition(case[0], "")))
        lines: Lines = []
        for index, (condition, node) in enumerate(described):
            last = index == len(described) - 1
            if last and index > 0 and isinstance(node, Choice) and self._inline(node) is None:
                return [*lines, *self._cases(node.cases, indent, write, "else if")]
            test = f"{word if index == 0 else 'else if'} {self._scope.condition(condition, '')}"
            lines += [f"{indent}{{{{- {'else' if last and index > 0 else test} }}}}", *write(node)]
        return [*lines, f"{indent}{{{{- end }}}}"]

    def _each(self, over: Path, indent: str, write: _WriteWith) -> Lines:
        expression = self._scope.value(over)
        variable = f"${singular(str(over[-1]))}"
        loop = f"range {variable} := {expression}"
        if over[-1] == "env":
            loop = f"range $name, $value := {expression}"
        inside = Writer(replace(self._scope, variables={**self._scope.variables, over: variable}))
        return [f"{indent}{{{{- {loop} }}}}", *write(inside), f"{indent}{{{{- end }}}}"]

    def _field(self, key: str, node: Node, indent: str) -> Lines:
        name = _scalar(key)
        match node:
            case Fields():
                return [f"{indent}{name}:", *self._block(node, f"{indent}  ")]
            case Items() | Each():
                return [f"{indent}{name}:", *self._block(node, indent)]
            case Choice(cases):
                short = self._inline(node)
                if short is not None:
                    return [f"{indent}{name}: {short}"]
                return self._cases(cases, indent, lambda case: self._field(key, case, indent))
            case Inside(inner):
                inside = Writer(replace(self._scope, embedded=True))
                return [f"{indent}{name}: |", *inside._block(inner, f"{indent}  ")]
            case Parts():
                return self._parts(f"{indent}{name}: ", node, f"{indent}  ")
            case Column(_, rows) if any(isinstance(value, Mapped | Listed) for value in rows.values()):
                expression = self._scope.tables.column(self._scope, node)
                depth = len(indent) + (2 if any(isinstance(v, Mapped) for v in rows.values()) else 0)
                return [f"{indent}{name}:", f"{indent}  {{{{- toYaml ({expression}) | nindent {depth} }}}}"]
            case _:
                return [f"{indent}{name}: {self._scalar(node)}"]

    def _item(self, node: Node, indent: str) -> Lines:
        match node:
            case Each(over, inner):
                return self._each(over, indent, lambda writer: writer._item(inner, indent))
            case Choice(cases):
                short = self._inline(node)
                if short is not None:
                    return [f"{indent}- {short}"]
                return self._cases(cases, indent, lambda case: self._item(case, indent))
            case Parts():
                return self._parts(f"{indent}- ", node, f"{indent}  ")
            case Inside(inner):
                inside = Writer(replace(self._scope, embedded=True))
                return [f"{indent}- |", *inside._block(inner, f"{indent}  ")]
            case Fields(slots) if not slots[0].when.always or (
                isinstance(slots[0].node, Choice) and self._inline(slots[0].node) is None
            ):
                return [f"{indent}-", *self._block(node, f"{indent}  ")]
            case Fields() | Items():
                first, *rest = self._block(node, f"{indent}  ")
                return [f"{indent}- {first.removeprefix(f'{indent}  ')}", *rest]
            case _:
                return [f"{indent}- {self._scalar(node)}"]

    def _parts(self, start: str, node: Parts, indent: str) -> Lines:
        """Words as a folded block, which joins lines with spaces; a script as a literal one."""
        if node.kind == "words":
            inner = self._slots(node.slots, indent, lambda slot: self._word(slot.node, indent))
            return [f"{start}>-", *inner]
        slots = list(node.slots)
        ends = slots and slots[-1].node == Plain("str", "\n")
        if ends:
            slots.pop()
        lines: Lines = []
        for slot in slots:
            lines = self._script_part(lines, slot, indent)
        return [f"{start}{'|' if ends else '|-'}", *lines]

    def _word(self, node: Node, indent: str) -> Lines:
        match node:
            case Choice(cases):
                return self._cases(cases, indent, lambda case: self._word(case, indent))
            case Each(over, inner):
                return self._each(over, indent, lambda writer: writer._word(inner, indent))
            case _:
                return [indent + self._raw(node)]

    def _script_part(self, lines: Lines, slot: Slot, indent: str) -> Lines:
        """One line of a script after others. What may be missing brings the backslash of the line before along."""
        optional = not slot.when.always or isinstance(slot.node, Each | Choice)
        if not optional:
            text = self._raw(slot.node)
            if text.startswith(CONTINUED):
                return [*lines[:-1], f"{lines[-1]} \\", f"{indent}  {text.removeprefix(CONTINUED)}"]
            return [*lines, indent + text.removeprefix("\n")]
        inner = self._continued(slot.node, indent)
        if not slot.when.always:
            condition = self._scope.condition(slot.when, slot.key)
            inner = [f"{indent}{{{{- if {condition} }}}}", *inner, f"{indent}{{{{- end }}}}"]
        return [*lines, *inner]

    def _continued(self, node: Node, indent: str) -> Lines:
        match node:
            case Choice(cases):
                return self._cases(cases, indent, lambda case: self._continued(case, indent))
            case Each(over, inner):
                return self._each(over, indent, lambda writer: writer._continued(inner, indent))
            case _:
                text = self._raw(node)
                if text.startswith(CONTINUED):
                    return [f'{indent}{{{{- " \\\\" }}}}', f"{indent}  {text.removeprefix(CONTINUED)}"]
                return [indent + text.removeprefix("\n")]

    def _raw(self, node: Node) -> str:
        """Text without any quotes."""
        match node:
            case Plain(_, value):
                return _escaped(str(value))
            case Text(pieces):
                return "".join(
                    f"{{{{ {self._scope.reference(p)} }}}}" if isinstance(p, Ref) else _escaped(p)
                    for p in pieces
                )
            case Ref():
                return f"{{{{ {self._scope.reference(node)} }}}}"
            case Column():
                return f"{node.prefix}{{{{ {self._scope.tables.column(self._scope, node)} }}}}"
            case Product():
                return f"{node.prefix}{{{{ {self._product(node)} }}}}{node.suffix}"
            case _:
                raise TypeError(f"{type(node).__name__} is no text")

    def _product(self, node: Product) -> str:
        scope = self._scope
        expression = scope.tables.column(scope, node.column)
        if node.factor:
            expression = f"mul {_argument(expression)} {_argument(scope.value(node.factor.path))}"
        if node.divisor:
            expression = f"div {_argument(expression)} ({scope.value(node.divisor.path)} | default 1)"
        return expression if node.factor or node.divisor else f"{expression} | int64"

    def _inline(self, node: Choice) -> str | None:
        """A choice of short values on one line, where it can be said in one expression."""
        if self._scope.embedded:
            return None
        expression = self._expression(node)
        if expression is None or len(expression) > MOST_INLINE:
            return None
        return f"{{{{ {expression} | quote }}}}" if _is_text(node) else f"{{{{ {expression} }}}}"

    def _expression(self, node: Node) -> str | None:
        """One expression for a node, or None where it takes more."""
        match node:
            case Plain(type_, value) if type_ in ("str", "int") and "\n" not in str(value):
                return json.dumps(value)
            case Text((Ref() as ref,)):
                return self._scope.reference(ref)
            case Column(_, rows) if not node.prefix and all(isinstance(v, Plain) for v in rows.values()):
                return self._scope.tables.column(self._scope, node)
            case Choice(((condition, first), (_, second))):
                one, other = self._expression(first), self._expression(second)
                if one is None or other is None or _is_text(first) != _is_text(second):
                    return None
                given = self._scope.default(condition, first)
                if given:
                    return f"{given} | default {_argument(other)}"
                test = self._scope.boolean(condition)
                return test and f"ternary {_argument(one)} {_argument(other)} ({test})"
            case _:
                return None

    def _scalar(self, node: Node) -> str:
        """One value on one line."""
        match node:
            case Plain("dict"):
                return "{}"
            case Plain("list"):
                return "[]"
            case Plain(_, value):
                return _plain(value)
            case Text(pieces) if len(pieces) == 1 and isinstance(pieces[0], Ref) and not self._scope.embedded:
                return self._quoted(pieces[0])
            case Text():
                return self._text(node)
            case Product() if node.prefix:
                return f'"{self._raw(node)}"'
            case Ref() | Product():
                return self._raw(node)
            case Column(_, rows):
                texts = all(isinstance(v, Plain) and v.type == "str" for v in rows.values())
                expression = self._scope.tables.column(self._scope, node)
                if node.prefix:
                    return f'"{node.prefix}{{{{ {expression} }}}}"'
                return f"{{{{ {expression} | quote }}}}" if texts else f"{{{{ {expression} }}}}"
            case _:
                raise TypeError(f"{type(node).__name__} stands on no single line")

    def _quoted(self, ref: Ref) -> str:
        expression = self._scope.reference(ref)
        return f'"{{{{ {expression} }}}}"' if self._scope.is_safe(ref) else f"{{{{ {expression} | quote }}}}"

    def _text(self, node: Text) -> str:
        refs = [piece for piece in node.pieces if isinstance(piece, Ref)]
        literal = "".join(piece for piece in node.pieces if isinstance(piece, str))
        if self._scope.embedded:
            sample = "".join("x" if isinstance(piece, Ref) else piece for piece in node.pieces)
            quote = _scalar(sample)[:1]
            raw = self._raw(node)
            return f"{quote}{raw}{quote}" if quote in "\"'" else raw
        if not all(self._scope.is_safe(ref) for ref in refs):
            form = "".join(
                "%s" if isinstance(piece, Ref) else piece.replace("%", "%%") for piece in node.pieces
            )
            values = " ".join(_argument(self._scope.reference(ref)) for ref in refs)
            return f"{{{{ printf {json.dumps(form)} {values} | quote }}}}"
        if '"' in literal or "\\" in literal:
            return "'" + self._raw(node).replace("'", "''") + "'"
        return f'"{self._raw(node)}"'


def _is_text(node: Node) -> bool:
    """Whether all values of a node are text."""
    match node:
        case Plain(type_):
            return type_ == "str"
        case Text():
            return True
        case Column(_, rows):
            return all(isinstance(v, Plain) and v.type == "str" for v in rows.values())
        case Choice(cases):
            return all(_is_text(case) for _, case in cases)
        case _:
            return False


def singular(word: str) -> str:
    """One of many, for a loop variable."""
    return {"extraArgs": "argument"}.get(word, word.removesuffix("s"))


def _argument(expression: str) -> str:
    return f"({expression})" if " " in expression and not expression.startswith("(") else expression


def _escaped(text: str) -> str:
    """Text that Helm leaves alone."""
    return text.replace("{{", '{{ "{{" }}') if "{{" in text else text


def _plain(value: object) -> str:
    if isinstance(value, str) and "{{" in value:
        return f"{{{{ {json.dumps(value)} | quote }}}}"
    return _scalar(value)


def _scalar(value: object) -> str:
    """A value just as the constructs' own files have it."""
    text = yaml_text({"k": value})  # pyright: ignore[reportArgumentType] - a scalar, from a manifest
    return text.removeprefix("k: ").removesuffix("\n")
