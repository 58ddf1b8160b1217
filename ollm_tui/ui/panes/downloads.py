"""The download queue: one row each with bar, bytes, speed, time left and what went wrong."""

from collections import Counter
from collections.abc import Sequence

from textual.content import Content

from ollm_tui.core.event import QueueItem, QueueState
from ollm_tui.core.progress import PullState
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words
from ollm_tui.ui import keymap, work
from ollm_tui.ui.columns import Column, Piece, fit_name, fit_text
from ollm_tui.ui.download_words import choice, is_waiting, sentence
from ollm_tui.ui.keymap import named
from ollm_tui.ui.possible import Situation, why_not
from ollm_tui.ui.rows import RowList

_NAME = 1  # which column the name is in
_BAR_WIDTH = 13  # so that there is room for the trend too in a terminal of 120 columns
_GLYPHS: dict[PullState, Piece] = {
    PullState.QUEUED: ("·", "dim"),
    PullState.DOWNLOADING: ("↓", "accent"),
    PullState.VERIFYING: ("≡", "accent"),
    PullState.STALLED: ("!", "warn"),
    PullState.PAUSED: ("=", "warn"),
    PullState.COMPLETE: ("✓", "good"),
    PullState.CANCELLED: ("–", "dim"),
    PullState.ERROR: ("✗", "bad"),
}


class DownloadsPane(RowList[QueueItem]):
    """Pane 2."""

    BINDINGS = keymap.bindings(keymap.DOWNLOADS)
    HEADER = False
    COLUMNS = (
        Column("", 1),
        Column("NAME", 16, flexible=True),
        Column("BAR", _BAR_WIDTH, drop=3),
        Column("SHARE", 4, right=True),
        Column("BYTES", 12, right=True, drop=4),
        Column("SPEED", 10, right=True),
        Column("LEFT", 6, right=True, drop=2),
        Column("TREND", 6, drop=1),
    )

    def __init__(self, service: ModelService) -> None:
        super().__init__(id="downloads", key=lambda item: item.id, classes="pane")
        self._service = service
        self.border_title = Content("2 Downloads")

    def show(self, state: QueueState) -> None:
        """Draw what the service knows."""
        if state.items and [item.id for item in state.items] == [item.id for item in self.items]:
            self.update_items(state.items)
        else:
            self.set_items(state.items, _empty())
        counts = Counter(_word(item) for item in state.items)
        parts = [f"{counts[word]} {word}" for word in _WORDS if counts[word]]
        if any(item.id < 0 for item in state.items):
            parts.append("by another ollm-tui")
        self.border_title = Content(f"2 Downloads ─ {' · '.join(parts) or 'none'}")
        self._show_choice()

    def respell(self) -> None:
        self.show(QueueState(tuple(self.items)))
        self.redraw()

    def _show_choice(self) -> None:
        """Say before a key is pressed what it would keep of what is under the cursor."""
        can_discard = self._service.downloads.can_discard
        told = "" if self.item is None else choice(self.item, can_discard=can_discard)
        self.border_subtitle = Content(told)

    def move_to(self, index: int) -> None:
        super().move_to(index)
        self._show_choice()

    def on_mount(self) -> None:
        self.show(self._service.queue)

    def action_pause(self) -> None:
        """Pause the download, or go on with it."""
        item = self.item
        if item is None:
            return
        if item.progress.status is PullState.PAUSED:
            self._service.resume(item.id)
        else:
            work.run(self, self._service.pause(item.id), "cancel")

    def action_shift(self, by: int) -> None:
        """Move the download past the next one that waits; what runs has no turn to take."""
        ids = [item.id for item in self._service.queue.items]
        waiting = [item.id for item in self._service.queue.items if is_waiting(item)]
        number = None if self.item is None else self.item.id
        if number is not None and number in waiting:
            at = waiting.index(number) + by
            if 0 <= at < len(waiting):
                self._service.move(number, ids.index(waiting[at]) - ids.index(number))

    def action_cancel(self) -> None:
        """Cancel; asks what to do with what is there, where there is a choice."""
        item = self.item
        if item is None or item.progress.status.is_final:
            return
        downloads = self._service.downloads
        if not downloads.can_discard or not item.progress.downloaded_bytes:
            work.run(self, self._service.cancel(item.id), "cancel")
            return
        from ollm_tui.ui.screens.confirm import Choice, ConfirmScreen

        def answered(answer: str | None) -> None:
            if answer == "k":
                work.run(self, downloads.cancel(item.id), "cancel")
            elif answer == "d":
                work.run(self, downloads.discard(item.id), "cancel")

        got = words.share(item.progress.downloaded_bytes, item.progress.total_bytes)
        self.app.push_screen(
            ConfirmScreen(
                f"Cancel the download of {item.display_name}?",
                [
                    f"{got} is here.",
                    "Kept, the next pull goes on from it; discarded, its space is free again.",
                    f"Paused instead ({named('downloads.pause')}), it keeps its place too.",
                ],
                [
                    Choice("k", "Cancel and keep"),
                    Choice("d", "Cancel and discard", is_destructive=True),
                ],
                stay="Go on",
            ),
            answered,
        )

    def action_details(self) -> None:
        """Show the download in full."""
        if self.item is None:
            return
        from ollm_tui.ui.screens.download import DownloadScreen

        def act(what: str) -> None:
            if self.item is None:
                return
            (key,) = (key for key in keymap.KEYS if key.id == f"downloads.{what}")
            now = Situation(download=self.item.progress.status)
            if reason := why_not(key.id, now):
                self.notify(reason, title=key.description, markup=False)
            else:
                getattr(self, f"action_{what}")()

        self.app.push_screen(DownloadScreen(self._service, self.item, act))

    def action_retry(self) -> None:
        if self.item is not None:
            self._service.retry(self.item.id)

    def action_clear(self) -> None:
        self._service.clear_finished()

    def cells(self, item: QueueItem) -> Sequence[Piece]:
        progress = item.progress
        return (
            _GLYPHS[progress.status],
            (fit_name(item.display_name, self.widths[_NAME]), ""),
            (words.bar(progress.percentage, _BAR_WIDTH), "accent"),
            (f"{int(progress.percentage)}%", ""),
            (words.share(progress.downloaded_bytes, progress.total_bytes), ""),
            (words.speed(progress.download_speed), ""),
            ("" if progress.eta_s is None else words.duration(progress.eta_s), ""),
            (words.sparkline(item.speeds, 6), "dim"),
        )

    def pieces(self, item: QueueItem, width: int) -> list[Piece]:
        status = item.progress.status
        if status is PullState.DOWNLOADING and item.progress.total_bytes:
            return super().pieces(item, width)
        # Everything else is a sentence, which may use the room of the numbers.
        name_width = self.widths[_NAME]
        text, style = sentence(item, self._service.now())
        return [
            (_GLYPHS[status][0] + " ", _GLYPHS[status][1]),
            (fit_text(fit_name(item.display_name, name_width), name_width) + " ", ""),
            (fit_text(text, max(0, width - name_width - 3)), style),
        ]


def _word(item: QueueItem) -> str:
    status = item.progress.status
    if item.is_held:
        return "without room"
    if status.is_active:
        return "active"
    return "ended" if status.is_final else status.value


_WORDS = ("active", "queued", "without room", "paused", "ended")


def _empty() -> tuple[Piece, ...]:
    return (
        ("Nothing is being downloaded.", ""),
        (f"{named('app.pull')} pulls a model by name", "dim"),
    )
