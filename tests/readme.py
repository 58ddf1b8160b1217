"""The generated parts of README.md: `python -m tests.readme` writes them."""

import re
from pathlib import Path

from ollm_tui.config.reference import table_markdown
from ollm_tui.ui import keymap

README = Path(__file__).parent.parent / "README.md"


def key_table() -> str:
    """Every binding by place, with the id that configuration knows it by."""
    lines = ["| where | key | does | id |", "|---|---|---|---|"]
    for place in keymap.PLACES:
        for key in keymap.in_place(place):
            caps = " or ".join(f"`{cap}`" for cap in keymap.caps(key).split(" or ") if cap)
            caps = caps or "palette"
            lines.append(f"| {place} | {caps} | {key.description} | `{key.id}` |")
    return "\n".join(lines)


PARTS = {"keys": key_table, "configuration": table_markdown}


def rendered(text: str) -> str:
    """`text` with every generated part as it should be now."""
    for name, make in PARTS.items():
        marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        text = marked.sub(rf"\1{_escaped(make().strip())}\n\2", text)
    return text


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\")


if __name__ == "__main__":
    README.write_text(rendered(README.read_text("utf-8")), "utf-8")
