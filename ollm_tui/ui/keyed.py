"""What keys do, whoever pressed, clicked or named them: act, or say why not just now."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.app import App, SystemCommand
from textual.dom import DOMNode
from textual.screen import Screen

from ollm_tui.ui import keymap
from ollm_tui.ui.rows import RowList

if TYPE_CHECKING:
    from textual.actions import ActionParseResult

PANES = ("installed", "downloads", "inspector", "router")
PLACES = dict(
    zip(
        PANES,
        (keymap.INSTALLED, keymap.DOWNLOADS, keymap.INSPECTOR, keymap.ROUTER),
        strict=True,
    )
)
REASON_S = 3.0
_TARGETS = ("app.", "focused.")


class KeyedApp(App[None]):
    """An app whose bindings are those of the keymap, or what configuration makes of them."""

    _active = "installed"
    _keys: Sequence[keymap.Key] = keymap.KEYS

    @property
    def situation(self) -> keymap.Situation:
        """What there is to act on now."""
        return keymap.Situation()

    @property
    def panes(self) -> Screen[None]:
        """The screen with the panes, whatever stands above it."""
        main: Screen[None] = self.screen_stack[0]
        return main

    def action_pane(self, name: str) -> None:
        """Go to a pane."""
        raise NotImplementedError

    def rebind(self, wanted: Mapping[str, str], changed: Callable[[], None]) -> None:
        """Have the keys that the configuration asks for; call `changed` when they are others."""
        from ollm_tui.ui.rebinding import rebind

        rebound = rebind(wanted).keys
        if rebound == tuple(self._keys):
            return
        self._keys = rebound
        self.put_keys()
        changed()

    def put_keys(self) -> None:
        """Give the panes, which may be new ones, the keys in force."""
        keymap.put(self._bindings, self._keys, keymap.EVERYWHERE)
        keymap.put(self.panes._bindings, self._keys, keymap.PANES)
        for pane in self.panes.query(RowList):
            keymap.put(pane._bindings, self._keys, keymap.LISTS, PLACES.get(pane.id or "", ""))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action by name, the active pane's own first."""
        active = PLACES[self._active]
        for key in sorted(self._keys, key=lambda key: key.where != active):
            if key.palette and key.where != keymap.LISTS:
                place = ", ".join(part for part in (keymap.cap(key), key.where) if part)
                reason = keymap.why_not(key, self.situation)
                yield SystemCommand(
                    key.description,
                    f"{place}. Not now: {reason}" if reason else place,
                    partial(self._run_key, key),
                )
        yield SystemCommand("Screenshot", "Save what is seen as SVG", self.deliver_screenshot)

    async def _run_key(self, key: keymap.Key) -> None:
        """Do what a key does, in the pane that it belongs to."""
        for pane, place in PLACES.items():
            if key.where == place:
                self.action_pane(pane)
        pane_widget = self.panes.query_one(f"#{self._active}")
        await self.run_action(key.action, self if key.where == keymap.EVERYWHERE else pane_widget)

    async def run_action(
        self,
        action: "str | ActionParseResult",
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """As Textual's, but what cannot be done now says why instead of nothing."""
        key = self._key_of(action, default_namespace)
        if key is not None and (reason := keymap.why_not(key, self.situation)):
            self.notify(reason, title=key.description, timeout=REASON_S, markup=False)
            return True
        return await super().run_action(action, default_namespace, namespaces)

    def _key_of(
        self, action: "str | ActionParseResult", namespace: DOMNode | None
    ) -> keymap.Key | None:
        """The binding behind an action of the panes or the app; None = of a dialog, or none."""
        if not isinstance(action, str) or self.screen is not self.panes:
            return None
        target, name = "", action
        if action.startswith(_TARGETS):
            target, _, name = action.partition(".")
        pane = self._active if target == "focused" else getattr(namespace, "id", None)
        places = (keymap.EVERYWHERE, keymap.PANES, PLACES.get(pane or "", ""))
        for key in self._keys:
            if key.action in (action, name) and key.where in places:
                return key
        return None
