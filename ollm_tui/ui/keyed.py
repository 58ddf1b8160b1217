"""What keys do, whoever pressed, clicked or named them: act, or say why not just now."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from textual import events
from textual.app import App, SystemCommand
from textual.dom import DOMNode
from textual.screen import Screen

from ollm_tui.core.text import clean_pasted
from ollm_tui.ui import keymap
from ollm_tui.ui.possible import Situation, why_not
from ollm_tui.ui.rows import RowList

if TYPE_CHECKING:
    from textual.actions import ActionParseResult
    from textual.command import Provider
    from textual.notifications import Notification

PLACES: Mapping[str, tuple[str, ...]] = {
    "installed": (keymap.INSTALLED,),
    "running": (keymap.RUNNING,),
    "disk": (keymap.DISK,),
    "downloads": (keymap.DOWNLOADS,),
    "inspector": (keymap.INSPECTOR,),
    "router": (keymap.ROUTER, keymap.WHAT_IF),
}
"""Whose keys each widget of the panes has, by its id."""
REASON_S = 3.0
OPENING_LIMIT_S = 1.0
_REMEMBERED = 100  # keys that may be on their way at once
_TARGETS = ("app.", "focused.")


def _actions() -> "type[Provider]":
    from ollm_tui.ui.actions import Actions

    return Actions


class KeyedApp(App[None]):
    """An app whose bindings are those of the keymap, or what configuration makes of them."""

    COMMANDS = {_actions}  # noqa: RUF012  # Textual's own is one, too
    _keys: Sequence[keymap.Key] = keymap.KEYS

    def __init__(self) -> None:
        super().__init__()
        self._tried: deque[events.Key] = deque(maxlen=_REMEMBERED)
        self._refusal: Notification | None = None
        keymap.use(self._keys)

    @property
    def situation(self) -> Situation:
        """What there is to act on now."""
        return Situation()

    @property
    def panes(self) -> Screen[None]:
        """The screen with the panes, whatever stands above it."""
        main: Screen[None] = self.screen_stack[0]
        return main

    @property
    def place(self) -> str:
        """Whose keys apply in the pane that is active."""
        raise NotImplementedError

    @property
    def active_widget(self) -> DOMNode:
        """What stands for the pane that is active."""
        raise NotImplementedError

    def go_to(self, place: str) -> None:
        """Make the pane active to which a place belongs; nothing for other places."""
        raise NotImplementedError

    async def on_event(self, event: events.Event) -> None:
        # What is pasted comes from outside as well, and fields draw it as it is.
        if isinstance(event, events.Paste) and not event.is_forwarded:
            event.text = clean_pasted(event.text)
        if isinstance(event, events.Key) and not event.is_forwarded and await self._acted_on(event):
            return
        await super().on_event(event)

    async def _acted_on(self, event: events.Key) -> bool:
        """Act on a key before the next one is looked at, unless a field has the focus.

        Slow lines deliver keys in bundles. A key that went down to the widget and up again would
        act only when the ones after it had gone the same way, to whatever had the focus before:
        `/coder` would open the configuration.
        """
        screen = self.screen
        if not screen.is_mounted:  # a dialog that is just opening; it takes the focus then
            with suppress(TimeoutError):
                await asyncio.wait_for(screen._mounted_event.wait(), OPENING_LIMIT_S)
        if self.focused is not None and self.focused.check_consume_key("a", "a"):
            return False  # it takes letters, and some other keys, for itself
        self._tried.append(event)
        return await self._check_bindings(event.key, priority=True) or await self._check_bindings(
            event.key
        )

    async def _on_key(self, event: events.Key) -> None:
        # It went down and came up again because nothing is bound to it. Meanwhile the keys after
        # it have acted, a dialog may have closed, and something else be bound to it.
        if any(tried is event for tried in self._tried):
            event.prevent_default()

    def rebind(self, wanted: Mapping[str, str], changed: Callable[[], None]) -> None:
        """Have the keys that the configuration asks for; call `changed` when they are others."""
        from ollm_tui.ui.rebinding import rebind

        rebound = rebind(wanted).keys
        if rebound == tuple(self._keys):
            return
        self._keys = rebound
        keymap.use(rebound)
        keymap.put(self._bindings, rebound, keymap.EVERYWHERE)
        keymap.put(self.panes._bindings, rebound, keymap.PANES)
        for pane in self.panes.query(RowList):
            self.put_keys(pane)
            pane.respell()
        changed()

    def put_keys(self, pane: DOMNode) -> None:
        """Give a pane the keys in force, for one that has come later than they have."""
        keymap.put(pane._bindings, self._keys, keymap.LISTS, *PLACES.get(pane.id or "", ()))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action by name, the active pane's own first."""
        active = self.place
        of_forms = {keymap.LISTS, keymap.WHAT_IF, keymap.DOCTOR} - {active}
        for key in sorted(self._keys, key=lambda key: key.where != active):
            if key.palette and key.where not in of_forms:
                place = ", ".join(part for part in (keymap.cap(key), key.where) if part)
                reason = why_not(key.id, self.situation)
                yield SystemCommand(
                    key.description,
                    f"{place}. Not now: {reason}" if reason else place,
                    partial(self._run_key, key),
                )
        yield SystemCommand("Screenshot", "Save what is seen as SVG", self.deliver_screenshot)

    async def _run_key(self, key: keymap.Key) -> None:
        """Do what a key does, in the pane that it belongs to."""
        self.go_to(key.where)
        where = self if key.where == keymap.EVERYWHERE else self.active_widget
        await self.run_action(key.action, where)

    async def run_action(
        self,
        action: "str | ActionParseResult",
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """As Textual's, but what cannot be done now says why instead of nothing."""
        key = self._key_of(action, default_namespace)
        if key is not None and (reason := why_not(key.id, self.situation)):
            self.refuse(reason, key.description)
            return True
        return await super().run_action(action, default_namespace, namespaces)

    def refuse(self, reason: str, title: str = "") -> None:
        """Say why a key does nothing, in place of what was said of the one before.

        Keys come faster than toasts go, and a stack of them would hide what the keys are for.
        """
        from textual.notifications import Notification

        if self._refusal is not None:
            self._unnotify(self._refusal, refresh=False)
        self._refusal = Notification(reason, title, timeout=REASON_S, markup=False)
        # Not by a message, as Textual's own: the next key may be here before that is.
        self._notifications.add(self._refusal)
        self._refresh_notifications()

    def _key_of(
        self, action: "str | ActionParseResult", namespace: DOMNode | None
    ) -> keymap.Key | None:
        """The binding behind an action of the panes or the app; None = of a dialog, or none."""
        if not isinstance(action, str) or self.screen is not self.panes:
            return None
        target, name = "", action
        if action.startswith(_TARGETS):
            target, _, name = action.partition(".")
        widget = self.active_widget if target == "focused" else namespace
        own = PLACES.get(getattr(widget, "id", None) or "", ())
        # A pane's own comes first: undoing what is tried is something else than undoing a delete.
        for places in (own, (keymap.PANES, keymap.EVERYWHERE)):
            for key in self._keys:
                if key.action in (action, name) and key.where in places:
                    return key
        return None
