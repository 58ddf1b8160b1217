"""What an app has on the terminal, as lines: dialogs, and what is below them."""

from textual._context import visible_screen_stack
from textual.app import App
from textual.strip import Strip


def painted(app: App[None]) -> list[Strip]:
    """Every line of the terminal, top to bottom."""
    # A dialog draws what is below it as well, and is told by this what there is. Without it, it
    # would draw nothing there, and keep that for the terminal and for pictures.
    visible_screen_stack.set(app._background_screens)
    # Textual looks up anew which widgets there are when one is new, such as a toast, but where they
    # part only when it lays out: one frame can be drawn with longer lines, and is of no interest.
    app.screen._compositor._cuts = None
    return app.screen._compositor.render_strips(app.size)[: app.size.height]
