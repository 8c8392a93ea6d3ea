"""
Makes the mutants of a module: copies that differ from it in one expression or statement. This file runs none of them.

Docstrings, annotations, imports, decorators, class keywords and prose (text that contains a blank) are not mutated.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType
from typing import Final

COMPARISONS: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
OTHER_NAMES: Final = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "startswith": "endswith",
    "endswith": "startswith",
    "sorted": "list",
}
OF_ANY_LENGTH: Final = (ast.Compare, ast.Call, ast.keyword, ast.Assign, ast.AnnAssign, ast.ExceptHandler)
"""Nodes in which a tuple stands for a collection."""
BLOCKS: Final = ("body", "orelse", "finalbody", "handlers", "cases")
"""Fields of statements that hold statements."""
LONGEST: Final = 80
"""Characters of source text that identify an expression."""
TYPES: Final = ("TypeVar", "TypeVarTuple", "ParamSpec")
"""Calls that only the type checker needs."""

Nested = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass
class Edit:
    """One field of one node of a syntax tree gets another value."""

    parent: ast.AST
    field: str
    new: object
    line: int
    change: str
    """``before → after``."""

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Meanwhile the tree has this edit."""
        old = getattr(self.parent, self.field)
        setattr(self.parent, self.field, self.new)
        try:
            yield
        finally:
            setattr(self.parent, self.field, old)


@dataclass(frozen=True)
class Mutant:
    """One edit of a module, and the words that identify it when lines have moved."""

    module: str
    number: int
    """Its position among the module's mutants."""
    place: str
    """The function or class that contains it, such as ``Policy.within``; empty at the top of a module."""
    line: int
    text: str
    """The source line."""
    change: str
    function: str | None
    """The outermost function whose body contains it; None for what a module does when it is imported."""
    edit: Edit

    @property
    def is_of_table(self) -> bool:
        """Whether it is in an assignment at the top of a module."""
        return self.place == ""

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """Its name in the file of survivors."""
        return self.module, self.place, self.text, self.change


class Module:
    """A module's source and its mutants."""

    def __init__(self, path: str, source: str) -> None:
        self.path = path
        self.source = source
        self.tree = ast.parse(source)
        self.mutants = list(self._mutants())

    def code_of(self, mutant: Mutant, filename: str) -> CodeType:
        """The code of this module with one mutation, as if it were read from a file of this name."""
        with mutant.edit.applied():
            return compile(self.tree, filename, "exec")

    def assignments_of(self, mutant: Mutant, filename: str) -> CodeType:
        """The code of the assignments at the top of this module alone, with one mutation."""
        with mutant.edit.applied():
            statements: list[ast.stmt] = [
                statement for statement in self.tree.body if isinstance(statement, ast.Assign | ast.AnnAssign)
            ]
            return compile(ast.Module(statements, []), filename, "exec")

    def _mutants(self) -> Iterator[Mutant]:
        lines = self.source.splitlines()
        seen: Counter[tuple[str, str, str]] = Counter()
        for number, (place, function, edit) in enumerate(_edits_of_body(self.tree, "", None)):
            text = lines[edit.line - 1].strip()[:LONGEST]
            seen[key := (place, text, edit.change)] += 1
            change = edit.change if seen[key] == 1 else f"{edit.change} (#{seen[key]})"
            yield Mutant(self.path, number, place, edit.line, text, change, function, edit)


Found = Iterator[tuple[str, str | None, Edit]]


def _edits_of_body(owner: ast.AST, place: str, function: str | None) -> Found:
    """The edits of the statements of a module, class or function and of the blocks in it."""
    for field in BLOCKS:
        block = getattr(owner, field, None)
        if isinstance(block, list):
            for index, statement in enumerate(block):
                yield from _edits_of_statement(owner, field, index, place, function)
                if not isinstance(statement, Nested):
                    yield from _edits_of_body(statement, place, function)
                elif not _is_overload(statement):
                    inner = f"{place}.{statement.name}".lstrip(".")
                    is_class = isinstance(statement, ast.ClassDef)
                    yield from _edits_of_body(statement, inner, function if is_class else function or inner)


