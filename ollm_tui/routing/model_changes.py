"""Changes to the models themselves: which are there, and what is known of them. See `change.py`."""

from dataclasses import dataclass, replace

from ollm_tui.core.model import ModelInfo
from ollm_tui.core.text import clean_line
from ollm_tui.routing.change import Change, ChangeCode, Cost, Edit, Rank
from ollm_tui.routing.facts import enrich
from ollm_tui.routing.ranking import canonical_key, gigabytes
from ollm_tui.routing.situation import Situation


def virtual_model(name: str, situation: Situation) -> ModelInfo:
    """Return a model that is not there, as the catalogue, else the database, knows it."""
    key = canonical_key(name)
    known = next((m for m in situation.catalogue if canonical_key(m.name) == key), None)
    model = known or ModelInfo(name, display_name=clean_line(name))
    return enrich(model, situation.database)


@dataclass(frozen=True)
class InstallModel(Change):
    """Add a model, in place of one of its name."""

    model: ModelInfo
    """Need not be enriched."""

    code = ChangeCode.INSTALL_MODEL

    @property
    def subject(self) -> str:
        """The model's name."""
        return self.model.name

    def apply(self, situation: Situation) -> Situation:
        """Return the situation with the model, last."""
        key = canonical_key(self.model.name)
        others = [model for model in situation.models if canonical_key(model.name) != key]
        return situation.with_models([*others, enrich(self.model, situation.database)])

    def sentence(self, situation: Situation) -> str:
        """Say which, and how large it is."""
        size = self.model.size_bytes
        about = f" (about {gigabytes(size)})" if size else ""
        return clean_line(f"Install {self.model.display_name}{about}.")

    def cost(self, situation: Situation) -> Cost:
        """Bytes to download; unknown sizes come last."""
        return Cost(Rank.INSTALL, self.model.size_bytes if self.model.size_bytes > 0 else 2**63)


@dataclass(frozen=True)
class RemoveModel(Change):
    """Delete an installed model."""

    name: str
    """Raw, exactly as in the list."""

    code = ChangeCode.REMOVE_MODEL

    @property
    def subject(self) -> str:
        """The model's name."""
        return self.name

    def apply(self, situation: Situation) -> Situation:
        """Return the situation without the model."""
        if situation.model(self.name) is None:
            return situation
        return situation.with_models([m for m in situation.models if m.name != self.name])

    def sentence(self, situation: Situation) -> str:
        """Say which."""
        return clean_line(f"Delete {self.name}.")

    def cost(self, situation: Situation) -> Cost:
        """Bytes that are gone."""
        model = situation.model(self.name)
        return Cost(Rank.REMOVE, max(model.size_bytes, 0) if model else 0)


@dataclass(frozen=True)
class DescribeContext(Change):
    """Tell how much context a model has of which nobody knows."""

    name: str
    """Raw, exactly as in the list."""
    tokens: int

    code = ChangeCode.DESCRIBE_CONTEXT

    @property
    def subject(self) -> str:
        """The model's name."""
        return self.name

    def apply(self, situation: Situation) -> Situation:
        """Return the situation with the model's context told, unless the provider tells it."""
        model = situation.model(self.name)
        if model is None or model.sources.get("context_window") not in ("default", "user"):
            return situation
        sources = {**model.sources, "context_window": "user"}
        told = replace(model, context_window=self.tokens, sources=sources)
        return situation.with_models([told if m is model else m for m in situation.models])

    def sentence(self, situation: Situation) -> str:
        """Say what to look up."""
        return clean_line(
            f"If {self.name} has {self.tokens:,} tokens of context, say so under `database`."
        )

    def cost(self, situation: Situation) -> Cost:
        """One statement."""
        return Cost(Rank.DESCRIBE)

    def edits(self, situation: Situation) -> tuple[Edit, ...]:
        """Return the one key of the model's database entry."""
        return (Edit(("database", self.name, "contextWindow"), self.tokens),)


@dataclass(frozen=True)
class SetNumCtx(Change):
    """Have the server give a model, or every model, so much context."""

    tokens: int
    name: str | None = None
    """Raw, exactly as in the list; None = every model."""

    code = ChangeCode.SET_NUM_CTX

    @property
    def subject(self) -> str:
        """The model's name, or nothing for all of them."""
        return self.name or ""

    def apply(self, situation: Situation) -> Situation:
        """Return the situation with the context served; at most what a model was trained on."""
        if self.name is None:
            return situation.with_config(replace(situation.config, num_ctx=self.tokens))
        return situation.with_models(
            [self._served(m) if m.name == self.name else m for m in situation.models]
        )

    def _served(self, model: ModelInfo) -> ModelInfo:
        return replace(
            model,
            served_context_tokens=min(self.tokens, model.context_window or self.tokens),
            sources={**model.sources, "served_context_tokens": "user"},
        )

    def sentence(self, situation: Situation) -> str:
        """Say how much, and for which model."""
        whose = f" for {self.name}" if self.name else ""
        return clean_line(f"Set numCtx to {self.tokens:,}{whose}, so that the server gives it.")

    def cost(self, situation: Situation) -> Cost:
        """Tokens to be served."""
        return Cost(Rank.SERVED_CONTEXT, self.tokens)

    def edits(self, situation: Situation) -> tuple[Edit, ...]:
        """Return the option's key."""
        where = ("options",) if self.name is None else ("models", self.name)
        return (Edit((*where, "numCtx"), self.tokens),)
