"""The verb `route test`: runs scenario files against the router."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ollm_tui.cli import render
from ollm_tui.cli.exit_status import DONE, NEGATIVE
from ollm_tui.cli.input_file import LIMIT_BYTES, LIMIT_NODES, read_input
from ollm_tui.cli.output import say, warn
from ollm_tui.cli.routing import Candidates, candidates, router_of_settings
from ollm_tui.cli.snapshot import load_models
from ollm_tui.config.document import Document, parse_document
from ollm_tui.core.error import ConfigError, ScenarioError
from ollm_tui.core.text import clean_line
from ollm_tui.routing.scenario import CaseResult, ScenarioFile, read_scenarios, run_scenarios
from ollm_tui.routing.scenario_report import junit_xml, scenarios_json
from ollm_tui.ui import format as words


class ReadFile(NamedTuple):
    """One file and what it asks."""

    path: str
    document: Document
    scenarios: ScenarioFile


async def test_routing(options: argparse.Namespace) -> int:
    """Run every case of every file; 1 when one fails."""
    files = [read_file(path) for path in options.files]
    given = await _installed(options, files)
    results = [run_file(file, given) for file in files]
    if options.update:
        from ollm_tui.cli.scenario_update import update

        for index, (file, of_file) in enumerate(zip(files, results, strict=True)):
            changed = update(file.document, of_file)
            if changed:
                files[index] = read_file(file.path)
                results[index] = run_file(files[index], given)
            warn(f"{file.path}: {words.count(changed, 'expectation')} updated")
    if options.junit is not None:
        _write(options.junit, _junit(files, results))
    if options.json:
        say(render.as_json(_json(files, results)))
    else:
        say(_text(files, results))
    return NEGATIVE if any(case.failures for of_file in results for case in of_file) else DONE


def read_file(path: str) -> ReadFile:
    """Read a file of cases.

    Raises:
        ConfigError, ScenarioError: with every place that is wrong.
    """
    document = parse_document(
        read_input(path), path, limit_bytes=LIMIT_BYTES, limit_nodes=LIMIT_NODES
    )
    if document.problems:
        lines = [line for p in document.problems for line in (p.message, *p.snippet)]
        raise ScenarioError(f"{path} cannot be read", problems=lines)
    scenarios = read_scenarios(document.data, lambda where: str(document.place(where)))
    return ReadFile(path, document, scenarios)


async def _installed(options: argparse.Namespace, files: Sequence[ReadFile]) -> Candidates:
    """What files without models of their own are about; nobody is asked when all have some."""
    if options.models is None and all(_has_models(file.scenarios) for file in files):
        return Candidates(router_of_settings(options), ())
    return await candidates(options)


def _has_models(scenarios: ScenarioFile) -> bool:
    return scenarios.models is not None or scenarios.models_file is not None


def run_file(file: ReadFile, given: Candidates) -> list[CaseResult]:
    """Run every case of a file on its own models, else on those given."""
    scenarios, models = file.scenarios, given.models
    if scenarios.models_file is not None:
        beside = Path(file.path).parent / scenarios.models_file
        models = load_models(str(beside), given.router.database)
    return run_scenarios(scenarios, given.router, models)


def _json(files: Sequence[ReadFile], results: Sequence[list[CaseResult]]) -> dict[str, object]:
    """The shape of one file for all of them, each case with its file."""
    cases: list[object] = []
    passed = 0
    for file, of_file in zip(files, results, strict=True):
        plain = scenarios_json(of_file)["cases"]
        assert isinstance(plain, list)
        cases += [{"file": file.path, **case} for case in plain]
        passed += sum(1 for result in of_file if not result.failures)
    return {"passed": passed, "failed": len(cases) - passed, "cases": cases}


def _junit(files: Sequence[ReadFile], results: Sequence[list[CaseResult]]) -> str:
    if len(files) == 1:
        return junit_xml(results[0], files[0].path)
    return junit_xml(
        [
            replace(result, case=replace(result.case, name=f"{file.path}: {result.case.name}"))
            for file, of_file in zip(files, results, strict=True)
            for result in of_file
        ]
    )


def _text(files: Sequence[ReadFile], results: Sequence[list[CaseResult]]) -> str:
    lines = []
    failed = total = 0
    for file, of_file in zip(files, results, strict=True):
        total += len(of_file)
        for index, result in enumerate(of_file):
            if not result.failures:
                continue
            failed += 1
            place = file.document.place(("cases", index))
            lines.append(f"FAILED {place}: {clean_line(result.case.name)}")
            lines += [f"  {failure}" for failure in result.failures]
            lines.append(f"  {result.decision.summary}")
    lines.append(f"{total - failed:,} of {words.count(total, 'case')} passed, {failed:,} failed")
    return "\n".join(lines)


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written",
            cause=error.strerror or str(error),
            actions=("Name another file with --junit.",),
        ) from error
