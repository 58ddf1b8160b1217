"""Scenario files: what the router should decide, written down, and run as tests.

Takes plain data; where it stands in its file is asked of a function. Knows nothing of YAML.

Source: cli.md, scenario file; routing anchors B3, point 3.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ollm_tui.core.error import NoCompatibleModels, ScenarioError
from ollm_tui.core.model import ModelInfo
from ollm_tui.core.text import clean_line
from ollm_tui.routing import plain
from ollm_tui.routing.decision import Decision, Via
from ollm_tui.routing.facts import enrich
from ollm_tui.routing.profile import RoutingProfile, read_profile
from ollm_tui.routing.ranking import canonical_key
from ollm_tui.routing.router import Router
from ollm_tui.routing.snapshot import Path, read_models

Locate = Callable[[Path], str]
"""Where a value stands, as "file:line:column"."""


@dataclass(frozen=True, slots=True)
class Case:
    """One question to the router and the answer it should give."""

    name: str
    profile: str | RoutingProfile | None = None
    add: tuple[ModelInfo, ...] = ()
    """Take the place of models of the same name."""
    remove: tuple[str, ...] = ()
    overrides: Mapping[str, str] = field(default_factory=dict)
    """Over those of the configuration."""
    expect: Mapping[str, Any] = field(default_factory=dict)
    """By snake_case key: model, any_of, family, resolved_profile, via, reason, none, error."""


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """The cases of one file and the models they are about."""

    cases: tuple[Case, ...]
    models: tuple[ModelInfo, ...] | None = None
    """None: those installed, or those of `models_file`."""
    models_file: str | None = None
    """A snapshot to read, as written: relative to the scenario file."""
    memory_budget_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of one case."""

    case: Case
    decision: Decision
    family: str | None
    """Of the model chosen."""
    failures: tuple[str, ...]
    """Empty = passed."""


_EXPECT_PARSERS: Final[Mapping[str, plain.Parser]] = {
    "model": plain.name,
    "any_of": plain.name_list,
    "family": plain.text,
    "resolved_profile": plain.text,
    "via": plain.one_of(*Via),
    "reason": plain.text,
    "none": plain.flag,
    "error": plain.text,
}


def read_scenarios(data: object, locate: Locate | None = None) -> ScenarioFile:
    """Read the plain data of a scenario file.

    Args:
        data: what the parser gave.
        locate: where a value stands in the file; without it, problems name the keys.

    Raises:
        ScenarioError: with everything that is wrong, each with its place.
    """
    reader = _Reader(locate or _dotted)
    scenarios = reader.file(data)
    if reader.problems:
        count = len(reader.problems)
        raise ScenarioError(
            f"The scenario file has {count} problem{'s' if count > 1 else ''}",
            problems=reader.problems,
        )
    return scenarios


def run_scenarios(
    scenarios: ScenarioFile, router: Router, models: Sequence[ModelInfo] | None = None
) -> list[CaseResult]:
    """Run every case and return the results in the file's order.

    Args:
        router: with the profiles and settings that the cases are about.
        models: the installed ones or those of a snapshot, for a file without its own.
    """
    own = scenarios.models is not None or scenarios.models_file is not None
    budget = scenarios.memory_budget_bytes
    if budget is None and not own:
        budget = router.config.memory_budget_bytes
    router = router.with_config(replace(router.config, memory_budget_bytes=budget))
    base = scenarios.models if scenarios.models is not None else models or ()
    enriched = [enrich(model, router.database) for model in base]
    return [_run(case, router, enriched) for case in scenarios.cases]


def _run(case: Case, router: Router, base: Sequence[ModelInfo]) -> CaseResult:
    if case.overrides:
        overrides = {**router.config.overrides, **case.overrides}
        router = router.with_config(replace(router.config, overrides=overrides))
    models = base
    if case.add or case.remove:
        gone = {canonical_key(name) for name in (*case.remove, *(m.name for m in case.add))}
        models = [model for model in base if canonical_key(model.name) not in gone]
        models += [enrich(model, router.database) for model in case.add]
    decision = router.explain(case.profile, models)
    family = next((m.family for m in models if m.name == decision.model), None)
    failures = tuple(_failures(case.expect, decision, family))
    return CaseResult(case, decision, family, failures)


def _failures(expect: Mapping[str, Any], decision: Decision, family: str | None) -> list[str]:
    """What of an expectation does not hold, one sentence each."""
    if not expect:
        return ["nothing is expected; --update writes down what is decided now"]
    got = decision.model or "no model"
    actual = _actual(decision, family)
    failures = []
    for key, wanted in expect.items():
        if key == "any_of":
            holds = decision.model is not None and canonical_key(decision.model) in {
                canonical_key(name) for name in wanted
            }
            wanted, have = f"one of {', '.join(wanted)}", got
        elif key == "none":
            holds = (decision.model is None) is wanted
            wanted, have = ("no model" if wanted else "a model"), got
        elif key == "model":
            holds = decision.model is not None and (
                canonical_key(decision.model) == canonical_key(wanted)
            )
            have = got
        elif key == "error":
            codes = _error_codes(decision)
            holds, have = wanted in codes, " or ".join(codes) or "no error"
        else:
            holds = str(actual[key] or "").casefold() == str(wanted).casefold()
            have = actual[key] or "none"
        if not holds:
            failures.append(clean_line(f"{key}: expected {wanted}, got {have}"))
    return failures


