"""A real full disk: a tmpfs of 64 MB, filled to several levels."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ollm_tui.core.error import NotEnoughSpace
from ollm_tui.providers.local.attempt import MIB
from ollm_tui.providers.local.provider import LocalProvider
from ollm_tui.providers.local.store import Store
from tests.faulty_registry import faulty_registry
from tests.provider.local.pulling import big_model, is_installed, no_wrong_file, pull
from tests.store_builder import made_model

SMALL = made_model()
BIG = big_model(40 * MIB)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place))
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a tmpfs cannot be mounted here (needs root)")
    try:
        yield place
    finally:
        subprocess.run(("umount", str(place)), check=True)


def fill(disk: Path, leave_bytes: int) -> Path:
    """Leave so many bytes free."""
    filler = disk / "filler"
    space = os.statvfs(disk)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, space.f_bavail * space.f_frsize - leave_bytes)
    return filler


@pytest.mark.parametrize("believed", [True, False], ids=["noticed before", "hit on the way"])
@pytest.mark.parametrize("leave_bytes", [0, 128 * 1024, 20 * MIB, 40 * MIB - 4096])
async def test_a_full_disk_ends_a_pull_with_the_bytes_needed_and_harms_nothing(
    disk: Path, leave_bytes: int, believed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = disk / "models"
    provider = LocalProvider(root)
    with faulty_registry() as registry:
        registry.push(SMALL, "ns/small:tag")
        registry.push(BIG, "ns/big:tag")
        await pull(provider, registry.name("ns/small:tag"))
        filler = fill(disk, leave_bytes)
        if not believed:
            monkeypatch.setattr(Store, "free_bytes", 10**12)
        with pytest.raises(NotEnoughSpace) as caught:
            await pull(provider, registry.name("ns/big:tag"))
        if believed:
            assert 40 * MIB <= caught.value.needed_bytes <= BIG.total_bytes
        assert no_wrong_file(root)
        assert is_installed(root, f"{registry.netloc}/ns/small/tag", SMALL)
        assert not (root / f"manifests/{registry.netloc}/ns/big").exists()
        filler.unlink()
        await pull(provider, registry.name("ns/big:tag"))
        assert is_installed(root, f"{registry.netloc}/ns/big/tag", BIG)
    await provider.close()
