"""The journal of a blob that is arriving: what counts after a kill, a power cut, a full disk."""

import errno
import hashlib
import os
from pathlib import Path

import pytest

from ollm_tui.core.error import NotEnoughSpace, StoreError
from ollm_tui.providers.local import journal as journals
from ollm_tui.providers.local.journal import StagedBlob, claim, discard, read_journal
from ollm_tui.providers.local.store import Store
from tests.store_builder import tree

SIZE = 2_000_000
DATA = hashlib.shake_256(b"x").digest(SIZE)
DIGEST = f"sha256:{hashlib.sha256(DATA).hexdigest()}"
NAME = DIGEST.replace(":", "-")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "models")


def claimed(store: Store) -> StagedBlob:
    staged = claim(store, DIGEST, SIZE, "llama3:latest")
    assert staged is not None
    return staged


def begun(store: Store, written: int = 1_500_000, durable: int = 600_000) -> None:
    """A download that ended in the middle, as a kill ends one."""
    staged = claimed(store)
    staged.prepare()
    staged.remember('"v1"')
    staged.append(memoryview(DATA)[:durable])
    staged.sync()
    staged.append(memoryview(DATA)[durable:written])
    staged.close()


def journal_path(store: Store) -> Path:
    return store.staging / f"{NAME}.journal"


def test_after_a_kill_all_that_was_written_counts(store: Store) -> None:
    begun(store)
    staged = claimed(store)
    assert (staged.written_bytes, staged.durable_bytes, staged.etag) == (1_500_000, 600_000, '"v1"')
    staged.close()
    journal = read_journal(journal_path(store))
    assert journal is not None
    assert (journal.model, journal.size_bytes) == ("llama3:latest", SIZE)


def test_after_a_power_cut_only_what_was_made_durable_counts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(store)
    monkeypatch.setattr(journals, "boot_id", lambda: "another boot")
    staged = claimed(store)
    assert staged.written_bytes == 600_000
    staged.close()


def test_where_nothing_names_the_boot_only_what_was_made_durable_counts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "_BOOT_ID", Path("/nowhere"))
    begun(store)
    staged = claimed(store)
    assert staged.written_bytes == 600_000
    staged.close()


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"ollm-tui download 1\n",
        b"ollm-tui download 9\n" + b"0" * 200,
        b"\0" * 300,
        b"[" * 5000,
    ],
)
def test_a_damaged_journal_counts_for_nothing(store: Store, damage: bytes) -> None:
    begun(store)
    journal_path(store).write_bytes(damage)
    staged = claimed(store)
    assert staged.written_bytes == 0
    staged.close()


@pytest.mark.parametrize("number", [b"99999999999999999999", b"-0000000000000000001", b" " * 20])
def test_numbers_that_cannot_be_count_for_nothing(store: Store, number: bytes) -> None:
    begun(store)
    raw = journal_path(store).read_bytes()
    journal_path(store).write_bytes(raw.replace(b"%020d" % 1_500_000, number))
    staged = claimed(store)
    assert staged.written_bytes == 0
    staged.close()


def test_a_file_that_became_shorter_counts_as_far_as_it_goes(store: Store) -> None:
    begun(store)
    os.truncate(store.staging / f"{NAME}.part", 1_000_000)
    staged = claimed(store)
    assert staged.written_bytes == 1_000_000
    staged.close()


def test_the_journal_of_another_size_counts_for_nothing(store: Store) -> None:
    begun(store)
    staged = claim(store, DIGEST, SIZE + 1, "llama3")
    assert staged is not None
    assert staged.written_bytes == 0
    staged.close()


def test_a_second_claim_gets_nothing_until_the_first_ends(store: Store) -> None:
    first = claimed(store)
    assert claim(store, DIGEST, SIZE, "other") is None
    assert not discard(store, DIGEST)
    first.close()
    second = claimed(store)
    second.close()


def test_the_space_is_taken_before_the_first_byte(store: Store) -> None:
    staged = claimed(store)
    staged.prepare()
    status = (store.staging / f"{NAME}.part").stat()
    assert status.st_size == SIZE
    assert status.st_blocks * 512 >= SIZE
    staged.close()


def test_a_restart_forgets_what_has_arrived_but_not_the_file(store: Store) -> None:
    begun(store)
    staged = claimed(store)
    staged.prepare()
    staged.restart()
    staged.close()
    again = claimed(store)
    assert (again.written_bytes, again.etag) == (0, "")
    again.close()


def test_discarding_removes_every_trace(store: Store) -> None:
    begun(store)
    assert discard(store, DIGEST)
    assert tree(store.root) == set()
    assert not discard(store, DIGEST)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_says_how_much_is_missing_and_keeps_the_journal(
    store: Store, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    begun(store)
    staged = claimed(store)
    staged.prepare()

    def full(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(NotEnoughSpace) as caught:
        staged.append(memoryview(b"more"))
    assert caught.value.needed_bytes == 0  # its space had been taken
    assert not caught.value.retryable
    staged.close()
    monkeypatch.undo()
    again = claimed(store)
    assert again.written_bytes == 1_500_000
    again.close()


def test_a_disk_that_fails_says_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    staged = claimed(store)

    def failing(*_: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "posix_fallocate", failing)
    with pytest.raises(StoreError, match="Input/output error"):
        staged.prepare()
    staged.close()


@pytest.mark.parametrize("code", [errno.EOPNOTSUPP, errno.EINVAL])
def test_a_disk_that_cannot_take_space_ahead_is_used_nevertheless(
    store: Store, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def unable(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "posix_fallocate", unable)
    begun(store)
    assert (store.staging / f"{NAME}.part").stat().st_size == SIZE


def test_a_link_in_the_place_of_the_file_is_not_followed(store: Store, tmp_path: Path) -> None:
    store.staging.mkdir(parents=True)
    (store.staging / f"{NAME}.part").symlink_to(tmp_path / "victim")
    with pytest.raises(StoreError):
        claim(store, DIGEST, SIZE, "x")
    assert not (tmp_path / "victim").exists()
