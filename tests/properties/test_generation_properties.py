"""Properties 14 to 16 of the design on the wire: what a server is sent by `ollm-tui run`.

What is expected is worked out here from the layers drawn, with a table of wire names of its own.
"""

import contextlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ollm_tui.cli.main import main
from ollm_tui.sandbox.roster import model_like
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT

MINE, OTHER, THEIRS = MODELS = ("mine:1", "mine:2", "theirs:7b")
WIRE = {
    "temperature": "temperature",
    "maxTokens": "num_predict",
    "topP": "top_p",
    "topK": "top_k",
    "repeatPenalty": "repeat_penalty",
    "numCtx": "num_ctx",
}
SPOKEN = {
    "temperature": ("--temperature", "OLLM_TEMPERATURE"),
    "maxTokens": ("--max-tokens", "OLLM_MAX_TOKENS"),
    "numCtx": ("--context-size", "OLLM_CONTEXT_SIZE"),
}
"""The options that have a flag and a variable."""

VALUES: dict[str, st.SearchStrategy[float]] = {
    "temperature": st.integers(0, 20).map(lambda tenths: tenths / 10),
    "maxTokens": st.integers(1, 2**31 - 1),
    "topP": st.floats(0, 1),
    "topK": st.integers(0, 1000),
    "repeatPenalty": st.floats(0, 10),
    "numCtx": st.integers(1, 2**20),
}
OPTIONS = st.fixed_dictionaries({}, optional=VALUES)
SPOKEN_OPTIONS = st.fixed_dictionaries({}, optional={key: VALUES[key] for key in SPOKEN})
WORDS = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789 _-:#'é", min_size=1, max_size=12)
DATA = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(WORDS, below, max_size=3),
    max_leaves=5,
)
# Those that the configuration has a word for too are left out: their values have bounds.
KNOWN = {
    "seed": "seed",
    "numGpu": "num_gpu",
    "num_thread": "num_thread",
    "useMmap": "use_mmap",
    "stop": "stop",
    "minP": "min_p",
}
PROVIDER_OPTIONS = st.dictionaries(st.sampled_from(sorted(KNOWN)) | WORDS, DATA, max_size=4).filter(
    lambda said: len({key.replace("_", "").casefold() for key in said}) == len(said)
)
DEFAULT_EXAMPLES = settings.default.max_examples if settings.default else 200
HALF = settings(
    max_examples=max(50, DEFAULT_EXAMPLES // 2),
    # An example takes a whole run of the program, so a failure is told as it was found.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


@dataclass
class Layers:
    """What each source says, strongest first."""

    flags: Mapping[str, float] = field(default_factory=dict)
    env: Mapping[str, float] = field(default_factory=dict)
    workspace: Mapping[str, object] = field(default_factory=dict)
    user: Mapping[str, object] = field(default_factory=dict)


Send = Callable[..., dict[str, object]]


@pytest.fixture(scope="module")
def send(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Send]:
    """Runs `ollm-tui run` under some layers, and gives the body of the one chat it sent."""
    folder = tmp_path_factory.mktemp("layers")
    models = [model_like(name, "llama", 10**9, 8192, ("completion",)) for name in MODELS]
    workspace, home = folder / "workspace" / ".ollm", folder / "home"
    for place in (workspace, home):
        place.mkdir(parents=True)

    def write(place: Path, data: object) -> None:
        (place / "config.yaml").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")

    with SandboxServer(timing=INSTANT, models=models) as server:

        def send(layers: Layers, model: str = MINE) -> dict[str, object]:
            write(workspace, layers.workspace)
            write(home, layers.user)
            env = {SPOKEN[key][1]: str(value) for key, value in layers.env.items()}
            flags = [f"{SPOKEN[key][0]}={value}" for key, value in layers.flags.items()]
            arguments = ["run", "Hi", "--model", model, "--host", server.host, "--json", *flags]
            out, err = io.StringIO(), io.StringIO()
            server.clear()
            with (
                mock.patch.dict(os.environ, {**env, "OLLM_HOME": str(home)}),
                contextlib.chdir(workspace.parent),
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
            ):
                assert main(arguments) == 0, err.getvalue()
            (body,) = (item.body for item in server.requests if item.path == "/api/chat")
            assert isinstance(body, dict)
            assert set(body) - {"options"} == {"model", "messages", "stream"}
            assert body["model"] == model
            assert body["messages"] == [{"role": "user", "content": "Hi"}]
            assert body.get("options") != {}  # no options, no key
            said = json.loads(out.getvalue())["options"]
            sent = body.get("options", {})
            # What the program says is sent is what is sent, no more and no less.
            named = {item["name"].partition(".")[0].strip('"') for item in said}
            assert {WIRE.get(name) or KNOWN.get(name) or name for name in named} == set(sent)
            return dict(sent)

        yield send


def on_the_wire(options: Mapping[str, object]) -> dict[str, object]:
    return {WIRE.get(key) or KNOWN.get(key) or key: value for key, value in options.items()}


def exactly(data: object) -> str:
    """Equal for equal JSON only: 1, 1.0 and true are three values."""
    return json.dumps(data, sort_keys=True)


@given(SPOKEN_OPTIONS, SPOKEN_OPTIONS, OPTIONS, OPTIONS)
@HALF
def test_property_14_exactly_the_configured_options_are_sent(
    send: Send,
    flags: dict[str, float],
    env: dict[str, float],
    workspace: dict[str, float],
    user: dict[str, float],
) -> None:
    """Feature: stage-07-model-management, Property 14: For any configured generation parameters
    (temperature, maxTokens, topP), those parameters should be applied to model requests."""
    layers = Layers(flags, env, {"options": workspace}, {"options": user})
    assert send(layers) == on_the_wire({**user, **workspace, **env, **flags})


@given(PROVIDER_OPTIONS, OPTIONS)
@HALF
def test_property_15_provider_options_arrive_unmodified(
    send: Send, provider: dict[str, object], general: dict[str, float]
) -> None:
    """Feature: stage-07-model-management, Property 15: For any provider-specific options in
    configuration, those options should be passed to the provider adapter without modification."""
    user = {"providers": {"ollama": {"options": provider}}, "options": general}
    sent = send(Layers(user=user))
    expected = on_the_wire(general)
    assert {key: value for key, value in sent.items() if key in expected} == expected
    others = {key: value for key, value in sent.items() if key not in expected}
    assert exactly(others) == exactly(on_the_wire(provider))


@given(OPTIONS, OPTIONS, OPTIONS, PROVIDER_OPTIONS, SPOKEN_OPTIONS)
@HALF
def test_property_16_options_of_a_model_are_sent_to_that_model_only(
    send: Send,
    general: dict[str, float],
    own: dict[str, float],
    theirs: dict[str, float],
    provider: dict[str, object],
    flags: dict[str, float],
) -> None:
    """Feature: stage-07-model-management, Property 16: For any per-model options configured, those
    options should only be applied when that specific model is in use."""
    models = {MINE: {**own, "provider": provider}, "theirs:*": theirs}
    layers = Layers(flags, user={"options": general, "models": models})
    ours = send(layers, MINE)
    expected = on_the_wire({**general, **own, **flags})
    assert {key: value for key, value in ours.items() if key in expected} == expected
    others = {key: value for key, value in ours.items() if key not in expected}
    assert exactly(others) == exactly(on_the_wire(provider))
    assert send(layers, THEIRS) == on_the_wire({**general, **theirs, **flags})
    assert send(layers, OTHER) == on_the_wire({**general, **flags})
