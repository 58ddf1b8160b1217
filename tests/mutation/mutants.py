"""Every small mistake that could be made in a module: a wrong operator, constant, condition.

Works on the syntax tree, so that lines stay where they are. Annotations, docstrings, decorators
and assertions are left alone: no test can tell them apart, or they are tests themselves.
"""

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from types import CodeType
from typing import NamedTuple, TypeVar

Node = TypeVar("Node", bound=ast.AST)

_OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_SKIPPED_FIELDS = {"annotation", "returns", "decorator_list", "type_params"}


class Mutant(NamedTuple):
    """One mistake."""

    name: str
    """Where and what, stable while the code there stays: "Class.method: `a < b` → `a <= b`"."""
    line: int
    code: CodeType


class _Site(NamedTuple):
    """A place in the tree: the steps down to it, and the scope around it."""

    steps: tuple[tuple[str, int | None], ...]
    scope: str


def mutants(source: str, path: str) -> Iterator[Mutant]:
    """Yield every mutant of a module, in the order of its lines."""
    tree = ast.parse(source)
    seen: Counter[str] = Counter()
    for site, node in _walk(tree, _Site((), "")):
        for change, mutated in _changes(node):
            copy = deepcopy(tree)
            _replace(copy, site.steps, mutated)
            name = f"{site.scope or 'module'}: {change}"
            seen[name] += 1
            number = f" ({seen[name]})" if seen[name] > 1 else ""
            yield Mutant(
                name + number,
                getattr(node, "lineno", 0),
                compile(ast.fix_missing_locations(copy), path, "exec"),
            )


def _walk(node: ast.AST, site: _Site) -> Iterator[tuple[_Site, ast.AST]]:
    """Every node that may be changed, with where it stands."""
    yield site, node
    if isinstance(node, _SCOPES):
        site = site._replace(scope=f"{site.scope}.{node.name}".lstrip("."))
    for field, value in ast.iter_fields(node):
        if field in _SKIPPED_FIELDS:
            continue
        children = value if isinstance(value, list) else [value]
        for index, child in enumerate(children):
            if isinstance(child, ast.AST) and not _is_left_alone(child):
                step = (field, index if isinstance(value, list) else None)
                yield from _walk(child, site._replace(steps=(*site.steps, step)))


def _is_left_alone(node: ast.AST) -> bool:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    is_type_checking = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    return is_text or is_type_checking or isinstance(node, ast.Assert)


def _replace(tree: ast.AST, steps: tuple[tuple[str, int | None], ...], new: ast.AST) -> None:
    parent = tree
    for field, index in steps[:-1]:
        value = getattr(parent, field)
        parent = value if index is None else value[index]
    field, index = steps[-1]
    if index is None:
        setattr(parent, field, new)
    else:
        getattr(parent, field)[index] = new


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What can be wrong with one node: in words, and the node as it would be."""
    for new in _alternatives(node):
        if isinstance(node, ast.If | ast.While | ast.IfExp | ast.comprehension | ast.match_case):
            yield f"{_short(_conditions(node))} → {_short(_conditions(new))}", new
        else:
            yield f"{_short(node)} → {_short(new)}", new


def _conditions(node: ast.AST) -> ast.AST:
    """What is asked there, so that a name need not hold a whole block."""
    match node:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            return test
        case ast.match_case(guard=ast.expr() as guard):
            return guard
        case ast.comprehension(ifs=ifs):
            return ast.BoolOp(ast.And(), ifs) if len(ifs) > 1 else ifs[0]
    return node


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return f"`{text}`" if len(text) <= 90 else f"`{text[:60]} … {text[-28:]}`"


def _alternatives(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=ops):
            for index, op in enumerate(ops):
                yield _with(node, lambda n, i=index, o=op: n.ops.__setitem__(i, _other(o)))  # type: ignore[misc]
        case ast.BoolOp() | ast.BinOp() | ast.AugAssign() if type(node.op) in _OPERATORS:
            yield _with(node, lambda n: setattr(n, "op", _other(n.op)))
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node.operand
        case ast.Constant():
            yield from _constants(node)
        case ast.If() | ast.While() | ast.IfExp() if not _is_plainly_negated(node.test):
            yield _with(node, lambda n: setattr(n, "test", _negated(n.test)))
        case ast.comprehension(ifs=ifs):
            for index, test in enumerate(ifs):
                if not _is_plainly_negated(test):
                    yield _with(node, lambda n, i=index: n.ifs.__setitem__(i, _negated(n.ifs[i])))  # type: ignore[misc]
        case ast.match_case(guard=ast.expr() as guard):
            yield _with(node, lambda n: setattr(n, "guard", _negated(guard)))
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield _with(node, lambda n: setattr(n, "value", ast.Constant(None)))
        case ast.Assign(value=value) if not isinstance(value, ast.Constant):
            yield _with(node, lambda n: setattr(n, "value", ast.Constant(None)))
        case ast.Expr() | ast.Raise() | ast.Delete() | ast.Continue() | ast.Break():
            yield ast.copy_location(ast.Pass(), node)


def _constants(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.copy_location(ast.Constant(not value), node)
    elif isinstance(value, int | float):
        yield ast.copy_location(ast.Constant(value + 1), node)
    elif isinstance(value, str):
        yield ast.copy_location(ast.Constant(f"X{value}X"), node)


def _with(node: Node, change: Callable[[Node], object]) -> Node:
    copy = deepcopy(node)
    change(copy)
    return copy


def _other(operator: ast.AST) -> ast.AST:
    return _OPERATORS[type(operator)]()


def _negated(test: ast.expr) -> ast.expr:
    return ast.copy_location(ast.UnaryOp(ast.Not(), test), test)


def _is_plainly_negated(test: ast.expr) -> bool:
    """Whether swapping the operator is the negation, so that doing both would count it twice."""
    if isinstance(test, ast.UnaryOp):
        return isinstance(test.op, ast.Not)
    equalities = (ast.Eq, ast.NotEq, ast.In, ast.NotIn, ast.Is, ast.IsNot)
    return (
        isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], equalities)
    )


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None
