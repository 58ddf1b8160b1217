"""The mutants that no test notices, each with the reason why that is no loss."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("survivors.json")


class Survivors:
    """The file beside this one: module to its count of mutants and to survivors with reasons."""

    def __init__(self, file: Path = _FILE) -> None:
        self._file = file

    def of(self, path: str) -> frozenset[str]:
        """Those of a module that lived the last time."""
        data: dict[str, Any] = json.loads(self._file.read_text("utf-8"))
        return frozenset(data.get(path, {}).get("survivors", {}))

    def update(self, path: str, count: int, alive: Sequence[str]) -> list[str]:
        """Write down a module's survivors; those that lived before keep their reasons.

        Returns:
            Those without a reason.
        """
        data: dict[str, Any] = json.loads(self._file.read_text("utf-8"))
        before = data.get(path, {}).get("survivors", {})
        reasons = {name: before.get(name, "") for name in sorted(alive)}
        data[path] = {"mutants": count, "killed": count - len(alive), "survivors": reasons}
        text = json.dumps(dict(sorted(data.items())), indent=2, ensure_ascii=False)
        self._file.write_text(text + "\n", "utf-8")
        return [name for name, reason in reasons.items() if not reason]
