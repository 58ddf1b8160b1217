"""The names of capabilities, as people and files write them."""

import pytest

from ollm_tui.routing.capability import (
    CAPABILITY_FIELDS,
    CAPABILITY_NAMES,
    EMBEDDING_ONLY,
    capability_field,
)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("toolCalling", "tool_calling"),
        ("tool_calling", "tool_calling"),
        ("tools", "tool_calling"),
        ("vision", "vision"),
        ("ToolCalling", None),
        ("", None),
    ],
)
def test_a_name_means_a_field_or_none(name: str, field: str | None) -> None:
    assert capability_field(name) == field


def test_every_field_has_its_name() -> None:
    assert [capability_field(name) for name in CAPABILITY_NAMES] == list(CAPABILITY_FIELDS)
    assert CAPABILITY_NAMES[1:] == CAPABILITY_FIELDS[1:]
    assert CAPABILITY_NAMES[0] == "toolCalling"


def test_an_embedding_model_embeds_and_does_nothing_else() -> None:
    assert [field for field in CAPABILITY_FIELDS if getattr(EMBEDDING_ONLY, field)] == ["embedding"]
