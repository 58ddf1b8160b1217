"""One line of the benchmark's table, and how it compares with the committed one."""

import json
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

REGRESSION = 1.2
"""A ratio this many times the committed one is told."""


class Row(NamedTuple):
    """One bar and what was measured: smaller is better.

    Attributes:
        name: what is measured; the key by which two tables are compared.
        median: of the measurements.
        bar: the most that is allowed; None = it only stands beside the others.
        unit: of the figures; "" for a ratio.
        reference: what a ratio is to, measured in the same run; "" for an absolute figure.
        low: the first quartile; None where there is one figure only.
        high: the third.
        note: instead of a figure, such as what has to be installed for one.
        cause: why the bar is missed when it is, where that is known.
    """

    name: str
    median: float
    bar: float | None
    unit: str = ""
    reference: str = ""
    low: float | None = None
    high: float | None = None
    note: str = ""
    cause: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the bar is kept, if there is one."""
        return self.bar is None or self.median <= self.bar

    @property
    def shown(self) -> str:
        """The figures as the table has them."""
        if self.note:
            return self.note
        spread = (
            "" if self.low is None or self.high is None else f" [{self.low:.3g}-{self.high:.3g}]"
        )
        return f"{self.median:.3g}{spread} {self.unit}".rstrip()


def row_of(
    name: str, values: Sequence[float], bar: float | None, unit: str = "", reference: str = ""
) -> Row:
    """The row of several measurements: median and quartiles."""
    low, middle, high = statistics.quantiles(values, n=4)
    return Row(name, middle, bar, unit, reference, low, high)


def in_milliseconds(rows: Iterable[tuple[str, float, float]]) -> list[Row]:
    """Rows of figures in seconds, name, median and bar, in milliseconds."""
    return [Row(name, median * 1e3, bar * 1e3, "ms") for name, median, bar in rows]


def table(rows: Sequence[Row], machine: str) -> str:
    """The table for people."""
    lines = [
        "# Performance",
        "",
        f"Written by `make bench`; {machine}. Smaller is better; in brackets the quartiles.",
        "A ratio is to what was measured beside it in the same run, on any machine the same.",
        "",
        "| what | median | bar | met | to |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        bar = "–" if row.bar is None else f"{row.bar:.3g} {row.unit}".rstrip()
        met = "–" if row.bar is None else "yes" if row.is_met else "**no**"
        lines.append(f"| {row.name} | {row.shown} | {bar} | {met} | {row.reference or '–'} |")
    missed = [row for row in rows if not row.is_met]
    if missed:
        lines += ["", "## Missed", ""]
        lines += [f"- {row.name}: {row.cause or 'cause not known yet'}." for row in missed]
    return "\n".join(lines) + "\n"


def to_json(rows: Iterable[Row], machine: str) -> str:
    """The table for programs."""
    data = {"machine": machine, "rows": [row._asdict() for row in rows]}
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def from_json(path: Path) -> dict[str, Row]:
    """The rows of a table by name; none where there is no table."""
    if not path.exists():
        return {}
    data: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return {row["name"]: Row(**row) for row in data["rows"]}


def regressions(rows: Iterable[Row], before: dict[str, Row]) -> list[str]:
    """What got worse by more than a fifth; only ratios, since the rest is the machine's."""
    worse = []
    for row in rows:
        then = before.get(row.name)
        if then is None or not row.reference or row.note or then.note or not then.median:
            continue
        if row.median > REGRESSION * then.median:
            worse.append(f"{row.name}: {row.median:.3g}, was {then.median:.3g}")
    return worse