def _edits_of_statement(owner: ast.AST, field: str, index: int, place: str, function: str | None) -> Found:
    statement = getattr(owner, field)[index]
    if _is_left_alone(statement):
        return
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        edits = [edit for name in ("defaults", "kw_defaults") for edit in _in_field(statement.args, name)]
        yield from ((f"{place}.{statement.name}".lstrip("."), function, edit) for edit in edits)
        return
    if isinstance(statement, ast.ClassDef):
        return
    if (other := _other_statement(statement)) is not None:
        block = [*getattr(owner, field)]
        block[index] = ast.fix_missing_locations(ast.copy_location(other, statement))
        yield place, function, _edit(owner, field, block, statement, other)
    is_assignment = isinstance(statement, ast.Assign | ast.AnnAssign)
    for name in ["value"] if is_assignment else [name for name in statement._fields if name not in BLOCKS]:
        yield from ((place, function, edit) for edit in _in_field(statement, name))


def _is_left_alone(statement: ast.AST) -> bool:
    """Whether a statement is no behaviour: a docstring, an import, a type."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return True
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return ast.unparse(statement.value.func) == "assert_never"
    if isinstance(statement, ast.AnnAssign):
        return ast.unparse(statement.annotation) == "TypeAlias"
    if isinstance(statement, ast.Assign):
        names = [ast.unparse(target) for target in statement.targets]
        return names == ["__slots__"] or (
            isinstance(statement.value, ast.Call) and ast.unparse(statement.value.func) in TYPES
        )
    return isinstance(statement, ast.Import | ast.ImportFrom | ast.Assert)


def _is_overload(statement: ast.AST) -> bool:
    return any(ast.unparse(decorator) == "overload" for decorator in getattr(statement, "decorator_list", ()))


def _other_statement(statement: ast.AST) -> ast.stmt | None:
    """The statement that takes a statement's place: mostly none at all."""
    match statement:
        case ast.Return(value=ast.expr() as value) if ast.unparse(value) not in ("None", "True", "False"):
            return ast.Return(ast.copy_location(ast.Constant(None), value))
        case ast.Continue():
            return ast.Break()
        case ast.Break():
            return ast.Continue()
        case ast.Expr(value=ast.Yield() | ast.YieldFrom()):
            # stays a generator
            return ast.Expr(ast.copy_location(ast.YieldFrom(ast.Tuple([], ast.Load())), statement))
        case ast.Expr() | ast.AugAssign() | ast.Raise() | ast.Delete():
            return ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            return ast.Pass()
    return None


def _in_field(parent: ast.AST, field: str) -> Iterator[Edit]:
    """The edits of the expressions in one field of a node, and of all that is in them."""
    value = getattr(parent, field)
    if isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, ast.AST):
                for other in (*_others(item), *_shorter(item, parent)):
                    yield _edit(parent, field, [*value[:index], other, *value[index + 1 :]], item, other)
                yield from _inside(item)
    elif isinstance(value, ast.AST):
        for other in (*_others(value), *_shorter(value, parent)):
            yield _edit(parent, field, other, value, other)
        yield from _inside(value)


