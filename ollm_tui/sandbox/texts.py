"""The texts that made-up models carry and say: templates, parameters, licences, answers.

All of it written for the sandbox; it only resembles what real models carry.
"""

import hashlib
from functools import cache

_LICENSES = {
    "apache-2.0": ("Apache License, Version 2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
    "mit": ("MIT License", "https://opensource.org/license/mit"),
    "llama-community": ("Llama Community License Agreement", "https://www.llama.com/license/"),
    "gemma-terms": ("Gemma Terms of Use", "https://ai.google.dev/gemma/terms"),
    "bigcode-rail": ("BigCode OpenRAIL-M v1", "https://www.bigcode-project.org/docs/licenses/"),
    "cc-by-nc-4.0": (
        "Creative Commons BY-NC 4.0",
        "https://creativecommons.org/licenses/by-nc/4.0/",
    ),
    "mistral-mnpl": (
        "Mistral AI Non-Production License",
        "https://mistral.ai/licenses/MNPL-0.1.md",
    ),
}
_LICENSE_SECTIONS = (
    ("Definitions", "“Model” means this made-up model, “you” whoever looks at it in the sandbox."),
    ("Grant", "A real copy would say here what you may do with the weights. There are no weights."),
    ("Conditions", "A real copy would say here what to keep, state and pass on."),
    ("Disclaimer", "A real copy would say here, in capitals, that nothing is promised."),
)
_STOPS = {
    "llama": ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    "qwen2": ("<|im_start|>", "<|im_end|>"),
    "qwen3": ("<|im_start|>", "<|im_end|>"),
    "phi3": ("<|end|>", "<|user|>", "<|assistant|>"),
    "gemma2": ("<start_of_turn>", "<end_of_turn>"),
    "gemma3": ("<end_of_turn>",),
}
_SAMPLING: dict[str, tuple[tuple[str, object], ...]] = {
    "qwen3": (("repeat_penalty", 1), ("temperature", 0.6), ("top_k", 20), ("top_p", 0.95)),
    "gemma3": (("temperature", 1), ("top_k", 64), ("top_p", 0.95)),
    "gptoss": (("temperature", 1),),
}
_ANSWERS = (
    "Start with the smallest thing that could work, then measure it. "
    "Most of what looks like a hard problem here is two easy ones that share a name: "
    "keep them apart and each has a plain answer.",
    "There are three parts to it. First, decide what must never be lost. "
    "Second, write it down where it survives a restart. "
    "Third, show people what is happening while they wait.",
    "In short: yes, with one caveat. The usual advice holds as long as the data fits in memory; "
    "beyond that, read it in pieces and keep only the totals.",
    "Think of it as a queue at a bakery. Nobody minds waiting when they can see the line move, "
    "and nobody forgives a closed door without a note on it.",
)
_THOUGHT = "The question is short, so the answer should be. I will name the idea and one caveat."


@cache
def license_text(license_id: str) -> str:
    """Return the stand-in for a licence; empty when the model has none."""
    if license_id not in _LICENSES:
        return ""
    title, address = _LICENSES[license_id]
    sections = (
        f"{number}. {heading}\n\n   {text}\n"
        for number, (heading, text) in enumerate(_LICENSE_SECTIONS, start=1)
    )
    return f"{title}\n\nThis is a stand-in. The real text: {address}\n\n" + "\n".join(sections)


@cache
def template(capabilities: tuple[str, ...]) -> str:
    """Return a Go template that has exactly the variables the capabilities are derived from."""
    lines = ["{{- if .System }}<|system|>{{ .System }}<|end|>{{ end }}"]
    if "insert" in capabilities:
        lines.append("{{- if .Suffix }}<|prefix|>{{ .Prompt }}<|suffix|>{{ .Suffix }}{{ end }}")
    if "tools" in capabilities:
        lines.append(
            "{{- if .Tools }}<|tools|>{{ range .Tools }}{{ . }}\n{{ end }}<|end|>{{ end }}"
        )
    lines.append("{{- range .Messages }}<|{{ .Role }}|>")
    if "thinking" in capabilities:
        lines.append("{{- if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}")
    lines.append("{{- .Content }}<|end|>\n{{- end }}<|assistant|>")
    return "\n".join(lines)


def parameters(family: str) -> tuple[tuple[str, object], ...]:
    """Return a family's run-time defaults."""
    stops: tuple[tuple[str, object], ...] = tuple(("stop", stop) for stop in _STOPS.get(family, ()))
    return _SAMPLING.get(family, ()) + stops


def answer_tokens(model: str, prompt: str) -> list[str]:
    """Return what a made-up model says to `prompt`, token by token; the same every time."""
    seed = hashlib.sha256(f"{model}\n{prompt}".encode()).digest()[0]
    topic = " ".join(prompt.split())[:60]
    opening = f"You asked about “{topic}”. " if topic else ""
    text = f"{opening}{_ANSWERS[seed % len(_ANSWERS)]} (A made-up answer: {model} has no weights.)"
    return _tokens(text)


def thought_tokens() -> list[str]:
    """Return what a thinking model thinks first."""
    return _tokens(_THOUGHT)


def _tokens(text: str) -> list[str]:
    first, *rest = text.split(" ")
    return [first, *(f" {word}" for word in rest)]
