"""Every view of the Router pane by name; each is imported when it is first shown."""

from typing import TYPE_CHECKING

from ollm_tui.ui.simulator.view import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from ollm_tui.ui.simulator.scenarios import ScenarioBook


def make_view(name: str, scenarios: "Callable[[], ScenarioBook] | None") -> View:
    """Make a view by its name in the keymap.

    Args:
        scenarios: opens the file of cases; None = there is none.
    """
    match name:
        case "explain":
            from ollm_tui.ui.simulator.trace import ExplainView

            return ExplainView()
        case "fixes":
            from ollm_tui.ui.simulator.fixes import FixesView

            return FixesView()
        case "what_if":
            from ollm_tui.ui.simulator.what_if import WhatIfView

            return WhatIfView()
        case "matrix":
            from ollm_tui.ui.simulator.matrix import MatrixView

            return MatrixView()
        case "breakpoints":
            from ollm_tui.ui.simulator.breakpoints import BreakpointsView

            return BreakpointsView()
        case "difference":
            from ollm_tui.ui.simulator.difference import DifferenceView

            return DifferenceView()
        case "lint":
            from ollm_tui.ui.simulator.lint import LintView

            return LintView()
        case "scenarios":
            from ollm_tui.ui.simulator.scenarios import ScenariosView

            return ScenariosView(scenarios() if scenarios else None)
    raise ValueError(name)
