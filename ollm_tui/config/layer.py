"""What one source says: its values as nodes, where they stand, and what is wrong with them."""

from collections import Counter
from dataclasses import dataclass, field

from ollm_tui.config.document import Document
from ollm_tui.config.node import Node, Path, dotted, find
from ollm_tui.config.problem import MAX_PROBLEMS, ConfigProblem, Origin, Place, Severity
from ollm_tui.config.secret import masked, without_userinfo
from ollm_tui.core.text import clean_line


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that was looked for."""

    path: str
    origin: Origin
    exists: bool = False
    digest: str = ""
    """SHA-256 of what was read, hex."""
    trusted: bool = True
    """False for a workspace file whose servers and credentials are ignored."""


@dataclass(slots=True)
class Layer:
    """One source, from reading it to merging it."""

    origin: Origin
    root: Node = field(default_factory=lambda: Node({}))
    document: Document | None = None
    file: SourceFile | None = None
    problems: list[ConfigProblem] = field(default_factory=list)
    is_private: bool = True
    """Whether nobody but its owner can read the file."""
    _reported: Counter[Severity] = field(default_factory=Counter)

    def has_enough(self, severity: Severity) -> bool:
        """Whether more such problems would help nobody: who has so many has the wrong file."""
        return self._reported[severity] >= MAX_PROBLEMS

    def place(self, node: Node, *, of_key: bool = False) -> Place:
        """Where `node` was written."""
        if node.label:
            return Place(node.label)
        source = self.document.path if self.document else str(self.origin)
        if of_key and node.key_line:
            return Place(source, node.key_line, node.key_column)
        return Place(source, node.line, node.column)

    def spelt(self, path: Path) -> Path:
        """`path` with its keys as their author spelt them."""
        keys = []
        node: Node | None = self.root
        for key in path:
            node = find(node, (key,)) if node is not None else None
            keys.append(node.key or key if node is not None else key)
        return tuple(keys)

    def report(
        self,
        sentence: str,
        node: Node,
        path: Path,
        *,
        severity: Severity = Severity.ERROR,
        detail: str = "",
        remedy: str = "",
        of_key: bool = False,
        show_value: bool = True,
    ) -> None:
        """Add a problem with the value at `path`; past `MAX_PROBLEMS` only that there are more."""
        self._reported[severity] += 1
        if self._reported[severity] > MAX_PROBLEMS:
            if self._reported[severity] == MAX_PROBLEMS + 1:
                more = f"More than {MAX_PROBLEMS} problems of this kind; the rest are not shown"
                self.problems.append(ConfigProblem(more, self.place(node), severity=severity))
            return
        self.problems.append(
            ConfigProblem(
                without_userinfo(sentence),
                self.place(node, of_key=of_key),
                severity=severity,
                detail=without_userinfo(detail),
                remedy=without_userinfo(remedy),
                field=without_userinfo(dotted(self.spelt(path))),
                value=shown_value(path, node) if show_value else None,
                origin=self.origin,
                source=self.document.text if self.document else "",
            )
        )


def shown_value(path: Path, node: Node) -> object:
    """The value as it may appear in a message: a scalar without secrets, or what kind it is."""
    if isinstance(node.value, dict):
        return "a mapping"
    if isinstance(node.value, list):
        return "a list"
    value = masked(path, node.value)
    return clean_line(value, 80) if isinstance(value, str) else value
