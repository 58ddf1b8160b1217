"""One download shown large: bar, speed over time, layer by layer, and what happened to it."""

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import ProgressBar, Sparkline, Static

from ollm_tui.core.event import QueueItem
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words
from ollm_tui.ui.download_words import sentence

_DIGEST = 19  # "sha256:" and twelve digits


class DownloadDetails(Vertical):
    """Draws one entry of the queue; told of its news by whoever shows it."""

    DEFAULT_CSS = """
    DownloadDetails {
        height: 1fr; padding: 0 1;
        ProgressBar { width: 100%; margin: 1 0 0 0; }
        ProgressBar Bar { width: 1fr; }
        Sparkline { width: 100%; height: 2; margin: 0 0 1 0; }
        .numbers, .name, .layers, .log { height: auto; width: 100%; }
        .layers { margin: 0 0 1 0; }
        VerticalScroll { height: 1fr; }
    }
    """

    def __init__(self, service: ModelService, item: QueueItem | None) -> None:
        super().__init__()
        self._service = service
        self._item = item

    def compose(self) -> ComposeResult:
        yield Static(classes="name", markup=False)
        yield ProgressBar(total=100, show_eta=False)
        yield Static(classes="numbers", markup=False)
        yield Sparkline([], summary_function=max)
        with VerticalScroll(can_focus=False):
            yield Static(classes="layers", markup=False)
            yield Static(classes="log", markup=False)

    def on_mount(self) -> None:
        self._draw()  # a paused download has no news that would have it drawn later

    def show(self, item: QueueItem | None) -> None:
        """Draw how it stands now."""
        self._item = item
        if self.is_mounted:
            self._draw()

    def _draw(self) -> None:
        item = self._item
        self.display = item is not None
        if item is None:
            return
        progress = item.progress
        self.query_one(".name", Static).update(Content.styled(item.display_name, "bold"))
        is_known = bool(progress.total_bytes) or progress.status.is_final
        self.query_one(ProgressBar).update(
            total=100 if is_known else None, progress=progress.percentage
        )
        told = [numbers(item, self._service), *words.room_lines(item.unused)]
        self.query_one(".numbers", Static).update(Content("\n".join(told)))
        self.query_one(Sparkline).data = list(item.speeds)
        self.query_one(".layers", Static).update(Content("\n".join(layer_lines(item))))
        self.query_one(".log", Static).update(Content.styled("\n".join(item.log), "$text-muted"))


def numbers(item: QueueItem, service: ModelService) -> str:
    """State, bytes, speed, time left, and what it needs of the disk."""
    progress = item.progress
    parts = [sentence(item, service.now())[0]]
    if progress.download_speed:
        parts = [
            words.share(progress.downloaded_bytes, progress.total_bytes),
            words.speed(progress.download_speed),
        ]
        if progress.eta_s is not None:
            parts.append(f"{words.duration(progress.eta_s)} left")
    if item.needed_bytes and item.free_bytes is not None and progress.status.is_active:
        parts.append(
            f"{words.size(item.needed_bytes)} to write, {words.size(item.free_bytes)} free"
        )
    return "   ".join(parts)


def layer_lines(item: QueueItem) -> list[str]:
    """One line per layer that has been reported, in order."""
    lines = []
    for layer in item.layers:
        share = 100.0 * layer.completed_bytes / layer.total_bytes if layer.total_bytes else 0.0
        done = words.share(layer.completed_bytes, layer.total_bytes)
        bar = words.bar(share, 20)
        lines.append(f"{layer.layer[:_DIGEST]:<{_DIGEST}} {bar} {int(share):>3}%  {done}")
    return lines or ["no layer has been reported yet"]
