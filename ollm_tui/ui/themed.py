"""What the app is before it shows anything: its theme, plain terminals, its log, its end."""

import logging
import os
import sys
from collections.abc import Sequence

from textual.app import App
from textual.filter import LineFilter

from ollm_tui.ui import look as looks
from ollm_tui.ui import work
from ollm_tui.ui.error_log import ErrorLog
from ollm_tui.ui.keyed import KeyedApp
from ollm_tui.ui.look import Look, LookFile
from ollm_tui.ui.style_cache import forget_the_gone

_LOG = logging.getLogger(__name__)


class ThemedApp(KeyedApp):
    """An app that looks from its first frame as it did last.

    Args:
        look: where that is kept.
    """

    def __init__(self, look: LookFile) -> None:
        forget_the_gone()
        self._look_file = look
        self.look: Look = look.read()
        self._plain: Sequence[LineFilter] = ()
        self.crash: BaseException | None = None
        """What ended the app though it should not have happened."""
        self.errors = ErrorLog()
        super().__init__()
        wanted = self.look.theme or looks.usual_theme(os.environ)
        if wanted != self.theme and wanted in self.available_themes:
            self._wear(wanted)
        if looks.is_ascii_only(os.environ):
            from ollm_tui.ui.ascii_only import AsciiOnly

            self._plain = (AsciiOnly(),)

    def _wear(self, theme: str) -> None:
        # Assigning the theme would parse all styles and lay everything out a second time.
        self.set_reactive(App.theme, theme)
        self.stylesheet.set_variables(self.get_css_variables())
        self.set_class(self.current_theme.dark, "-dark-mode", update=False)
        self.set_class(not self.current_theme.dark, "-light-mode", update=False)
        self._refresh_truecolor_filter(self.ansi_theme)

    def on_mount(self) -> None:
        logging.getLogger("ollm_tui").addHandler(self.errors)

    def _fatal_error(self) -> None:
        # Textual's own prints every local variable, secrets included, over several screens.
        self.crash = sys.exc_info()[1]
        _LOG.critical("the screen has crashed", exc_info=self.crash)
        self._close_messages_no_wait()

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), *self._plain]

    def watch_theme(self, theme: str) -> None:
        """A theme was picked: keep it for the next start."""
        if self._is_mounted:
            self.keep_look(self.look._replace(theme=theme))

    def keep_look(self, look: Look) -> None:
        """Look like this at the next start."""
        if look == self.look:
            return
        self.look = look

        async def keep() -> None:
            try:
                await work.in_thread(lambda: self._look_file.write(look))
            except OSError as error:
                self.notify(
                    f"It holds until you quit: it was not kept ({error.strerror}).",
                    severity="warning",
                    markup=False,
                )

        work.run(self, keep(), "look", exclusive=True)

    def look_as_configured(self, theme: str | None, *, is_still: bool) -> None:
        """Have the theme and the stillness that the configuration asks for."""
        if is_still:
            self.animation_level = "none"
        if theme is None or theme == self.theme:
            return
        if theme in self.available_themes:
            self.theme = theme
            return
        from ollm_tui.core.error import closest

        _LOG.warning("ui.theme: there is no theme %s", theme)
        near = closest(theme, self.available_themes, count=1)
        advice = f"Did you mean {near[0]}?" if near else "The palette (ctrl+p) lists them."
        self.notify(
            f"ui.theme: there is no theme “{theme}”. {advice}", severity="warning", markup=False
        )
