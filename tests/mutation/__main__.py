"""`make mutation`: which mistakes the tests would not notice.

    make mutation                                    everything listed, a quarter of an hour
    make mutation ARGS=named                         one mistake for each rule of routing
    make mutation ARGS=ollm_tui/routing/family.py    every mutant of one module
    make mutation ARGS="ollm_tui/x.py tests/unit/x"  the same, against the tests named
    make mutation ARGS="ollm_tui/x.py alive"         only those that lived the last time

Exit status 1: a rule's own tests let its mutation pass, fewer than 85 % of a module's mutants
were killed, or a survivor has no reason beside it in survivors.json.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.mutation.mutants import mutants
from tests.mutation.named import NAMED, Named
from tests.mutation.survivors import Survivors
from tests.mutation.targets import TARGETS
from tests.mutation.trial import Outcome, Trial, run_trials, run_unchanged

BAR = 0.85
_SLOWER = 4
_LEAST_S = 15.0


def main(arguments: list[str]) -> int:
    """Run what was asked for and return the exit status."""
    paths = [path for path in arguments if path.endswith(".py") and not path.startswith("tests/")]
    words = (*paths, "named", "alive")
    tests = tuple(argument for argument in arguments if argument not in words)
    unmapped = [path for path in paths if not tests and path not in TARGETS]
    if unmapped:
        print(f"Name the tests of {', '.join(unmapped)}, or add it to tests/mutation/targets.py")
        return 2
    fine = True
    if not arguments or "named" in arguments:
        fine = run_named()
    for path in paths or ([] if arguments else TARGETS):
        fine &= run_generated(path, tests or TARGETS[path], only_alive="alive" in arguments)
    return int(not fine)


def run_named() -> bool:
    """Try the mutation of every rule against the tests named after it."""
    failures: list[str] = []
    trials: list[Trial] = []
    for number, named in enumerate(NAMED):
        try:
            trials.append(_trial(named, number))
        except ValueError as error:
            failures.append(str(error))
    keywords = " or ".join(sorted({named.test_prefix for named in NAMED}))
    paths = sorted({named.tests for named in NAMED})
    outcome, seconds = run_unchanged(((*paths, "-k", keywords),))
    if outcome is not Outcome.PASSED:
        print(f"The tests themselves do not pass: {outcome}")
        return False

    def report(trial: Trial, outcome: Outcome, output: str) -> None:
        if outcome is Outcome.BROKEN:
            print(output)
        if outcome is not Outcome.FAILED:
            failures.append(f"{trial.name}: {outcome}")

    started = time.monotonic()
    run_trials(iter(trials), max(_LEAST_S, seconds * _SLOWER), report)
    for failure in failures:
        print(f"NOT NOTICED {failure}")
    rows = len({named.row for named in NAMED})
    print(
        f"named: {len(NAMED) - len(failures)} of {len(NAMED)} mutations noticed, "
        f"{rows} rules, {time.monotonic() - started:.0f} s"
    )
    return not failures


def _trial(named: Named, number: int) -> Trial:
    source = named.mutated_source()
    code = compile(source, named.path, "exec")
    stages = ((named.tests, "-k", named.test_prefix),)
    return Trial(f"{named.row} ({number}) in {named.path}", named.path, code, stages)


def run_generated(path: str, tests: tuple[str, ...], *, only_alive: bool = False) -> bool:
    """Try every mutant of one module, and write down those that live.

    Args:
        only_alive: take those for dead that died the last time: right while the module is as it
            was and no test has gone.
    """
    stages = tuple((test,) for test in tests)
    outcome, seconds = run_unchanged(stages)
    if outcome is not Outcome.PASSED:
        print(f"{path}: the tests themselves do not pass: {outcome}")
        return False
    survivors = Survivors()
    tried = survivors.of(path) if only_alive else None
    alive: list[str] = []
    count = timeouts = dead = 0
    source = Path(path).read_text("utf-8")

    def trials() -> Iterator[Trial]:
        nonlocal dead
        for mutant in mutants(source, path):
            if tried is not None and mutant.name not in tried:
                dead += 1
                continue
            yield Trial(mutant.name, path, mutant.code, stages)

    def report(trial: Trial, outcome: Outcome, _output: str) -> None:
        nonlocal count, timeouts
        count += 1
        timeouts += outcome is Outcome.TIMEOUT
        if outcome is Outcome.PASSED:
            alive.append(trial.name)

    started = time.monotonic()
    run_trials(trials(), max(_LEAST_S, seconds * _SLOWER), report)
    count += dead
    killed = count - len(alive)
    unreasoned = survivors.update(path, count, alive)
    for name in unreasoned:
        print(f"ALIVE, no reason given: {name}")
    print(
        f"{path}: {killed} of {count} killed ({killed / max(count, 1):.1%}), "
        f"{timeouts} by time, {time.monotonic() - started:.0f} s"
    )
    return not unreasoned and killed >= BAR * count


sys.exit(main(sys.argv[1:]))
