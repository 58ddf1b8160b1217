"""All that one made-up server consists of, besides its routes."""

from collections.abc import Iterable

from ollm_tui.sandbox.faults import Faults
from ollm_tui.sandbox.models import SandboxModel
from ollm_tui.sandbox.names import parse
from ollm_tui.sandbox.profile import Profile
from ollm_tui.sandbox.pull import Downloads
from ollm_tui.sandbox.record import Record
from ollm_tui.sandbox.store import Store
from ollm_tui.sandbox.timing import Timing


class World:
    """The store, the catalogue, the downloads, the knobs and the record of one server."""

    def __init__(
        self, store: Store, catalogue: Iterable[SandboxModel], profile: Profile, timing: Timing
    ) -> None:
        self.store = store
        self.profile = profile
        self.timing = timing
        self.faults = Faults()
        self.record = Record()
        self.downloads = Downloads(store, lambda: self.timing)
        self._catalogue = {model.name.lower(): model for model in catalogue}

    def offer(self, model: SandboxModel) -> None:
        """Put a model into the catalogue, or another version of one that is there."""
        self._catalogue[model.name.lower()] = model

    def on_offer(self, name: str) -> SandboxModel | None:
        """Return what a pull of `name` would bring; None where the registry knows nothing."""
        parsed = parse(name)
        if parsed is None:
            return None
        offered = self._catalogue.get(parsed.display.lower())
        installed = self.store.find(name)
        return offered or (installed.model if installed else None)
