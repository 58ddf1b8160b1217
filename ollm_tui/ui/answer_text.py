"""What is sent with a prompt, and how its answer came, in words. Pure; knows no widget."""

from ollm_tui.core.generation import EffectiveOptions, Measures, OptionInForce
from ollm_tui.core.text import clean_line
from ollm_tui.ui import format as words

_LONGEST_VALUE = 60


def options_text(options: EffectiveOptions) -> str:
    """The options that are sent and who set each, in one line."""
    if not options.in_force:
        return "no options are set, so the model's own apply"
    return f"with {', '.join(option_text(option) for option in options.in_force)}"


def option_text(option: OptionInForce) -> str:
    """One option and who set it."""
    # A text in a file may hold what a terminal would obey.
    return f"{option.name} {clean_line(str(option.value), _LONGEST_VALUE)} ({option.place})"


def measures_text(measures: Measures) -> list[str]:
    """What is known of an answer's speed and size, fact by fact."""
    facts = []
    if measures.first_token_s is not None:
        facts.append(f"first token after {measures.first_token_s:.2f} s")
    if measures.tokens_per_s is not None:
        about = "" if measures.is_counted else "about "
        facts.append(f"{about}{measures.tokens_per_s:.1f} tokens/s")
    if measures.output_tokens is not None:
        facts.append(words.count(measures.output_tokens, "token"))
    if measures.prompt_tokens is not None:
        facts.append(f"prompt {words.count(measures.prompt_tokens, 'token')}")
    if measures.load_duration_s is not None:
        facts.append(f"loaded in {measures.load_duration_s:.2f} s")
    if measures.served_context_tokens is not None:
        facts.append(f"context {measures.served_context_tokens:,}")
    return facts
