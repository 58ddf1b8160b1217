"""What the first pane shows besides the installed models, and the doctor."""

import os
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from textual.content import Content
from textual.widgets import Static

from ollm_tui.core.progress import PullPhase, PullStep
from ollm_tui.providers.local.journal import claim
from ollm_tui.providers.local.location import store_at
from ollm_tui.providers.local.provider import LocalProvider
from ollm_tui.providers.local.store import Store
from ollm_tui.providers.ollama import OllamaProvider
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from ollm_tui.service import deletion
from ollm_tui.ui.panes.disk import DiskPane
from ollm_tui.ui.text_pane import TextPane
from tests.faulty_registry import faulty_registry
from tests.store_builder import digest_of, install, made_model
from tests.ui.conftest import OpenApp

LIBRARY = "registry.ollama.ai/library"
MODEL = made_model()
OTHER = made_model(template=b"{{ .Prompt }} other")
LICENCE = MODEL.layers["license"]


class Mending(LocalProvider):
    """A store whose registry is near: a repair puts back the file that is missing."""

    async def repair(self, name: str) -> AsyncGenerator[PullStep, None]:
        yield PullStep(PullPhase.VERIFYING, "checking")
        self.store.blob_path(digest_of(LICENCE)).write_bytes(LICENCE)
        yield PullStep(PullPhase.SUCCESS, "success")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A store with two models that share files, an orphan, and a partial download."""
    root = tmp_path / "models"
    install(root, f"{LIBRARY}/llama3/latest", MODEL)
    install(root, f"{LIBRARY}/llama3/other", OTHER)
    orphan = root / "blobs" / digest_of(b"nobody's").replace(":", "-")
    orphan.write_bytes(b"nobody's" * 1000)
    os.utime(orphan, (time.time() - 9000,) * 2)
    staged = claim(Store(root), "sha256:" + "b" * 64, 2_000_000, "mistral:7b")
    assert staged is not None
    staged.prepare()
    staged.append(memoryview(bytes(500_000)))
    staged.close()
    return root


async def test_v_shows_what_runs_and_the_same_key_leads_round(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("v")
        await screen.sees("1 Running ─ 1 · ", "llama3.2:3b", "LEAVES IN", "unload")
        await screen.press("v")
        await screen.sees("has no model store on this machine", "v shows the installed models")
        await screen.press("v")
        await screen.sees("1 Installed ─ 31 of 31")


async def test_the_inspector_shows_the_model_under_the_cursor_of_every_view(
    open_app: OpenApp,
) -> None:
    async with open_app() as screen:
        await screen.service.load("qwen3:8b")
        await screen.press("j", "j", "j")
        await screen.sees("3 Inspector ─ llama3.1:8b")
        await screen.press("v")
        await screen.sees("1 Running ─ 2 · ")
        names = [model.name for model in screen.service.running.models]
        await screen.sees(f"3 Inspector ─ {names[0]}")
        await screen.press("j")
        await screen.sees(f"3 Inspector ─ {names[1]}")
        await screen.press("L")
        await screen.sees("No model is under the cursor.")
        await screen.press("3", "right_square_bracket")
        await screen.sees("There is no model to inspect.")
        await screen.press("1", "v", "v")
        await screen.sees("3 Inspector ─ llama3.1:8b")


async def test_the_inspector_goes_back_with_the_filter_to_the_installed_models(
    open_app: OpenApp,
) -> None:
    async with open_app() as screen:
        await screen.press("j", "j", "j", "v")
        await screen.sees("1 Running ─ 1 · ", "3 Inspector ─ llama3.2:3b")
        await screen.press("slash")
        await screen.sees("3 Inspector ─ llama3.1:8b")


async def test_a_model_in_memory_can_be_kept_and_unloaded(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("v")
        await screen.sees("1 Running ─ 1 · ")
        await screen.press("t")
        await screen.sees("How long shall llama3.2:3b stay")
        await screen.press("f")
        await screen.sees("stays")
        await screen.press("l")
        await screen.sees("1 Running ─ nothing", "No model is in memory")


async def test_all_models_leave_memory_at_once(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.service.load("qwen3:8b")
        await screen.press("v")
        await screen.sees("1 Running ─ 2 · ")
        await screen.press("L")
        await screen.sees("1 Running ─ nothing")


async def test_the_views_are_there_in_a_narrow_terminal_too(open_app: OpenApp) -> None:
    async with open_app(size=(80, 24)) as screen:
        await screen.press("v")
        await screen.sees("1 Running ─ 1 · ")
        await screen.press("2", "1")
        await screen.sees("1 Running ─ 1 · ")
        assert "2 Downloads ─" not in screen.text


async def test_a_filter_is_for_the_installed_models(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("v")
        await screen.sees("1 Running")
        await screen.press("slash")
        await screen.type("coder")
        await screen.sees("1 Installed ─ 3 of 31")


async def test_a_store_keeps_nothing_in_memory_and_says_so(open_app: OpenApp, root: Path) -> None:
    async with open_app(provider=LocalProvider(root)) as screen:
        await screen.press("v")
        await screen.sees("keeps no models in memory", "--provider ollama")


async def test_the_disk_is_divided_into_own_shared_and_left_over_bytes(
    open_app: OpenApp, root: Path
) -> None:
    async with open_app(provider=LocalProvider(root)) as screen:
        await screen.press("v", "v")
        await screen.sees("1 Disk ─ ", "partial", "orphaned", "free")
        own = f"{len(OTHER.layers['template'])} B"
        assert any(own in row for row in screen.lines("   llama3:other"))
        assert screen.lines("download of mistral:7b, 25% there")
        assert screen.lines("? orphan sha256-")


async def test_the_inspector_follows_the_cursor_of_the_disk(open_app: OpenApp, root: Path) -> None:
    async with open_app(provider=LocalProvider(root)) as screen:
        await screen.press("v", "v")
        await screen.sees("? orphan sha256-", "No model is under the cursor.")
        await screen.press("j", "j")
        pane = screen.app.active_widget
        assert isinstance(pane, DiskPane)
        first = pane.model_name
        await screen.sees(f"3 Inspector ─ {first}")
        await screen.press("j")
        assert pane.model_name != first
        await screen.sees(f"3 Inspector ─ {pane.model_name}")


async def test_r_measures_the_disk_again(open_app: OpenApp, root: Path) -> None:
    async with open_app(provider=LocalProvider(root)) as screen:
        await screen.press("v", "v")
        await screen.sees("? orphan sha256-")
        (root / "blobs" / digest_of(b"nobody's").replace(":", "-")).unlink()
        await screen.press("r")
        await screen.misses("? orphan sha256-")


async def test_a_partial_download_goes_on_or_is_discarded(open_app: OpenApp, root: Path) -> None:
    async with open_app(provider=LocalProvider(root)) as screen:
        await screen.press("v", "v")
        await screen.sees("download of mistral:7b")
        await screen.press("enter")
        await screen.sees("Queued mistral:7b")
        assert [item.name for item in screen.service.queue.items] == ["mistral:7b"]
        await screen.service.cancel(screen.service.queue.items[0].id)
        await screen.press("x")
        await screen.sees("begin again from nothing")
        await screen.press("y")
        await screen.misses("download of mistral:7b")
        assert not list((root / ".ollm-tui").glob("*.part"))


async def test_a_model_is_deleted_with_the_exact_bytes_named(open_app: OpenApp, root: Path) -> None:
    async with open_app(provider=LocalProvider(root)) as screen:
        await screen.press("v", "v")
        await screen.sees("? orphan sha256-")
        await screen.press("j", "j", "d")
        size = len(OTHER.layers["template"])
        freed = f"Frees {max(size, len(MODEL.layers['template']))} B."
        await screen.sees("Delete 1 model?", freed, "u takes it back")
        await screen.press("y")
        await screen.until(lambda: len(list((root / "manifests").rglob("*/llama3/*"))) == 1)


async def test_a_delete_from_the_disk_can_be_taken_back_too(
    open_app: OpenApp, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "UNDO_S", 60.0)
    async with open_app(provider=LocalProvider(root)) as screen:
        await screen.press("v", "v")
        await screen.sees("? orphan sha256-")
        await screen.press("j", "j", "d", "y")
        await screen.sees("deleting llama3:", "u undoes", "▸– llama3:")
        pane = screen.app._main.query_one(DiskPane)
        assert pane.item is not None
        assert [style for _, style in pane.pieces(pane.item, 80)] == ["bad", "dim", "dim", "dim"]
        await screen.press("d")
        await screen.sees("It is about to be deleted; u takes that back.")
        await screen.press("k", "d")
        await screen.sees("This is no model")
        await screen.press("v", "v", "v")
        await screen.sees("– llama3:")
        await screen.press("u")
        await screen.sees("Taken back: llama3:")
        await screen.misses("– llama3:")
        assert len(list((root / "manifests").rglob("*/llama3/*"))) == 2


async def test_what_is_broken_is_deleted_from_the_disk_and_leaves_the_view(
    open_app: OpenApp, root: Path
) -> None:
    install(root, f"{LIBRARY}/broken/latest", MODEL).write_bytes(b"{")
    async with open_app(provider=LocalProvider(root)) as screen:
        await screen.sees("1 unreadable")
        await screen.press("v", "v")
        await screen.sees("cannot be read; D says why")
        await screen.press("G")
        await screen.sees("its manifest cannot be used")  # in the inspector
        await screen.press("d")
        await screen.sees("Delete broken", "not known", "u takes it back")
        await screen.press("y")
        await screen.misses("cannot be read; D says why")
        assert not (root / "manifests" / LIBRARY / "broken" / "latest").exists()


async def test_what_a_row_of_the_disk_is_decides_which_keys_act(
    open_app: OpenApp, root: Path
) -> None:
    async with open_app(provider=LocalProvider(root)) as screen:
        await screen.press("v", "v")
        await screen.sees("? orphan sha256-")
        await screen.press("d")
        await screen.sees("This is no model; x discards what is left over.")
        await screen.press("G", "x")
        await screen.sees("It is for what is left over, above the models.")
        assert screen.app._situation == screen.app.situation


async def test_with_nothing_in_memory_or_on_disk_the_keys_say_so(open_app: OpenApp) -> None:
    with SandboxServer(timing=INSTANT) as idle:
        async with open_app(host=idle.host) as screen:
            await screen.press("v")
            for key in ("l", "L", "t"):
                await screen.press(key)
                await screen.until(lambda: screen.text.count("No model is in memory.") == 2)
                screen.app.clear_notifications()
                await screen.until(lambda: screen.text.count("No model is in memory.") == 1)
            await screen.press("v", "x")
            await screen.sees("Nothing is left over.")
            await screen.press("d")
            await screen.sees("There is no model under the cursor.")


async def test_the_inspector_names_registry_and_namespace(open_app: OpenApp, root: Path) -> None:
    install(root, "hf.co/bartowski/Qwen2.5-GGUF/Q4_K_M", MODEL)
    async with open_app(provider=LocalProvider(root)) as screen:
        await screen.sees("source    hf.co/bartowski")


async def test_the_doctor_names_every_part_and_mends_after_a_preview(
    open_app: OpenApp, root: Path
) -> None:
    blob = root / "blobs" / digest_of(LICENCE).replace(":", "-")
    blob.unlink()
    async with open_app(provider=Mending(root)) as screen:
        await screen.press("v", "v", "D")
        await screen.sees("✓ server", "– config", "screen", "✗ store", "is missing", "R repairs")
        await screen.press("R")
        await screen.sees("Repair 2 models?", "only what is bad is fetched again")
        await screen.press("y")
        await screen.misses("is missing")
        assert blob.exists()
        await screen.press("x")
        await screen.sees("Remove 1 file that no model needs, 8.0 kB?")
        await screen.press("y")
        await screen.sees("Freed 8.0 kB", "✓ store")


async def test_the_doctor_ticks_no_store_that_is_not_there(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("v", "v", "D")
        await screen.sees("– store", "has no model store on this machine")
        assert "✓ store" not in screen.text


async def test_the_keys_of_the_doctor_say_why_they_do_nothing(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("v", "v", "D")
        await screen.sees("– store", "v verify")
        hints = screen.app.screen.query_one("#keys", Static).content
        assert isinstance(hints, Content)
        dim = [
            hints.plain[span.start : span.end] for span in hints.spans if "dim" in str(span.style)
        ]
        assert dim == ["v verify", "R repair", "x reclaim"]
        for key, title in (("v", "Hash every file"), ("R", "Fetch what is"), ("x", "Remove what")):
            await screen.press(key)
            await screen.sees(title)
            await screen.until(
                lambda: " ".join(screen.text.split()).count("has no model store") == 2
            )


async def test_the_keys_of_the_doctor_are_those_of_the_configuration(
    open_app: OpenApp, root: Path
) -> None:
    async with open_app(provider=LocalProvider(root)) as screen:
        keys = {"doctor.verify": "f6", "doctor.repair": "f7"}
        screen.app.rebind(keys, screen.app._show_footer)
        await screen.press("v", "v", "D")
        await screen.sees("f6 verify  f7 repair  x reclaim", "sizes checked")
        await screen.press("f7")
        await screen.sees("Nothing needs a repair. f6 hashes every")
        await screen.press("f6")
        await screen.sees("every file hashed")
        await screen.press("f7")
        await screen.sees("Nothing needs a repair: every file was hashed.")


async def test_the_doctor_says_once_that_nobody_answers(
    open_app: OpenApp, server: SandboxServer, root: Path
) -> None:
    here = OllamaProvider(server.host, locate_store=lambda: store_at(root, "the setting"))
    server.stop()
    async with open_app(provider=here, wait=False) as screen:
        await screen.sees("r asks again")
        await screen.press("v", "v", "D")
        await screen.sees("✗ server", "– store", "not looked at")
        lines = screen.app.screen.query_one("#diagnosis", TextPane).items
        told = [text for line in lines for text, _ in line]
        assert sum("ollama serve" in text for text in told) == 1


async def test_a_store_yet_to_be_made_is_told_of_as_such(open_app: OpenApp, tmp_path: Path) -> None:
    async with open_app(provider=LocalProvider(tmp_path / "none")) as screen:
        await screen.press("v", "v", "D")
        await screen.sees("– store")
        lines = screen.app.screen.query_one("#diagnosis", TextPane).items
        told = " ".join(" ".join(text for text, _ in line) for line in lines).split()
        assert "not there yet; the first pull makes it" in " ".join(told)  # wherever it is wrapped


async def test_the_palette_knows_the_doctor(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("4", "ctrl+p")
        await screen.type("doctor")
        await screen.sees("Doctor: look for what is wrong")
        await screen.press("enter")
        await screen.sees("✓ server", "ollama 0.33.0 at ", "31 models")


async def test_the_doctor_hashes_on_request(open_app: OpenApp, root: Path) -> None:
    blob = root / "blobs" / digest_of(LICENCE).replace(":", "-")
    blob.write_bytes(LICENCE[::-1])
    async with open_app(provider=LocalProvider(root)) as screen:
        await screen.press("v", "v", "D")
        await screen.sees("sizes checked")
        await screen.press("v")
        await screen.sees("every file hashed", "was altered")


async def test_a_repair_that_fails_says_why(open_app: OpenApp, root: Path) -> None:
    install(root, "127.0.0.1:9/ns/gone/latest", made_model(system=b"missing"))
    (root / "blobs" / digest_of(b"missing").replace(":", "-")).unlink()
    async with open_app(provider=LocalProvider(root)) as screen:
        await screen.press("v", "v", "D")
        await screen.sees("is missing")
        await screen.press("R", "y")
        await screen.sees("no answer from https://127.0.0.1:9")


async def test_a_repair_uses_plain_http_only_after_a_yes(open_app: OpenApp, tmp_path: Path) -> None:
    root = tmp_path / "plain"
    with faulty_registry() as registry:
        registry.push(MODEL)
        install(root, f"{registry.netloc}/ns/model/tag", MODEL)
        blob = root / "blobs" / digest_of(LICENCE).replace(":", "-")
        blob.unlink()
        async with open_app(provider=LocalProvider(root)) as screen:
            await screen.press("v", "v", "D")
            await screen.sees("is missing")
            await screen.press("R", "y")
            await screen.sees(
                "Repair 1 model over plain http?", registry.name(), "anybody in between"
            )
            await screen.press("escape")
            await screen.misses("over plain http?")
            assert registry.requests == []
            await screen.press("R", "y")
            await screen.sees("Repair 1 model over plain http?")
            await screen.press("y")
            await screen.misses("is missing")
            await screen.sees("✓ store")
    assert blob.read_bytes() == LICENCE


async def test_the_keys_of_the_doctor_are_one_line_in_the_smallest_terminal(
    open_app: OpenApp, root: Path
) -> None:
    async with open_app(provider=LocalProvider(root), size=(60, 20)) as screen:
        await screen.press("v", "v", "D")
        await screen.sees("v verify  R repair  x reclaim  r again  esc close")