def _actual(decision: Decision, family: str | None) -> dict[str, str | None]:
    return {
        "family": family,
        "resolved_profile": decision.resolved_profile,
        "via": decision.via and decision.via.value,
        "reason": decision.reason.value,
    }


def _error_codes(decision: Decision) -> list[str]:
    """The error's own code, and the commonest cause where nothing fits. Source: ruling Z20."""
    error = decision.error
    if error is None:
        return []
    commonest = [error.commonest] if isinstance(error, NoCompatibleModels) else []
    return [error.code, *commonest]


def updated_expectation(result: CaseResult) -> dict[str, Any]:
    """Return what a case should expect so that it passes, under the keys that it uses.

    A case that passes keeps its own; `any_of` becomes the model chosen.
    """
    if not result.failures:
        return dict(result.case.expect)
    decision = result.decision
    if decision.model is None:
        codes = _error_codes(decision)
        return {"error": codes[0]} if "error" in result.case.expect else {"none": True}
    values = {"model": decision.model, **_actual(decision, result.family)}
    keys = {"any_of": "model", "none": "model", "error": "model"}
    wanted = [keys.get(key, key) for key in result.case.expect] or ["model"]
    return {key: values[key] for key in wanted if values[key] is not None}


def _dotted(path: Path) -> str:
    return ".".join(str(part) for part in path) or "the file"


class _Reader:
    """Reads one file and keeps every problem."""

    def __init__(self, locate: Locate) -> None:
        self.problems: list[str] = []
        self._locate = locate

    def complain(self, path: Path, what: str) -> None:
        self.problems.append(f"{self._locate(path)}: {what}")

    def file(self, data: object) -> ScenarioFile:
        if not isinstance(data, Mapping):
            self.complain((), "should be a mapping with models and cases")
            return ScenarioFile(())
        keys = {plain.snake(str(key)): key for key in data}
        for name, key in keys.items():
            if name not in ("models", "memory_budget_bytes", "cases"):
                known = ("models", "memory_budget_bytes", "cases")
                self.complain((str(key),), f"{key} {plain.unknown_key(str(key), known)}")
        models, models_file = self._models(data.get("models"))
        return ScenarioFile(
            models=models,
            models_file=models_file,
            memory_budget_bytes=self._budget(data, keys.get("memory_budget_bytes")),
            cases=self._cases(data.get("cases")),
        )

    def _budget(self, data: Mapping[Any, object], key: Any) -> int | None:
        value = None if key is None else data[key]
        if value is None:
            return None
        try:
            return plain.count(value)
        except ValueError as error:
            self.complain((str(key),), f"{key} {error}")
            return None

    def _models(self, data: object) -> tuple[tuple[ModelInfo, ...] | None, str | None]:
        match data:
            case None | "installed":
                return None, None
            case {"file": str(path)}:
                return None, path
            case list():
                return read_models(data, self.complain, ("models",), strict=True), None
        self.complain(("models",), "models should be installed, a list, or {file: snapshot.json}")
        return None, None

    def _cases(self, data: object) -> tuple[Case, ...]:
        if not isinstance(data, list) or not data:
            self.complain(("cases",), "cases should be a list with at least one case")
            return ()
        return tuple(self._case(row, ("cases", index)) for index, row in enumerate(data))

    def _case(self, data: object, path: Path) -> Case:
        number = path[-1] if isinstance(path[-1], int) else 0
        if not isinstance(data, Mapping):
            self.complain(path, "should be a case, such as {profile: code, expect: {none: true}}")
            return Case(str(number))
        parsers: dict[str, plain.Parser] = {
            "name": plain.text,
            "profile": lambda value: self._profile(value, (*path, "profile")),
            "add": lambda value: read_models(value, self.complain, (*path, "add"), strict=True),
            "remove": plain.name_list,
            "overrides": plain.name_map,
            "expect": lambda value: self._expect(value, (*path, "expect")),
        }
        values = plain.read_fields(data, parsers, self._report(path))
        values.setdefault("name", f"case {number + 1}")
        return Case(**values)

    def _report(self, path: Path) -> plain.Report:
        return lambda key, what: self.complain((*path, key), f"{clean_line(key)} {what}")

    def _profile(self, value: object, path: Path) -> str | RoutingProfile:
        if isinstance(value, str):
            return plain.text(value)
        if not isinstance(value, Mapping):
            raise ValueError("should be a profile's name or a profile")
        fields = dict(value)
        name = plain.text(fields.pop("name", "inline"))
        return read_profile(fields, RoutingProfile(name=name), self._report(path))

    def _expect(self, value: object, path: Path) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise ValueError("should be a mapping such as {model: llama3.1:8b}")
        return plain.read_fields(value, _EXPECT_PARSERS, self._report(path))
