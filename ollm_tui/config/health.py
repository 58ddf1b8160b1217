"""How the configuration is, in a line, for who wants to know what is wrong."""

from ollm_tui.config.problem import Severity
from ollm_tui.config.resolve import Effective
from ollm_tui.core.diagnosis import Check
from ollm_tui.core.text import clean_line

AREA = "configuration"
_SEE_ALL = "`ollm-tui config check` shows each problem with its place."


def check_configuration(effective: Effective) -> Check:
    """Errors and warnings count; a notice does not."""
    counted = [
        problem
        for problem in effective.problems
        if problem.severity in (Severity.ERROR, Severity.WARNING)
    ]
    if not counted:
        found = [clean_line(file.path) for file in effective.files if file.exists]
        return Check(AREA, True, ", ".join(found) or "no file; the defaults are in force")
    first, more = counted[0], len(counted) - 1
    tail = f"; and {more:,} more" if more else ""
    return Check(AREA, False, f"{clean_line(first.message)}{tail}", (_SEE_ALL,))
