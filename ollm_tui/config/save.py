"""A change to a configuration file from plan to disk: shown first, then written as a whole.

Knows nothing of who asks.
"""

import difflib
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from ollm_tui.config.atomic import write_atomically
from ollm_tui.config.change import Change
from ollm_tui.config.check import check_keys, check_values
from ollm_tui.config.document import parse_document
from ollm_tui.config.edit import edited
from ollm_tui.config.layer import Layer, SourceFile
from ollm_tui.config.problem import Severity
from ollm_tui.config.reference import example_yaml
from ollm_tui.config.secret import redacted
from ollm_tui.core.error import ConfigError

BACKUP_SUFFIX = ".bak"
_CONTEXT_LINES = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """A change that has not been made yet."""

    file: SourceFile
    before: str = field(repr=False)
    after: str = field(repr=False)
    notes: tuple[str, ...] = ()
    """What to know before it is made, such as who else decides; a sentence each."""

    @property
    def patch(self) -> str:
        """The change as a unified diff, without secrets."""
        before, after = self.before.splitlines(), self.after.splitlines()
        # Compared as they are, since a secret for another secret is a change, too.
        groups = difflib.SequenceMatcher(None, before, after).get_grouped_opcodes(_CONTEXT_LINES)
        before, after = redacted(before), redacted(after)
        lines = [f"--- {self.file.path}", f"+++ {self.file.path}"]
        for group in groups:
            (_, i, _, k, _), (_, _, j, _, m) = group[0], group[-1]
            lines.append(f"@@ -{_range(i, j)} +{_range(k, m)} @@")
            for tag, i, j, k, m in group:
                if tag == "equal":
                    lines += [f" {line}" for line in before[i:j]]
                    continue
                lines += [f"-{line}" for line in before[i:j]]
                lines += [f"+{line}" for line in after[k:m]]
        return "\n".join(lines)


def _range(start: int, end: int) -> str:
    """Lines as unified diffs count them."""
    return f"{start + 1 if end > start else start},{end - start}"


def plan_changes(file: SourceFile, changes: Sequence[Change]) -> Plan:
    """Work out a change without making it.

    Args:
        file: as it was read when the configuration was loaded.

    Raises:
        ConfigError: the file has changed since, a value is not allowed, or the file is laid out
            in a way that is not changed by a program.
    """
    before = _read_unchanged(file)
    was = _layer(file, before)
    changes = [Change(was.spelt(change.path), change.value) for change in changes]
    after = edited(before, changes, file.path)
    layer = _layer(file, after)
    check_values(layer)
    paths = {".".join(change.path) for change in changes}
    for problem in layer.problems:
        if problem.severity is Severity.ERROR and problem.field.replace('"', "") in paths:
            raise ConfigError(problem.sentence, cause=problem.detail, actions=(problem.remedy,))
    return Plan(file, before, after)


def _layer(file: SourceFile, text: str) -> Layer:
    """What the file says, with its keys in the schema's spelling."""
    layer = Layer(file.origin, document=parse_document(text, file.path))
    root = layer.document.root if layer.document else None
    if root is not None and isinstance(root.value, dict):
        layer.root = root
    check_keys(layer)
    return layer


def write_plan(plan: Plan) -> SourceFile:
    """Make the change: back up the file beside it, then replace it as a whole.

    Returns:
        The file as it is now.

    Raises:
        ConfigError: the file has changed since it was read, or cannot be written; it is as it was.
    """
    path = FilePath(plan.file.path)
    _read_unchanged(plan.file)
    content = plan.after.encode()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = 0o600
        if plan.file.exists:
            mode = os.stat(path).st_mode & 0o777
            backup = path.with_name(path.name + BACKUP_SUFFIX)
            write_atomically(backup, plan.before.encode(), mode=mode)
        write_atomically(path, content, mode=mode)
    except OSError as error:
        raise ConfigError(
            f"{plan.file.path} was not written",
            cause=error.strerror or str(error),
            actions=("Check the folder's permissions and the free space; nothing has changed.",),
        ) from error
    digest = hashlib.sha256(content).hexdigest()
    return SourceFile(plan.file.path, plan.file.origin, True, digest, plan.file.trusted)


def example(path: FilePath) -> str:
    """What `create_example` would write, to be shown before it does.

    Raises:
        ConfigError: something is there already.
    """
    if os.path.lexists(path):
        raise _is_there(path)
    return example_yaml()


def create_example(path: FilePath) -> None:
    """Write the commented example file, never over a file that is there.

    Raises:
        ConfigError: something is there already, or the file cannot be written.
    """
    content = example_yaml().encode()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
    except FileExistsError as error:
        raise _is_there(path) from error
    except OSError as error:
        raise ConfigError(
            f"{path} was not written",
            cause=error.strerror or str(error),
            actions=("Check the folder's permissions and the free space.",),
        ) from error


def _is_there(path: FilePath) -> ConfigError:
    return ConfigError(
        f"{path} is there already",
        cause="an example is never written over a file",
        actions=("Edit it, or move it away first.",),
    )


def _read_unchanged(file: SourceFile) -> str:
    """The file's text, when it still is what was read."""
    try:
        raw = FilePath(file.path).read_bytes()
    except FileNotFoundError:
        raw = b""
        digest = ""
    except OSError as error:
        raise ConfigError(
            f"{file.path} cannot be read",
            cause=error.strerror or str(error),
            actions=("Check the file and its permissions.",),
        ) from error
    else:
        digest = hashlib.sha256(raw).hexdigest()
    if digest != file.digest:
        raise ConfigError(
            f"{file.path} has changed since it was read",
            cause="somebody else has edited it",
            actions=("Reload the configuration and make the change again.",),
        )
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{file.path} is not UTF-8 text", cause=str(error), actions=("Save it as UTF-8.",)
        ) from error
