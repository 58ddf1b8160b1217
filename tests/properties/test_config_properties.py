"""Properties 14 to 19 of the design, and 1,000 layer mixes against an independent oracle."""

import json
import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ollm_tui.config import schema
from ollm_tui.config.inputs import Inputs
from ollm_tui.config.lint import Knowledge
from ollm_tui.config.manager import ConfigManager
from ollm_tui.config.option import options_for
from ollm_tui.config.problem import Origin, Severity
from ollm_tui.config.resolve import Effective, load_config
from ollm_tui.core.error import InvalidName
from ollm_tui.core.name import parse_name

PROFILES = ("fast", "general", "code", "creative")
KNOWLEDGE = Knowledge(profiles=PROFILES)
SENTENCES = {
    "temperature": "Temperature must be between 0.0 and 2.0.",
    "maxTokens": "Max tokens must be positive.",
    "topP": "Top P must be between 0.0 and 1.0.",
}

OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.floats(0, 2),
        "maxTokens": st.integers(1, 2**31 - 1),
        "topP": st.floats(0, 1),
        "topK": st.integers(0, 1000),
        "repeatPenalty": st.floats(0, 10),
        "numCtx": st.integers(1, 2**20),
    },
)
WORDS = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789 _-:#'é", min_size=1, max_size=12)
DATA = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(WORDS, below, max_size=3),
    max_leaves=5,
)
FREE_OPTIONS = st.dictionaries(
    WORDS, DATA, max_size=4
).filter(lambda d: len({key.replace("_", "").casefold() for key in d}) == len(d))  # fmt: skip
TENTHS = st.integers(0, 20).map(lambda tenths: tenths / 10)
NUMBERS = st.floats() | st.integers(-(10**12), 10**12)
NOT_NUMBERS = st.booleans() | WORDS | st.lists(st.integers(), max_size=2)


