"""Every error of ours, in one tree. Each carries what failed, why, and what to do next.

OllmError
├── InvalidName                a model name that fails the grammar
├── FilterError                a filter of a list that means nothing
├── ConfigError                a setting that cannot be used; carries its problems
├── ProviderError
│   ├── ProviderOffline        nobody answers: refused, no such host, timeout, 502, 503, 504
│   ├── ProviderRefused        an HTTP status that says no
│   ├── ProviderGarbled        an answer that is not what the API promises
│   └── StoreError             a model store on disk that cannot be read or written as asked
├── ModelNotFound              not installed, or not in the registry
├── ModelInUse                 loaded, or being downloaded
├── DownloadFailed             a pull ended without success
│   ├── NotEnoughSpace         the disk is too full for it; carries the bytes
│   └── HttpsMissing           the registry answers in plain http only
├── DeleteFailed
├── Unsupported                this provider cannot do that
└── RoutingError
    ├── UnknownProfile
    ├── NoCompatibleModels     every model was dropped; carries the decision
    ├── NoModelsInstalled
    ├── DefaultNotInstalled    routing is off and model.default is not installed
    ├── PinnedNotInstalled     the model asked for by name is not installed
    ├── OverrideNotInstalled   overrides are strict and one names no installed model
    ├── ScenarioError          a scenario file that cannot be run; carries its problems
    └── PatternSyntaxError     a glob that means nothing; carries the column

Errors carry facts; `ui` and `cli` word units. Texts are sanitised here: causes quote servers.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ollm_tui.core.text import clean_line

if TYPE_CHECKING:
    from ollm_tui.core.unused import UnusedModel


class OllmError(Exception):
    """Something the user can understand and act on.

    Attributes:
        message: what failed, one sentence.
        cause: why, as far as known; may be empty.
        actions: what to do next, at least one, most helpful first.
    """

    default_actions: tuple[str, ...] = ("Try again; the log (--log-file FILE) has the details.",)

    def __init__(self, message: str, *, cause: str = "", actions: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = clean_line(message)
        self.cause = clean_line(cause)
        self.actions = tuple(clean_line(action) for action in actions) or self.default_actions

    def __str__(self) -> str:
        return f"{self.message} ({self.cause})" if self.cause else self.message

    @property
    def in_words(self) -> str:
        """What failed and what helps most, as sentences for one line."""
        what = str(self)
        return f"{what}{'' if what.endswith('?') else '.'} {self.actions[0]}"


class InvalidName(OllmError):
    """A model name that fails the grammar of `ModelName`."""

    default_actions = (
        "Write a name as model, model:tag, namespace/model:tag or host/namespace/model:tag.",
    )


class FilterError(OllmError):
    """A filter of a list that means nothing."""

    default_actions = ("Write words of the name, or conditions such as cap:tools ctx>=32k.",)


class ConfigError(OllmError):
    """A setting that cannot be used."""

    default_actions = ("Run `ollm-tui config check` to see every problem with its place.",)


class ProviderError(OllmError):
    """The provider could not do what was asked.

    Attributes:
        retry_after_s: how long the provider asks to be left alone, where it says so.
    """

    retry_after_s: float | None = None


class ProviderOffline(ProviderError):
    """Nobody answers at the provider's address."""

    default_actions = (
        "Start it with `ollama serve`.",
        "Name another server with --host or OLLAMA_HOST.",
    )


class ProviderRefused(ProviderError):
    """The provider answered with an HTTP status that says no.

    Attributes:
        status: the HTTP status, 400 to 599.
    """

    def __init__(
        self, message: str, *, status: int, cause: str = "", actions: Sequence[str] = ()
    ) -> None:
        super().__init__(message, cause=cause, actions=actions)
        self.status = status


WRONG_SERVER = (
    "Check the address (--host or OLLAMA_HOST): another program, a proxy or a login page answers.",
    "Start Ollama with `ollama serve`, on another port if that program keeps this one.",
)
"""What to do when something answers that is not Ollama."""


class ProviderGarbled(ProviderError):
    """The answer is not what the API promises: HTML, cut JSON, a wrong shape, too much of it."""

    default_actions = WRONG_SERVER


class StoreError(ProviderError):
    """A model store on disk, or a file in it, that cannot be read or written as asked."""

    default_actions = (
        "Check the store's files and permissions; OLLAMA_MODELS names another store.",
    )


class ModelNotFound(OllmError):
    """No such model, here or in the registry."""

    default_actions = ("Run `ollm-tui list` to see what is installed.",)


class ModelInUse(OllmError):
    """The model is loaded or being downloaded, so it is not deleted."""

    default_actions = ("Unload it first (`ollm-tui stop NAME`), then delete.",)


class DownloadFailed(OllmError):
    """A pull ended without success. What has arrived stays on the server for the next try.

    Attributes:
        retryable: whether trying again can help without the user changing anything.
    """

    default_actions = ("Check the connection and retry; what has arrived is kept.",)

    def __init__(
        self, message: str, *, cause: str = "", actions: Sequence[str] = (), retryable: bool = True
    ) -> None:
        super().__init__(message, cause=cause, actions=actions)
        self.retryable = retryable


