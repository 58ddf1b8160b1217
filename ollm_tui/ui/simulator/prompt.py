"""From the simulator to the dialog that sends a prompt to the model that is decided."""

from textual.dom import DOMNode

from ollm_tui.core.text import clean_line
from ollm_tui.service.service import ModelService
from ollm_tui.ui.keymap import named
from ollm_tui.ui.screens.try_prompt import TryPromptScreen
from ollm_tui.ui.simulator.experiment import Experiment


def open_prompt(node: DOMNode, service: ModelService, experiment: Experiment) -> None:
    """Open the dialog, unless the model is only tried and not there to answer."""
    scene, tried = experiment.scene, None
    if scene is not None and scene.what_if.trials:
        tried, model = scene.decision, scene.decision.model
        if model is not None and scene.what_if.start.model(model) is None:
            node.app.notify(
                f"{clean_line(model)} is only tried, not installed: {named('app.pull')} pulls it.",
                severity="warning",
                markup=False,
            )
            return
    node.app.push_screen(TryPromptScreen(service, experiment.profile, tried))
