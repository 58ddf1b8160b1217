"""YAML for people to paste: reads back as it was, and hides nothing."""

import yaml
from hypothesis import given
from hypothesis import strategies as st

from ollm_tui.config.yaml_writer import as_yaml
from tests.hostile import strings, unsafe

TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    [text.encode("utf-8", "ignore").decode()[:300] for text in strings(42)]
)


@given(st.dictionaries(TEXTS, TEXTS | st.integers() | st.lists(TEXTS), max_size=3))
def test_what_is_written_reads_as_it_was_and_shows_all_there_is(data: dict[str, object]) -> None:
    written = as_yaml(data)
    assert yaml.safe_load(written) == data
    assert not unsafe(written, allowed="\n")


def test_letters_of_any_script_stay_as_they_are() -> None:
    data = {"profile": "é 漢字 שלום", "families": ["llama", "phi"]}
    assert as_yaml(data) == "profile: é 漢字 שלום\nfamilies:\n- llama\n- phi\n"
    assert as_yaml({"a": "b\u202ec"}) == 'a: "b\\U0000202ec"\n'