class NotEnoughSpace(DownloadFailed):
    """The disk is too full for a download. What has arrived stays and is used once there is room.

    Attributes:
        needed_bytes: what is still to be written; 0 = unknown.
        free_bytes: what the disk has left for it; None = unknown.
        reason: what the provider said; empty where the bytes are all that is known.
        unused: what could be deleted, largest first, where anyone has looked.
    """

    default_actions = ("Free disk space where the models are kept, then retry.",)

    unused: Sequence["UnusedModel"] = ()

    def __init__(
        self,
        message: str,
        *,
        needed_bytes: int = 0,
        free_bytes: int | None = None,
        cause: str = "",
        actions: Sequence[str] = (),
    ) -> None:
        facts = ((needed_bytes or None, "needed"), (free_bytes, "free"))
        known = ", ".join(f"{count} bytes are {word}" for count, word in facts if count is not None)
        super().__init__(message, cause=cause or known, actions=actions, retryable=False)
        self.reason = clean_line(cause)
        self.needed_bytes = needed_bytes
        self.free_bytes = free_bytes


class HttpsMissing(DownloadFailed):
    """The registry answers in plain http, which is used only for a name that asks for it.

    Attributes:
        registry: its host, with the port that was asked.
    """

    def __init__(self, registry: str, *, cause: str = "") -> None:
        super().__init__(
            f"{registry} does not speak https",
            cause=cause,
            actions=(f"For plain http begin the model's name with http://{registry}/.",),
            retryable=False,
        )
        self.registry = clean_line(registry)


class DeleteFailed(OllmError):
    """The model could not be removed, or not wholly."""

    default_actions = ("Check the permissions of the model store and refresh the list.",)


class Unsupported(OllmError):
    """This provider cannot do that."""


class RoutingError(OllmError):
    """No model can be named.

    Attributes:
        code: what went wrong, stable, for scripts.
        decision: the whole decision, where there is one.
    """

    code = "ROUTING"

    def __init__(
        self,
        message: str,
        *,
        cause: str = "",
        actions: Sequence[str] = (),
        decision: object | None = None,
    ) -> None:
        super().__init__(message, cause=cause, actions=actions)
        self.decision = decision


class UnknownProfile(RoutingError):
    """No routing profile has that name."""

    code = "UNKNOWN_PROFILE"
    default_actions = ("Run `ollm-tui route --all` to see every profile.",)


class NoCompatibleModels(RoutingError):
    """Models are installed, but every one of them was dropped.

    Attributes:
        commonest: the code that dropped most of them. Source: ruling Z20.
    """

    code = "NO_COMPATIBLE"

    def __init__(
        self, message: str, *, commonest: str, cause: str = "", actions: Sequence[str] = ()
    ) -> None:
        super().__init__(message, cause=cause, actions=actions)
        self.commonest = commonest


class NoModelsInstalled(RoutingError):
    """There is nothing to choose from."""

    code = "NO_MODELS_INSTALLED"
    default_actions = ("Pull a model first, for example `ollm-tui pull llama3.2:3b`.",)


class DefaultNotInstalled(RoutingError):
    """Routing is off, and the default model is not among those installed."""

    code = "DEFAULT_NOT_INSTALLED"


class PinnedNotInstalled(RoutingError):
    """The model asked for by name is not among those installed."""

    code = "PINNED_NOT_INSTALLED"


class OverrideNotInstalled(RoutingError):
    """Overrides are strict, and the one for this profile names no installed model."""

    code = "OVERRIDE_NOT_INSTALLED"


class ScenarioError(RoutingError):
    """A scenario file that cannot be run.

    Attributes:
        problems: everything wrong with it, in file order, each with its place.
    """

    code = "SCENARIO"

    def __init__(self, message: str, *, problems: Sequence[str]) -> None:
        super().__init__(message, cause=problems[0], actions=problems)
        self.problems = tuple(clean_line(problem) for problem in problems)


class PatternSyntaxError(RoutingError):
    """A glob pattern that means nothing.

    Attributes:
        pattern: the pattern as written.
        column: where it goes wrong, from 1.
    """

    code = "PATTERN_SYNTAX"
    default_actions = (
        "Use * for anything, ? for one character, [abc] or [!abc] for one of a set.",
    )

    def __init__(self, message: str, *, pattern: str, column: int) -> None:
        super().__init__(message, cause=f"column {column} of {pattern!r}")
        self.pattern = pattern
        self.column = column


def closest(word: str, known: Iterable[str], *, count: int = 3, cutoff: float = 0.6) -> list[str]:
    """Return the names most like `word`, best first, compared without case; for "did you mean"."""
    import difflib  # rarely needed, and not cheap

    by_fold: dict[str, str] = {}
    for name in known:
        by_fold.setdefault(name.casefold(), name)
    matches = difflib.get_close_matches(word.casefold(), by_fold, n=count, cutoff=cutoff)
    return [by_fold[match] for match in matches]
