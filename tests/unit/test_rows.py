"""How a table gives up columns, and how text is made to fit."""

import pytest

from ollm_tui.ui.columns import fit_columns, fit_name, fit_text
from ollm_tui.ui.panes.installed import InstalledPane


def test_columns_leave_in_the_order_of_the_design() -> None:
    seen: list[list[str]] = []
    for width in range(120, 20, -1):
        widths = fit_columns(InstalledPane.COLUMNS, width)
        gone = [
            column.title
            for column, given in zip(InstalledPane.COLUMNS, widths, strict=True)
            if not given
        ]
        if not seen or seen[-1] != gone:
            seen.append(gone)
    order = ["MODIFIED", "QUANT", "FAMILY", "PARAMS", "CAPS"]
    assert [set(gone) for gone in seen] == [set(order[:count]) for count in range(6)]


@pytest.mark.parametrize("width", range(24, 200))
def test_a_row_fills_its_width_and_no_more(width: int) -> None:
    widths = fit_columns(InstalledPane.COLUMNS, width)
    shown = [given for given in widths if given]
    assert sum(shown) + len(shown) - 1 == width


@pytest.mark.parametrize(
    ("name", "width", "expected"),
    [
        ("qwen3:8b", 10, "qwen3:8b  "),
        ("deepseek-coder:6.7b", 14, "deepsee…:6.7b "[:14].strip()),
        ("nomic-embed-text:latest", 15, "nomic-…:latest"),
        ("no-tag-at-all-here", 8, "no-tag-…"),
    ],
)
def test_a_long_name_keeps_its_tag(name: str, width: int, expected: str) -> None:
    fitted = fit_name(name, width)
    assert len(fitted) == width
    tag = name.rpartition(":")[2]
    assert fitted.rstrip().endswith(tag) or ":" not in name
    assert fitted.startswith(expected[:4])


def test_wide_characters_count_as_two_cells() -> None:
    assert fit_text("模型", 6) == "模型  "
    assert fit_text("模型模型", 5) == "模型…"


def test_the_columns_of_installed_leave_in_the_order_promised() -> None:
    columns = InstalledPane._WITH_FIT
    gone: list[str] = []
    for width in range(120, 20, -1):
        widths = fit_columns(columns, width)
        for column, shown in zip(columns, widths, strict=True):
            if not shown and column.title not in gone:
                gone.append(column.title)
    assert gone == ["FIT", "MODIFIED", "QUANT", "FAMILY", "PARAMS", "CAPS"]
