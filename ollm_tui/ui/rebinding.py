"""The keys that configuration asks for, over those of the keymap: which hold, and what is wrong.

Pure: neither a widget nor Textual is needed to judge them.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ollm_tui.ui.keymap import (
    DOCTOR,
    EVERYWHERE,
    KEYS,
    LISTS,
    PANES,
    ROUTER,
    WHAT_IF,
    Key,
    cap,
)

_NAMES = frozenset(
    (
        *("up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete"),
        *("enter", "space", "tab", "escape", "backspace"),
        *(f"f{number}" for number in range(1, 25)),
    )
)
_MODIFIERS = ("ctrl", "alt", "shift", "super")
# What Textual calls these signs, where it is not their Unicode name.
_RENAMED = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}


class KeyProblem(NamedTuple):
    """What is wrong with one entry of `ui.keys`."""

    id: str
    sentence: str
    detail: str


class Rebound(NamedTuple):
    """The bindings in force."""

    keys: tuple[Key, ...]
    """In the order of the keymap; a binding may have lost its key."""
    problems: tuple[KeyProblem, ...] = ()


def rebind(wanted: Mapping[str, str], keys: Sequence[Key] = KEYS) -> Rebound:
    """Give bindings other keys.

    A key that is asked for is taken from a binding that has it by default where both would hold;
    of two that ask for one key the first of the keymap gets it.

    Args:
        wanted: binding id to keys, comma-separated, as written. Unknown ids are ignored.
    """
    problems: list[KeyProblem] = []
    asked: dict[str, tuple[str, ...]] = {}
    for key in keys:
        if key.id in wanted:
            names = []
            for text in wanted[key.id].split(","):
                name = key_name(text.strip())
                if name is None:
                    problems.append(_no_key(key, text.strip()))
                elif taker := _holder(name, key, keys, asked):
                    problems.append(
                        KeyProblem(
                            key.id,
                            f"{_shown(name)} is asked for twice",
                            f"{taker.id} has it, which acts {_where(taker)}",
                        )
                    )
                else:
                    names.append(name)
            if names:
                asked[key.id] = tuple(names)
    return Rebound(
        tuple(_after(key, keys, asked, problems) for key in keys),
        tuple(sorted(problems, key=lambda problem: list(wanted).index(problem.id))),
    )


def key_name(text: str) -> str | None:
    """The name of a key as Textual spells it, or None when there is no such key.

    `text` is a character such as `/`, a name such as f5 or pageup, or one of them after ctrl+,
    alt+ or shift+.
    """
    *modifiers, name = text.split("+") if len(text) > 1 and text[-1] != "+" else [text]
    if len(name) == 1:
        name = _sign(name)
    elif name.lower() in _NAMES:
        name = name.lower()
    elif name not in _RENAMED.values() and not _is_sign(name):
        return None
    lowered = [modifier.lower() for modifier in modifiers]
    if not name or any(modifier not in _MODIFIERS for modifier in lowered):
        return None
    return "+".join([*lowered, name])


def _sign(character: str) -> str:
    if character.isalnum():
        return character
    name = unicodedata.name(character, "").lower().replace("-", "_").replace(" ", "_")
    return _RENAMED.get(name, name)


def _is_sign(name: str) -> bool:
    """Whether it is the long name of a sign, such as left_square_bracket."""
    try:
        return not unicodedata.lookup(name.replace("_", " ")).isalnum()
    except KeyError:
        return False


def _after(
    key: Key,
    keys: Sequence[Key],
    asked: Mapping[str, tuple[str, ...]],
    problems: list[KeyProblem],
) -> Key:
    if key.id in asked:
        return key._replace(keys=",".join(asked[key.id]))
    left = []
    for name in key.keys.split(","):
        taker = _holder(name, key, keys, asked)
        if taker is None:
            left.append(name)
    if not left and key.keys:
        taker = _holder(key.keys.split(",")[0], key, keys, asked)
        assert taker is not None
        problems.append(
            KeyProblem(
                taker.id,
                f"{cap(key)} was the only key of {key.id}",
                f"“{key.description}” is now in the palette only",
            )
        )
    return key._replace(keys=",".join(left))


def _holder(
    name: str, key: Key, keys: Sequence[Key], asked: Mapping[str, tuple[str, ...]]
) -> Key | None:
    """The binding that has asked for a key and acts where `key` does."""
    for other in keys:
        if other.id != key.id and name in asked.get(other.id, ()) and _meet(other.where, key.where):
            return other
    return None


def _meet(one: str, other: str) -> bool:
    """Whether both places can have a key at the same time. Every pane is a list.

    A form has its keys before those that act everywhere, and a dialog has only its own.
    """
    if DOCTOR in (one, other):
        return one == other
    if WHAT_IF in (one, other):
        return {one, other} <= {WHAT_IF, ROUTER, LISTS}
    shared = (EVERYWHERE, PANES, LISTS)
    return one == other or one in shared or other in shared


def _no_key(key: Key, text: str) -> KeyProblem:
    return KeyProblem(
        key.id,
        f"“{text}” is no key",
        "Write a character, a name such as f5, space or pageup, or ctrl+x",
    )


def _where(key: Key) -> str:
    return "everywhere" if key.where in (EVERYWHERE, PANES) else f"in {key.where}"


def _shown(name: str) -> str:
    return cap(KEYS[0]._replace(keys=name))
