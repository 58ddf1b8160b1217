"""What the screen loads before its first frame."""

import subprocess
import sys
from pathlib import Path

HEAVY = ("httpx", "sqlite3", "textual", "yaml", "pydantic", "ollm_tui.routing")


def test_the_service_loads_nothing_heavy() -> None:
    code = f"import sys, ollm_tui.service.service; print(*(set({HEAVY}) & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],  # this copy, and no installed one
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.split() == []