DEFAULT_EXAMPLES = settings.default.max_examples if settings.default else 200
pytestmark = pytest.mark.timeout(0 if DEFAULT_EXAMPLES > 1000 else 30)
HALF = settings(max_examples=max(100, DEFAULT_EXAMPLES // 2))

Load = Callable[..., Effective]


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    """What is in force when the user's file says `data`."""
    home = tmp_path_factory.mktemp("home")

    def load(
        data: object,
        flags: Mapping[str, object] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Effective:
        (home / "config.yaml").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        inputs = Inputs(flags or {}, {**(env or {}), "OLLM_HOME": str(home)}, Path("/"), home)
        return load_config(inputs, KNOWLEDGE)

    return load


@given(OPTIONS, st.sampled_from(["m:1", "other/name", "not a name"]))
@HALF
def test_property_14_configured_options_are_what_is_sent(
    load: Load, options: dict[str, float], model: str
) -> None:
    """Feature: stage-07-model-management, Property 14: For any configured generation parameters
    (temperature, maxTokens, topP), those parameters should be applied to model requests."""
    effective = load({"options": options})
    assert effective.problems == ()
    assert options_for(effective, model).generation == options


@given(FREE_OPTIONS)
@HALF
def test_property_15_provider_options_pass_untouched(
    load: Load, options: dict[str, object]
) -> None:
    """Feature: stage-07-model-management, Property 15: For any provider-specific options in
    configuration, those options should be passed to the provider adapter without modification."""
    effective = load({"providers": {"ollama": {"options": options}}})
    assert effective.errors == ()
    assert json.dumps(effective.connection.options, default=dict) == json.dumps(options)
    assert options_for(effective, "m").provider == options


@given(OPTIONS, OPTIONS, OPTIONS, FREE_OPTIONS)
@HALF
def test_property_16_options_of_a_model_stay_with_that_model(
    load: Load,
    general: dict[str, float],
    own: dict[str, float],
    others: dict[str, float],
    provider: dict[str, object],
) -> None:
    """Feature: stage-07-model-management, Property 16: For any per-model options configured, those
    options should only be applied when that specific model is in use."""
    models = {"mine:1": {**own, "provider": provider}, "theirs:*": others}
    effective = load({"options": general, "models": models})
    said = {key.replace("_", "").casefold() for key in provider}
    expected = {k: v for k, v in general.items() if k.casefold() not in said} | own
    assert options_for(effective, "mine:1").generation == expected
    assert options_for(effective, "mine:1").provider == provider
    assert options_for(effective, "theirs:7b").generation == general | others
    assert options_for(effective, "mine:2").generation == general
    assert options_for(effective, "mine:2").provider == {}


@given(
    st.sampled_from(["temperature", "maxTokens", "topP", "topK", "repeatPenalty", "numCtx"]),
    NOT_NUMBERS,
    st.sampled_from(["a b", "", "@", "x/y/z/w:1", "http://h/n/m", "-x", "m:", 3, True, ["m"]]),
    st.sampled_from(["", "nope", "genera", 3, False]),
)
def test_property_17_every_mistake_is_reported_with_its_field_and_why(
    key: str, value: object, model: object, profile: object
) -> None:
    """Feature: stage-07-model-management, Property 17: For any invalid configuration, the
    validation should reject it and return a descriptive error message indicating which field is
    invalid and why."""
    manager = ConfigManager(Inputs(), KNOWLEDGE)
    routing = {"defaultProfile": profile, "overrides": {"code": model}}
    result = manager.validate_config({"options": {key: value}, "model": {"routing": routing}})
    assert not result.valid
    by_field = {error.field: error.message for error in result.errors}
    assert set(by_field) == {
        f"options.{key}",
        "model.routing.overrides.code",
        "model.routing.defaultProfile",
    }
    assert by_field[f"options.{key}"].startswith(SENTENCES.get(key, ""))
    assert by_field["model.routing.overrides.code"].startswith("Invalid model name format.")
    assert by_field["model.routing.defaultProfile"].startswith("Unknown routing profile.")
    assert all("Got " in message and len(message) > 40 for message in by_field.values())


@given(st.data())
@HALF
def test_property_18_flags_beat_environment_beats_file(load: Load, data: st.DataObject) -> None:
    """Feature: stage-07-model-management, Property 18: For any configuration value specified in
    multiple sources (CLI flags, environment variables, config file), the effective value should
    follow the precedence: CLI > Env > File."""
    fields: dict[str, tuple[str, str, st.SearchStrategy[float]]] = {
        "temperature": ("temperature", "OLLM_TEMPERATURE", TENTHS),
        "maxTokens": ("max_tokens", "OLLM_MAX_TOKENS", st.integers(1, 10**6)),
        "numCtx": ("context_size", "OLLM_CONTEXT_SIZE", st.integers(1, 10**6)),
    }  # fmt: skip
    flags: dict[str, object] = {}
    env: dict[str, str] = {}
    file: dict[str, object] = {}
    expected: dict[str, tuple[object, Origin]] = {}
    for key, (flag, variable, values) in fields.items():
        expected[key] = (None, Origin.DEFAULT)
        if data.draw(st.booleans()):
            file[key] = data.draw(values)
            expected[key] = (file[key], Origin.USER)
        if data.draw(st.booleans()):
            said = data.draw(values)
            env[variable] = str(said)
            expected[key] = (said, Origin.ENV)
        if data.draw(st.booleans()):
            wanted = data.draw(values)
            flags[flag] = data.draw(st.sampled_from([wanted, str(wanted)]))
            expected[key] = (wanted, Origin.FLAG)
    effective = load({"options": file}, flags, env)
    for key, (value, origin) in expected.items():
        setting = effective.settings[("options", key)]
        assert (setting.value, setting.origin) == (value, origin)


@given(st.sampled_from(sorted(SENTENCES)), NUMBERS)
def test_property_19_bounds_of_parameters(key: str, value: float) -> None:
    """Feature: stage-07-model-management, Property 19: For any generation parameter, values
    outside the valid range should be rejected: temperature ∈ [0.0, 2.0], maxTokens > 0,
    topP ∈ [0.0, 1.0]."""
    is_whole = math.isfinite(value) and value == int(value)
    allowed = {
        "temperature": 0 <= value <= 2,
        "topP": 0 <= value <= 1,
        "maxTokens": is_whole and 0 < value <= 2**31 - 1,
    }[key]
    result = ConfigManager(Inputs(), KNOWLEDGE).validate_config({"options": {key: value}})
    assert result.valid is allowed
    if not allowed:
        (error,) = result.errors
        assert error.field == f"options.{key}"
        assert error.message.startswith(SENTENCES[key])


@given(st.text("aZ0_-.:/@ é", max_size=8))
def test_the_short_cut_for_model_names_never_disagrees_with_the_grammar(text: str) -> None:
    try:
        parse_name(text)
        is_valid = True
    except InvalidName:
        is_valid = False
    if schema._USUAL_NAME.fullmatch(text):
        assert is_valid
    result = ConfigManager(Inputs()).validate_config({"model": {"default": text}})
    assert result.valid is is_valid


# ---- 1,000 layer mixes ----------------------------------------------------------------------

Path_ = tuple[str, ...]


@dataclass
class _Field:
    """One setting of a mix: what may stand in it, and which flag and variable say it."""

    good: tuple[object, ...]
    bad: object
    default: object = None
    flag: str = ""
    variable: str = ""
    guarded: bool = False


FIELDS: dict[Path_, _Field] = {
    ("model", "default"): _Field(("a:1", "b", "c/d:e"), "a b", flag="model", variable="OLLM_MODEL"),
    ("model", "routing", "enabled"): _Field((True, False), "maybe", True),
    ("model", "routing", "defaultProfile"): _Field(PROFILES, "nope", "general", flag="profile"),
    ("model", "routing", "overrides", "code"): _Field(("x", "y", "z"), "x y"),
    ("model", "routing", "overrides", "fast"): _Field(("x", "y", "z"), "-"),
    ("model", "routing", "profiles", "mine", "preferredFamilies"): _Field(
        (["llama"], [], ["phi", "qwen"]), "llama"
    ),
    ("model", "routing", "profiles", "mine", "minContextWindow"): _Field((0, 1, 99), -1),
    ("options", "temperature"): _Field(
        (0, 0.5, 2), 2.5, flag="temperature", variable="OLLM_TEMPERATURE"
    ),
    ("options", "maxTokens"): _Field(
        (1, 7, 4096), 0, flag="max_tokens", variable="OLLM_MAX_TOKENS"
    ),
    ("options", "numCtx"): _Field((1, 2048), -3, flag="context_size", variable="OLLM_CONTEXT_SIZE"),
    ("options", "topP"): _Field((0.1, 0.9, 1), 1.5),
    ("models", "m-1", "topK"): _Field((1, 2), -1),
    ("providers", "ollama", "host"): _Field(
        ("http://a:1", "https://b"), "x:y", "http://127.0.0.1:11434", "host", "OLLM_HOST", True
    ),
    ("providers", "ollama", "timeoutS"): _Field((1.5, 30), 0, 15),
    ("providers", "ollama", "options", "numGpu"): _Field((1, "two", [3], False), None),
    ("providers", "ollama", "options", "deep", "er"): _Field((1, "two"), None),
    ("downloads", "concurrency"): _Field((1, 5, 16), 17, 2),
    ("ui", "reducedMotion"): _Field((True, False), "maybe", False),
}
FLAGS = {
    name: f"--{name.replace('_', '-')}"
    for name in ("model", "profile", "temperature", "max_tokens", "context_size", "host")
}
NOTHING = object()


@dataclass
class _Source:
    """What one source of a mix says, and where."""

    origin: Origin
    values: dict[Path_, object] = field(default_factory=dict)
    places: dict[Path_, str] = field(default_factory=dict)


def _pick(rng: random.Random, candidate: _Field, bad_too: bool) -> object:
    """A value, or nothing: half the time nothing, now and then a bad one or an empty one."""
    roll = rng.random()
    if roll < 0.5:
        return NOTHING
    if roll < 0.6 and bad_too:
        return candidate.bad
    return rng.choice(candidate.good)


def _written(source: _Source, name: str) -> str:
    """The source as YAML in block style; notes the place of every value."""
    tree: dict[str, object] = {}
    for path, value in source.values.items():
        here = tree
        for key in path[:-1]:
            here = here.setdefault(key, {})  # type: ignore[assignment]
        here[path[-1]] = (value,)
    lines: list[str] = []

    def write(here: Mapping[str, object], path: Path_) -> None:
        for key, value in here.items():
            indent = " " * (2 * len(path))
            if isinstance(value, tuple):
                lines.append(f"{indent}{key}: {json.dumps(value[0])}")
                column = len(indent) + len(key) + 3
                source.places[(*path, key)] = f"{name}:{len(lines)}:{column}"
            else:
                lines.append(f"{indent}{key}:")
                assert isinstance(value, dict)
                write(value, (*path, key))

    write(tree, ())
    return "\n".join(lines) + "\n"


def _mix(seed: int) -> tuple[list[_Source], dict[str, object], dict[str, str]]:
    rng = random.Random(seed)
    flags, env = _Source(Origin.FLAG), _Source(Origin.ENV)
    flag_values: dict[str, object] = {}
    variables: dict[str, str] = {}
    files = (
        [_Source(Origin.FILE)]
        if rng.random() < 0.2
        else [_Source(Origin.WORKSPACE), _Source(Origin.USER)]
    )
    for path, candidate in FIELDS.items():
        value = _pick(rng, candidate, bad_too=True)
        if candidate.flag and value is not NOTHING:
            flag_values[candidate.flag] = rng.choice([value, str(value)])
            flags.values[path], flags.places[path] = value, FLAGS[candidate.flag]
        value = _pick(rng, candidate, bad_too=True)
        if candidate.variable and value is not NOTHING:
            variables[candidate.variable] = rng.choice(["", " "]) + str(value)
            env.values[path], env.places[path] = value, f"env {candidate.variable}"
        for file in files:
            value = _pick(rng, candidate, bad_too=True)
            if value is not NOTHING:
                file.values[path] = None if rng.random() < 0.05 else value
    return [flags, env, *files], flag_values, variables


def _standing(sources: list[_Source], path: Path_) -> Iterator[tuple[object, Origin, str]]:
    """The values for one setting that count, strongest first: the oracle's whole idea."""
    candidate = FIELDS[path]
    for source in sources:
        value = source.values.get(path)
        is_bad = value is None or (candidate.bad is not None and value == candidate.bad)
        if is_bad or (candidate.guarded and source.origin is Origin.WORKSPACE):
            continue
        yield value, source.origin, source.places[path]
    if candidate.default is not None:
        yield candidate.default, Origin.DEFAULT, "default"


@pytest.mark.parametrize("block", range(10))
def test_a_thousand_layer_mixes_agree_with_the_oracle(block: int, tmp_path: Path) -> None:
    home = tmp_path / "h"
    workspace = home / "w"
    user_path, workspace_path = home / ".ollm/config.yaml", workspace / ".ollm/config.yaml"
    given_path = home / "given.yaml"
    for path in (user_path, workspace_path):
        path.parent.mkdir(parents=True)
    names = {Origin.USER: user_path, Origin.WORKSPACE: workspace_path, Origin.FILE: given_path}
    for seed in range(block * 100, block * 100 + 100):
        sources, flags, env = _mix(seed)
        config_file = None
        for source in sources[2:]:
            path = names[source.origin]
            path.write_text(_written(source, f"~/{path.relative_to(home)}"))
            config_file = given_path if source.origin is Origin.FILE else None
        effective = load_config(Inputs(flags, env, workspace, home, config_file), KNOWLEDGE)
        _compare(effective, sources, seed)


def _compare(effective: Effective, sources: list[_Source], seed: int) -> None:
    seen = set()
    settings = dict(effective.settings)
    for path in FIELDS:
        standing = list(_standing(sources, path))
        setting = settings.get(path)
        if not standing:
            unset = setting is None or (setting.value, setting.origin) == (None, Origin.DEFAULT)
            assert unset, (seed, path)
            continue
        assert setting is not None, (seed, path)
        value = list(setting.value) if isinstance(setting.value, tuple) else setting.value
        assert (value, setting.origin, str(setting.place)) == standing[0], (seed, path)
        shadows = [(s.value, s.origin, str(s.place)) for s in setting.shadows]
        assert shadows == standing[1:], (seed, path)
        seen.add(path)
    from_sources = {
        path
        for path, setting in settings.items()
        if setting.origin is not Origin.DEFAULT and setting.value != {}
    }
    assert from_sources <= seen, seed
    mistakes = sum(
        value is not None and value == FIELDS[path].bad
        for source in sources
        for path, value in source.values.items()
        if not (FIELDS[path].guarded and source.origin is Origin.WORKSPACE)
    )
    errors = [problem for problem in effective.problems if problem.severity is Severity.ERROR]
    assert len(errors) == mistakes, (seed, errors)
