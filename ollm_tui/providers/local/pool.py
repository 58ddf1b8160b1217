"""The transfers of this process: one per blob however many wait for it, and room on the disk.

Source: reference/downloads.md 7, reference/ollama.md 8.4.
"""

import itertools
import os
import threading
import time
from collections.abc import Iterable

from ollm_tui.core.error import NotEnoughSpace
from ollm_tui.providers.local.attempt import TransferPolicy
from ollm_tui.providers.local.journal import PART
from ollm_tui.providers.local.manifest import Blob
from ollm_tui.providers.local.rate import RateLimit
from ollm_tui.providers.local.store import Store, blob_file_name
from ollm_tui.providers.local.transfer import BlobSource, Transfer


class TransferPool:
    """Starts transfers, and ends those that nobody waits for any more."""

    def __init__(self, store: Store, policy: TransferPolicy, limit: RateLimit) -> None:
        self._store = store
        self._policy = policy
        self._limit = limit
        self._lock = threading.Lock()
        self._waiting: dict[Transfer, int] = {}
        self._ending: set[Transfer] = set()
        self._wanted: dict[object, tuple[Blob, ...]] = {}

    def reserve(self, reservation: object, blobs: Iterable[Blob]) -> None:
        """Keep disk space for blobs, beside what is kept already, until `release`.

        Raises:
            NotEnoughSpace: with the bytes that all downloads together still have to write.
        """
        with self._lock:
            wanted = tuple(blobs)
            together = itertools.chain(wanted, *self._wanted.values())
            needed_bytes = sum(map(self._still_needed, dict.fromkeys(together)))
            free_bytes = self._store.free_bytes
            if needed_bytes > free_bytes:
                raise NotEnoughSpace(
                    f"The disk with {self._store.display} has not enough room",
                    needed_bytes=needed_bytes,
                    free_bytes=free_bytes,
                )
            self._wanted[reservation] = wanted

    def release(self, reservation: object) -> None:
        """Give up a reservation, used or not."""
        with self._lock:
            self._wanted.pop(reservation, None)

    @property
    def wanted_digests(self) -> frozenset[str]:
        """The files that running pulls need."""
        with self._lock:
            return frozenset(blob.digest for blobs in self._wanted.values() for blob in blobs)

    @property
    def set_aside_bytes(self) -> int:
        """What running transfers have of the disk and have not written yet."""
        with self._lock:
            transfers = tuple(self._waiting)
        return sum(
            max(0, self._allocated_bytes(transfer.blob) - transfer.completed_bytes)
            for transfer in transfers
        )

    def join(self, blob: Blob, source: BlobSource, model: str) -> Transfer:
        """The transfer of a blob, started if there is none; `leave` it in the end."""
        with self._lock:
            for transfer in self._waiting:
                is_same = (transfer.blob.digest, transfer.blob.size_bytes) == (
                    blob.digest,
                    blob.size_bytes,
                )
                if is_same and not transfer.is_done and not transfer.is_stopping:
                    self._waiting[transfer] += 1
                    return transfer
            transfer = Transfer(
                self._store, blob, source, model=model, policy=self._policy, limit=self._limit
            )
            self._waiting[transfer] = 1
            transfer.start()
            return transfer

    def leave(self, transfer: Transfer) -> None:
        """Wait for a transfer no longer; the last one to leave ends it."""
        with self._lock:
            self._waiting[transfer] -= 1
            if not self._waiting[transfer]:
                del self._waiting[transfer]
                transfer.stop()
                self._ending = {other for other in self._ending if not other.is_done}
                self._ending.add(transfer)

    def stop(self, timeout_s: float) -> None:
        """End every transfer, and wait for them so long at most; what has arrived stays."""
        with self._lock:
            transfers = {*self._waiting, *self._ending}
        for transfer in transfers:
            transfer.stop()
        end_s = time.monotonic() + timeout_s
        for transfer in transfers:
            transfer.join(max(0.0, end_s - time.monotonic()))

    def _still_needed(self, blob: Blob) -> int:
        if self._store.blob_size(blob.digest) == blob.size_bytes:
            return 0
        return max(0, blob.size_bytes - self._allocated_bytes(blob))

    def _allocated_bytes(self, blob: Blob) -> int:
        """What the unfinished file of a blob has of the disk."""
        try:
            part = os.lstat(self._store.staging / (blob_file_name(blob.digest) + PART))
        except OSError:
            return 0
        return part.st_blocks * 512
