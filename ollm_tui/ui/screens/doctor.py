"""What is wrong with server, store, configuration and terminal; repairs and tidies up by key."""

from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static
from textual.worker import Worker

from ollm_tui.core.diagnosis import Check, StoreReport
from ollm_tui.core.error import HttpsMissing, OllmError
from ollm_tui.core.name import DEFAULT_HOST, parse_name
from ollm_tui.core.progress import PullPhase, PullStep
from ollm_tui.service.doctor import check_no_store, check_server
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words
from ollm_tui.ui import keymap, work
from ollm_tui.ui.keyed import KeyedApp
from ollm_tui.ui.keymap import named
from ollm_tui.ui.screens.dialog import Dialog
from ollm_tui.ui.terminal_check import check_terminal
from ollm_tui.ui.text_pane import Text, TextPane

if TYPE_CHECKING:
    from ollm_tui.config.resolve import Effective

_LISTED = 10
_GROUP = "doctor"
_ON_STORE = ("doctor.verify", "doctor.repair", "doctor.reclaim")
"""Keys that need a store within reach, by id."""
_WITHOUT_HTTPS = (
    "The registry does not speak https: anybody in between could read along, a password set for it "
    "included, and answer in its place."
)
_SHORT = {"configuration": "config", "terminal": "screen"}  # a label has eight cells


class DoctorScreen(Dialog[None]):
    """Looks at everything when opened.

    Args:
        effective: the configuration in force; None while it is being read.
        keys: the bindings in force.
    """

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = keymap.bindings(keymap.DOCTOR)

    def __init__(
        self, service: ModelService, effective: "Effective | None", keys: Sequence[keymap.Key]
    ) -> None:
        super().__init__()
        self._keys = tuple(keymap.in_place(keymap.DOCTOR, keys))
        keymap.put(self._bindings, self._keys, keymap.DOCTOR)
        self._service = service
        self._effective = effective
        self._checks: list[Check] = []
        self._report: StoreReport | None = None
        self._no_store = ""
        """Why no store can be looked through, one sentence or more; empty = it can, so far."""
        self._worker: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Doctor"
            yield TextPane(id="diagnosis")
            yield Static(id="doing", markup=False)
            yield Static(id="keys", classes="hint", markup=False)

    def on_mount(self) -> None:
        self.query_one(TextPane).focus()
        self._draw_hints()
        self.action_again()

    def on_unmount(self) -> None:
        if self._worker is not None:
            self._worker.cancel()

    def why_not(self, key_id: str) -> str:
        """Why one of its keys cannot act now, in words; empty = it can."""
        if key_id not in _ON_STORE:
            return ""
        if self._no_store:
            return self._no_store
        if key_id == "doctor.verify":
            return ""
        if self._report is None:
            return "The store is still being looked through."
        if key_id == "doctor.reclaim":
            is_any = self._report.reclaimable
            return "" if is_any else "Nothing is left over that can be removed now."
        if self._report.repairable:
            return ""
        if self._report.is_verified:
            return "Nothing needs a repair: every file was hashed."
        return f"Nothing needs a repair. {named('doctor.verify')} hashes every file, to be sure."

    def _refuses(self, key_id: str) -> bool:
        """Say why a key cannot act now, if it cannot."""
        if reason := self.why_not(key_id):
            assert isinstance(self.app, KeyedApp)
            titles = [key.description for key in self._keys if key.id == key_id]
            self.app.refuse(reason, *titles)
        return bool(reason)

    def action_again(self) -> None:
        """Look at everything again."""
        self._do(self._look())

    def action_verify(self) -> None:
        """Look at everything again, and hash every file of the store."""
        if not self._refuses("doctor.verify"):
            self._do(self._look(verify=True))

    def action_repair(self) -> None:
        """Repair every model that can be, after a look at which those are."""
        if self._refuses("doctor.repair") or self._report is None:
            return
        names = self._report.repairable
        self._ask(
            f"Repair {words.count(len(names), 'model')}?",
            [*_listed(names), "", "Each file is hashed; only what is bad is fetched again."],
            "Repair",
            lambda: self._do(self._repair(names)),
        )

    def action_reclaim(self) -> None:
        """Remove what is left over, after a look at what that is."""
        if self._refuses("doctor.reclaim") or self._report is None:
            return
        items = self._report.reclaimable
        now = self._service.now()
        total = words.size(sum(item.size_bytes for item in items))
        self._ask(
            f"Remove {words.count(len(items), 'file')} that no model needs, {total}?",
            _listed([words.leftover(item, now) for item in items]),
            "Remove",
            lambda: self._do(self._reclaim()),
        )

    def _ask(self, question: str, lines: list[str], deed: str, do: Callable[[], object]) -> None:
        from ollm_tui.ui.screens.confirm import Choice, ConfirmScreen

        def answered(answer: str | None) -> None:
            if answer == "y":
                do()

        self.app.push_screen(
            ConfirmScreen(question, lines, [Choice("y", deed, is_destructive=True)], stay="Leave"),
            answered,
        )

    def _do(self, job: Coroutine[object, object, None]) -> None:
        """Start what ends with the screen; a repair goes on from what has arrived next time."""
        self._worker = work.run(self, job, _GROUP, exclusive=True)

    async def _look(self, *, verify: bool = False) -> None:
        self._doing("looking …")
        self._no_store = ""
        self._checks = [await check_server(self._service)]
        self._checks.append(await work.in_thread(self._check_configuration))
        self._checks.append(check_terminal())
        self._draw()
        try:
            self._report = await self._service.store.inspect(
                verify=verify, on_progress=self._hashing
            )
        except OllmError as error:
            self._report = None
            self._no_store = " ".join(
                f"{part.rstrip('.')}." for part in (str(error), *error.actions)
            )
            self._checks.append(check_no_store(error, self._checks))
        self._doing("")
        self._draw()

    async def _repair(self, names: tuple[str, ...]) -> None:
        without_https = []
        for name in names:
            try:
                await self._service.store.repair(name, partial(self._step, name))
            except HttpsMissing as error:
                reference = parse_name(name)
                if reference.is_plain_http or reference.host.lower() == DEFAULT_HOST:
                    work.report(self, error)  # Ollama's own has https: this is somebody else
                else:
                    without_https.append(f"http://{reference.short}")
            except OllmError as error:
                work.report(self, error)
        await self._service.refresh_models()
        await self._look()
        if without_https:
            self._ask_for_plain_http(tuple(without_https))

    def _ask_for_plain_http(self, names: tuple[str, ...]) -> None:
        """Repair without https only what somebody agrees to. Source: ruling Z19."""
        self._ask(
            f"Repair {words.count(len(names), 'model')} over plain http?",
            [*_listed(names), "", _WITHOUT_HTTPS],
            "Use plain http",
            lambda: self._do(self._repair(names)),
        )

    async def _reclaim(self) -> None:
        assert self._report is not None
        freed_bytes = await self._service.store.reclaim(self._report.reclaimable)
        self.notify(f"Freed {words.size(freed_bytes)}", timeout=4)
        await self._look()

    def _check_configuration(self) -> Check:
        if self._effective is None:
            return Check(
                "configuration",
                True,
                f"being read; {named('doctor.again')} looks again",
                is_there=False,
            )
        from ollm_tui.config.health import check_configuration

        return check_configuration(self._effective)

    def _hashing(self, done_bytes: int, total_bytes: int) -> None:
        percentage = 100 * done_bytes / max(1, total_bytes)
        got = words.share(done_bytes, total_bytes)
        self._doing(f"hashing {words.bar(percentage, 24)} {int(percentage)}% {got}")

    def _step(self, name: str, step: PullStep) -> None:
        is_moving = step.phase is PullPhase.TRANSFERRING
        got = words.share(step.completed_bytes, step.total_bytes) if is_moving else ""
        self._doing(f"{name}: {step.detail} {got}")

    def _doing(self, text: str) -> None:
        if self.is_attached:
            self.query_one("#doing", Static).update(Content(text))

    def _draw(self) -> None:
        if self.is_attached:
            texts = _paragraphs(self._checks, self._report, self._service.now())
            self.query_one(TextPane).set_text(texts)
            self._draw_hints()

    def _draw_hints(self) -> None:
        self.query_one("#keys", Static).update(Content("  ").join(self._hints()))

    def _hints(self) -> Iterator[Content]:
        """Its keys, dim if they cannot act now."""
        for key in self._keys:
            if key.keys:
                style = "dim $text-muted" if self.why_not(key.id) else ""
                yield Content.styled(f"{keymap.cap(key)} {key.label}", style)