def _inside(node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("cast", *TYPES):
        return
    if isinstance(node, ast.JoinedStr):  # the text of messages is prose; what is put into it is not
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from _in_field(part, "value")
        return
    for field in node._fields:
        yield from _in_field(node, field)


def _others(node: ast.AST) -> Iterator[ast.AST]:
    """The replacements of an expression, each in its own mutant."""
    for other in _other_expressions(node):
        yield ast.fix_missing_locations(ast.copy_location(other, node))


def _shorter(node: ast.AST, parent: ast.AST) -> Iterator[ast.AST]:
    """A set, list, dictionary or tuple without each of its elements; not of tuples whose length matters, such as results."""
    match node:
        case ast.Set(elts=elements) | ast.List(elts=elements, ctx=ast.Load()) if len(elements) > 1:
            shorter = [[*elements[:index], *elements[index + 1 :]] for index in range(len(elements))]
            others: list[ast.AST] = [
                ast.Set(rest) if isinstance(node, ast.Set) else ast.List(rest, ast.Load()) for rest in shorter
            ]
        case ast.Tuple(elts=elements) if len(elements) > 1 and isinstance(parent, OF_ANY_LENGTH):
            others = [ast.Tuple([*elements[:at], *elements[at + 1 :]], ast.Load()) for at in range(len(elements))]
        case ast.Dict(keys=keys, values=values):
            others = [
                ast.Dict([*keys[:at], *keys[at + 1 :]], [*values[:at], *values[at + 1 :]]) for at in range(len(keys))
            ]
        case _:
            return
    for other in others:
        yield ast.fix_missing_locations(ast.copy_location(other, node))


def _other_expressions(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Constant():
            yield from _other_constants(node)
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            for index, operator in enumerate(ops):
                for other in COMPARISONS[type(operator)]:
                    yield ast.Compare(left, [*ops[:index], other(), *ops[index + 1 :]], comparators)
        case ast.BoolOp(op=op, values=values):
            for index in range(len(values)):
                rest = [*values[:index], *values[index + 1 :]]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(op, rest)
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert(), operand=operand):
            yield operand
        case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd(), right=right):
            yield left
            yield right
        case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
            yield ast.BinOp(left, ARITHMETIC[type(op)](), right)
        case ast.IfExp(body=body, orelse=orelse):
            yield body
            yield orelse
        case ast.Name(id=name, ctx=ctx) if name in OTHER_NAMES:
            yield ast.Name(OTHER_NAMES[name], ctx)
        case ast.Attribute(value=value, attr=name, ctx=ctx) if name in OTHER_NAMES:
            yield ast.Attribute(value, OTHER_NAMES[name], ctx)
        case ast.Call(func=function, args=args, keywords=keywords):
            for index in range(len(keywords)):
                yield ast.Call(function, args, [*keywords[:index], *keywords[index + 1 :]])
        case ast.comprehension(target=target, iter=source, ifs=ifs, is_async=is_async):
            for index in range(len(ifs)):
                yield ast.comprehension(target, source, [*ifs[:index], *ifs[index + 1 :]], is_async)


def _other_constants(node: ast.Constant) -> Iterator[ast.AST]:
    match node.value:
        case bool() as value:
            yield ast.Constant(not value)
        case int() | float() as value:
            yield ast.Constant(value + 1)
        case str() as value if " " not in value:
            yield ast.Constant(value + "XX")
        case bytes() as value if b" " not in value:
            yield ast.Constant(value + b"XX")


def _edit(parent: ast.AST, field: str, new: object, before: ast.AST, after: ast.AST) -> Edit:
    dropped = _dropped(before, after)
    change = f"{_text(before)} → {_text(after)}" if dropped is None else f"without {_text(dropped)}"
    return Edit(parent, field, new, _line_of(dropped or before), change)


def _dropped(before: ast.AST, after: ast.AST) -> ast.AST | None:
    """The element of a display that is missing afterwards, or the keyword of a call; None for other edits."""
    if isinstance(before, ast.Dict) and isinstance(after, ast.Dict):
        pairs = zip(before.keys, before.values, strict=True)
        return next((key or value for key, value in pairs if key not in after.keys), None)
    for field in ("elts", "keywords", "ifs"):
        was: list[ast.AST] | None = getattr(before, field, None)
        now: list[ast.AST] | None = getattr(after, field, None)
        if was is not None and now is not None and len(now) < len(was):
            return next(item for item in was if item not in now)
    return None


def _line_of(node: ast.AST) -> int:
    line: int | None = getattr(node, "lineno", None)
    return line if line is not None else min(_line_of(child) for child in ast.iter_child_nodes(node))


def _text(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
