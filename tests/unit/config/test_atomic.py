"""A file is replaced as a whole, and what killed processes left beside it goes in time."""

import os
import time
from pathlib import Path

from ollm_tui.config.atomic import write_atomically


def test_litter_goes_once_it_is_old_past_what_another_process_has_just_taken(
    tmp_path: Path,
) -> None:
    file, young = tmp_path / "config.yaml", tmp_path / ".config.yaml.ollm-young"
    young.touch()
    hour_ago_s = time.time() - 3_601
    for number in range(20):
        # A name that is listed and then not there, as when somebody renames it meanwhile.
        (tmp_path / f".config.yaml.ollm-taken{number}").symlink_to(tmp_path / "nowhere")
        old = tmp_path / f".config.yaml.ollm-old{number}"
        old.touch()
        os.utime(old, (hour_ago_s, hour_ago_s))
    write_atomically(file, b"a: 1\n", mode=0o600)
    assert file.read_bytes() == b"a: 1\n"
    assert young.exists()
    assert not list(tmp_path.glob("*-old*"))
