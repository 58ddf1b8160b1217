"""The verb `run`: routes a prompt, sends it with the options in force, streams the answer.

The answer goes to stdout as it comes; who answers, why, with what and how fast goes to stderr.
"""

import argparse
import dataclasses
import sys
from contextlib import aclosing

from ollm_tui.cli import render
from ollm_tui.cli.compose import opened_service
from ollm_tui.cli.exit_status import DONE, exit_status
from ollm_tui.cli.input_file import read_piped
from ollm_tui.cli.installed import list_installed
from ollm_tui.cli.output import print_error, say, warn, write, write_error
from ollm_tui.cli.routing import candidates_of
from ollm_tui.core.error import ConfigError, OllmError
from ollm_tui.core.generation import AnswerPart, Measures, OptionInForce
from ollm_tui.routing.decision import Decision, decision_json
from ollm_tui.service.generation import PromptPlan
from ollm_tui.service.service import ModelService
from ollm_tui.ui.answer_text import measures_text, option_text, options_text


async def run(options: argparse.Namespace) -> int:
    """Send one prompt and print the answer."""
    prompt = await _prompt(options.prompt)
    async with opened_service(options, reads_all=True) as service:
        await service.prompts.support()
        await list_installed(service)  # a prompt needs the server itself, not what it was
        router, models, provisional = await candidates_of(service)
        decision = router.explain(options.profile, models, provisional=provisional)
        report = _Report(decision) if options.json else _Words(decision, options.verbose)
        try:
            plan = await service.prompts.plan(decision)
            await _stream(service, plan, prompt, report)
        except OllmError as error:
            report.end(error)
            print_error(error)
            return exit_status(error)
        except BaseException:
            report.leave()
            raise
        report.end()
    return DONE


async def _stream(
    service: ModelService, plan: PromptPlan, prompt: str, report: "_Report | _Words"
) -> None:
    report.begin(plan)
    async with aclosing(service.prompts.send(plan, prompt)) as parts:
        async for part in parts:
            report.take(part)


async def _prompt(given: list[str]) -> str:
    """The prompt: the words given, or what is piped in.

    Raises:
        ConfigError: there is none.
    """
    is_piped = given == ["-"] or (not given and not (sys.stdin and sys.stdin.isatty()))
    if is_piped and sys.stdin is not None and sys.stdin.isatty():
        warn("type the prompt; ctrl-d on a line of its own ends it")
    prompt = await read_piped() if is_piped else " ".join(given)
    if not prompt.strip():
        raise ConfigError(
            "There is no prompt",
            cause="standard input is empty" if is_piped else "no words are given",
            actions=("Give one: `ollm-tui run PROMPT`, or pipe it in.",),
        )
    return prompt


class _Words:
    """For people: the answer on stdout, the rest on stderr."""

    def __init__(self, decision: Decision, is_verbose: bool) -> None:
        self._decision = decision
        self._is_verbose = is_verbose
        self._is_colourful = sys.stderr is not None and sys.stderr.isatty()
        self._is_line_open = False
        self._is_thinking = False
        self._last: AnswerPart | None = None

    def begin(self, plan: PromptPlan) -> None:
        """Say who answers, why, and with what."""
        decision = self._decision
        warn(decision.summary)
        if decision.provisional:
            warn("this is provisional: some facts are guesses")
        for remark in decision.warnings:
            warn(remark.message)
        options = plan.options
        if self._is_verbose and options.in_force:
            warn("with these options and no others:")
            for option in options.in_force:
                warn(f"  {option_text(option)}")
        else:
            warn(options_text(options))

    def take(self, part: AnswerPart) -> None:
        """Print a piece."""
        if part.thinking and self._is_verbose:
            self._is_thinking = True
            write_error(f"\x1b[2m{part.thinking}\x1b[0m" if self._is_colourful else part.thinking)
        if part.text:
            self._end_thinking()
            write(part.text)
            self._is_line_open = not part.text.endswith("\n")
        self._last = part

    def leave(self) -> None:
        """End what is begun: the next prompt of a shell stands on a line of its own."""
        self._end_thinking()
        if self._is_line_open:
            self._is_line_open = False
            write("\n")

    def end(self, error: OllmError | None = None) -> None:
        """Print the warnings and the measures."""
        self.leave()
        last = self._last
        if last is None:
            return
        for warning in last.warnings:
            warn(warning.message)
        facts = measures_text(last.measures)
        if self._is_verbose:
            for fact in facts:
                warn(f"  {fact}")
        elif error is None:
            warn(", ".join(facts))

    def _end_thinking(self) -> None:
        if self._is_thinking:
            self._is_thinking = False
            write_error("\n")


class _Report:
    """For scripts: one JSON object, once all is known."""

    def __init__(self, decision: Decision) -> None:
        self._decision = decision
        self._options: tuple[OptionInForce, ...] = ()
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._last: AnswerPart | None = None

    def begin(self, plan: PromptPlan) -> None:
        """Keep what is sent."""
        self._options = plan.options.in_force

    def take(self, part: AnswerPart) -> None:
        """Keep a piece."""
        self._text.append(part.text)
        self._thinking.append(part.thinking)
        self._last = part

    def leave(self) -> None:
        """Print nothing: an answer that was given up is none."""

    def end(self, error: OllmError | None = None) -> None:
        """Print everything."""
        last = self._last
        data: dict[str, object] = {
            "model": self._decision.model,
            "decision": decision_json(self._decision),
            "options": [_option_json(option) for option in self._options],
            "text": "".join(self._text),
            "thinking": "".join(self._thinking) or None,
            "measures": None if last is None else _measures_json(last.measures),
            "warnings": [dataclasses.asdict(item) for item in last.warnings] if last else [],
        }
        if error is not None:
            data["error"] = {
                "message": error.message,
                "cause": error.cause,
                "actions": list(error.actions),
            }
        say(render.as_json(data))


def _option_json(option: OptionInForce) -> dict[str, object]:
    return {
        "name": option.name,
        "value": option.value,
        "key": option.key,
        "origin": option.origin,
        "location": option.place,
    }


def _measures_json(measures: Measures) -> dict[str, object]:
    source = "provider" if measures.is_counted else "chunks"
    return {
        "time_to_first_token_s": _rounded(measures.first_token_s),
        "tokens_per_s": _rounded(measures.tokens_per_s),
        "tokens_per_s_source": None if measures.tokens_per_s is None else source,
        "output_tokens": measures.output_tokens,
        "prompt_tokens": measures.prompt_tokens,
        "prompt_duration_s": _rounded(measures.prompt_duration_s),
        "load_duration_s": _rounded(measures.load_duration_s),
        "total_duration_s": _rounded(measures.elapsed_s),
        "served_context_tokens": measures.served_context_tokens,
        "done_reason": measures.done_reason or None,
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 4)
