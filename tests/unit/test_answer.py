"""Wrapping a text by the cells it takes, and the words for an answer's measures."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from ollm_tui.core.generation import EffectiveOptions, Measures, OptionInForce
from ollm_tui.ui.answer import wrap_cells
from ollm_tui.ui.answer_text import measures_text, options_text

LETTERS = st.text("ab c漢字é 👍-", max_size=80)


@given(LETTERS, st.integers(2, 30))
def test_no_line_is_too_wide_and_nothing_but_blanks_is_lost(text: str, width: int) -> None:
    lines = wrap_cells(text, width)
    assert lines
    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(LETTERS, LETTERS, st.integers(2, 30))
def test_every_line_but_the_last_is_done(first: str, second: str, width: int) -> None:
    done = wrap_cells(first, width)[:-1]
    *kept, rest = wrap_cells(first, width)
    grown = [*kept, *wrap_cells(rest + second, width)]
    assert grown[: len(done)] == done
    assert all(cell_len(line) <= width for line in grown)


def test_lines_break_at_blanks_and_long_words_anywhere() -> None:
    assert wrap_cells("one two three", 8) == ["one two", "three"]
    assert wrap_cells("    indented code", 10) == ["    indent", "ed code"]
    assert wrap_cells("abcdefgh", 3) == ["abc", "def", "gh"]
    assert wrap_cells("漢字漢字", 5) == ["漢字", "漢字"]
    assert wrap_cells("", 5) == [""]


def test_measures_say_what_is_known_and_no_more() -> None:
    assert measures_text(Measures()) == []
    everything = Measures(
        elapsed_s=3.0,
        first_token_s=0.456,
        output_tokens=1,
        tokens_per_s=31.25,
        is_counted=True,
        prompt_tokens=1200,
        load_duration_s=1.5,
        served_context_tokens=4096,
    )
    assert measures_text(everything) == [
        "first token after 0.46 s",
        "31.2 tokens/s",
        "1 token",
        "prompt 1,200 tokens",
        "loaded in 1.50 s",
        "context 4,096",
    ]
    assert measures_text(Measures(tokens_per_s=9.96)) == ["about 10.0 tokens/s"]


def test_options_name_who_set_them() -> None:
    assert options_text(EffectiveOptions()) == "no options are set, so the model's own apply"
    who = OptionInForce("topK", 4, "options.topK", "env", "env OLLM_X")
    assert options_text(EffectiveOptions({"topK": 4}, {}, (who,))) == "with topK 4 (env OLLM_X)"
    who = OptionInForce("stop", ["\x1b[31m", "x" * 99], "k", "user", "f:1:1")
    text = options_text(EffectiveOptions({}, {"stop": 1}, (who,)))
    assert "\x1b" not in text
    assert text.endswith("… (f:1:1)")
