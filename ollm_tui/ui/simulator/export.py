"""What leaves the simulator: the decision as text for others, what is tried as settings."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ollm_tui.ui import format as words
from ollm_tui.ui.keymap import named
from ollm_tui.ui.simulator.trace import TraceView
from ollm_tui.ui.simulator.view import Scene

if TYPE_CHECKING:
    from ollm_tui.ui.panes.router import RouterPane

_TEXT_WIDTH = 110
_TOLD = 3  # consequences of an override that a dialog has room for


def offer(pane: "RouterPane", scene: Scene) -> None:
    """Ask whether to save what is tried, or in which form to copy the decision."""
    from ollm_tui.routing.difference import consequences
    from ollm_tui.ui.screens.confirm import Choice, ConfirmScreen

    edits = scene.what_if.edits()
    lines = [scene.decision.summary, ""]
    lines += [f"{number}. {t.sentence}" for number, t in enumerate(scene.what_if.trials, 1)]
    unsaved = [trial for trial in scene.what_if.trials if not trial.edits]
    if unsaved:
        lines += ["", f"{words.count(len(unsaved), 'change')} is no setting and cannot be saved."]
    choices = [
        Choice("y", "YAML"),
        Choice("j", "JSON"),
        Choice("m", "Markdown"),
    ]
    if edits:
        choices.insert(0, Choice("s", "Save"))

    def chosen(answer: str | None) -> None:
        if answer == "s":
            told = consequences(scene.what_if.start, scene.now)
            pane.post_message(pane.SaveWanted(edits, told))
        elif answer:
            copy_as(pane, scene, {"y": "YAML", "j": "JSON", "m": "Markdown"}[answer])

    question = "Save what is tried, or copy?" if edits else "Copy the decision as"
    pane.app.push_screen(ConfirmScreen(question, lines, choices, stay="Leave"), chosen)


def offer_override(pane: "RouterPane", scene: Scene, model: str) -> None:
    """Offer to make a model the override of the profile that is asked for; nothing is tried."""
    from ollm_tui.routing.difference import consequences
    from ollm_tui.routing.settings_changes import SetOverride

    start = scene.what_if.start
    change = SetOverride(start.profile, model)
    told = [*consequences(start, change.apply(start))[:_TOLD], _other_profile()]
    pane.post_message(pane.SaveWanted(change.edits(start), told))


def copy_as(pane: "RouterPane", scene: Scene, form: str) -> None:
    """Copy the decision in a form: text, YAML, JSON or Markdown."""
    pane.app.copy_to_clipboard(text_of(scene, form))
    pane.notify(f"Copied the decision as {form}.", timeout=3)


def text_of(scene: Scene, form: str) -> str:
    """The decision, and what was tried, in one form; safe to print.

    YAML is what to write into a configuration file: what was tried, else the profile as it is.
    """
    match form:
        case "JSON":
            import json

            from ollm_tui.routing.decision import decision_json

            return json.dumps(decision_json(scene.decision), indent=2, ensure_ascii=False)
        case "Markdown":
            from ollm_tui.routing.export import decision_markdown

            return decision_markdown(scene.decision)
        case "YAML":
            from ollm_tui.config.yaml_writer import as_yaml

            return as_yaml(_settings(scene))
    view = TraceView()
    lines = (view.pieces(line, _TEXT_WIDTH) for line in view.lines(scene, _TEXT_WIDTH))
    return "\n".join("".join(text for text, _ in pieces).rstrip() for pieces in lines)


def _settings(scene: Scene) -> Mapping[str, object]:
    from ollm_tui.routing.export import nested
    from ollm_tui.routing.recording import profile_data

    edits = scene.what_if.edits()
    profile = scene.now.find_profile(scene.now.profile)
    if edits or profile is None:
        return nested(edits)
    fields = profile_data(profile)
    return {"model": {"routing": {"profiles": {fields.pop("name"): fields}}}}


def _other_profile() -> str:
    way = f"{named('router.previous')} or {named('router.next')} to it"
    again = f"{named('installed.override')} again in pane {named('pane.installed')}"
    return f"For another profile: esc, {named('pane.router')}, {way}, and {again}."
