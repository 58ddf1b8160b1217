"""SHA-256 beside the transfer: a thread that hashes one buffer while the next one fills."""

import hashlib
import mmap
import queue
import threading


class Digester:
    """Hashes buffers in the order in which they are handed over, and gives them back.

    Memory is bounded by the buffers: who wants one waits until the hash has done with it.
    """

    def __init__(self, buffer_bytes: int, buffer_count: int) -> None:
        self._free: queue.SimpleQueue[mmap.mmap] = queue.SimpleQueue()
        self._full: queue.SimpleQueue[tuple[mmap.mmap, int] | None] = queue.SimpleQueue()
        self._buffer_bytes = buffer_bytes
        self._left_to_make = buffer_count
        self._hash = hashlib.sha256()
        self._thread: threading.Thread | None = None

    def buffer(self) -> mmap.mmap:
        """A buffer to fill, aligned as disks want it."""
        if self._left_to_make and self._free.empty():
            self._left_to_make -= 1
            return mmap.mmap(-1, self._buffer_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        return self._free.get()

    def hand_over(self, buffer: mmap.mmap, count: int) -> None:
        """Hash the first `count` bytes of a buffer from `buffer`, and then have it back."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="sha256", daemon=True)
            self._thread.start()
        self._full.put((buffer, count))

    def finish(self) -> str:
        """The digest of all that was handed over; nothing can be after this."""
        if self._thread is not None:
            self._full.put(None)
            self._thread.join()
            self._thread = None
        return f"sha256:{self._hash.hexdigest()}"

    def _work(self) -> None:
        while (item := self._full.get()) is not None:
            buffer, count = item
            with memoryview(buffer) as view:
                self._hash.update(view[:count])
            self._free.put(buffer)
