"""Results of scenarios as JSON data and as JUnit XML. Plain text and data; writes no files."""

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from ollm_tui.core.text import clean_line
from ollm_tui.routing.decision import decision_json
from ollm_tui.routing.scenario import CaseResult


def scenarios_json(results: Sequence[CaseResult]) -> dict[str, object]:
    """Return the results in the shape of `route test --json`."""
    failed = sum(1 for result in results if result.failures)
    return {
        "passed": len(results) - failed,
        "failed": failed,
        "cases": [
            {
                "name": result.case.name,
                "passed": not result.failures,
                "failures": list(result.failures),
                "expected": dict(result.case.expect),
                "decision": decision_json(result.decision),
            }
            for result in results
        ],
    }


def junit_xml(results: Sequence[CaseResult], suite: str = "ollm-tui route test") -> str:
    """Return the results as a JUnit XML document, as continuous integration reads it.

    Args:
        suite: the name of the whole, such as the path of the scenario file.
    """
    return "\n".join(_lines(results, suite)) + "\n"


def _lines(results: Sequence[CaseResult], suite: str) -> Iterator[str]:
    failed = sum(1 for result in results if result.failures)
    counts = f'tests="{len(results)}" failures="{failed}" errors="0" skipped="0"'
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f"<testsuites {counts}>"
    yield f"  <testsuite name={_attribute(suite)} {counts}>"
    for result in results:
        names = f"classname={_attribute(suite)} name={_attribute(result.case.name)}"
        if not result.failures:
            yield f"    <testcase {names}/>"
            continue
        yield f"    <testcase {names}>"
        yield f"      <failure message={_attribute('; '.join(result.failures))}>"
        yield _text(result.decision.summary)
        for hop in result.decision.hops:
            for candidate in hop.candidates:
                line = f"{hop.profile.name}: {candidate.model} {candidate.verdict} {candidate.code}"
                yield _text(f"{line} {candidate.detail}")
        yield "      </failure>"
        yield "    </testcase>"
    yield "  </testsuite>"
    yield "</testsuites>"


def _text(value: str) -> str:
    return escape(_legal(value))


def _attribute(value: str) -> str:
    return quoteattr(_legal(value))


def _legal(value: str) -> str:
    """XML has no place for two characters that terminals do not mind."""
    return clean_line(value).translate({0xFFFE: "\ufffd", 0xFFFF: "\ufffd"})