def _paragraphs(
    checks: Sequence[Check],
    report: StoreReport | None,
    now: datetime,
) -> Iterator[Text]:
    for check in checks:
        sign = words.judged(check.is_healthy, check.is_there)
        yield _verdict(sign, check.area, check.summary)
        for action in check.actions:
            yield Text(f"→ {action}", "dim", " ")
    if report is None:
        return
    sign = words.judged(report.is_healthy, report.place.exists)
    yield _verdict(sign, "store", words.store(report))
    for found in report.findings:
        yield Text("")
        yield Text(f"{found.subject}: {found.reason}", "warn", " ")
        yield Text(f"→ {found.fix}", "dim", " ")
    if report.repairable:
        yield Text(f"→ {named('doctor.repair')} repairs what can be.", "dim", " ")
    if report.usage.leftovers:
        yield Text("")
    old = set(report.reclaimable)
    for item in report.usage.leftovers:
        text = f"left over: {words.leftover(item, now)}"
        yield Text(text, "warn" if item in old else "", " ")
    if old:
        yield Text(
            f"→ {named('doctor.reclaim')} removes what has been left alone for an hour.", "dim", " "
        )


def _verdict(sign: str, area: str, summary: str) -> Text:
    style = "bad" if sign == "✗" else ""
    return Text(summary, style, f"{sign} {_SHORT.get(area, area)}")


def _listed(lines: Sequence[str]) -> list[str]:
    more = len(lines) - _LISTED
    return [*lines[:_LISTED], *([f"and {more:,} more"] if more > 0 else [])]
