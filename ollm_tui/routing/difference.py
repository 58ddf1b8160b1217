"""What becomes of every profile's answer from one situation to another, and why.

For two configurations, for two sets of models, and for what is about to be deleted or saved.

Source: routing anchors B3, point 6; decisions A5.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ollm_tui.core.text import clean_line
from ollm_tui.routing.answers import Answers
from ollm_tui.routing.decision import Candidate, Decision, Verdict, Via
from ollm_tui.routing.profile import name_fold
from ollm_tui.routing.ranking import canonical_key
from ollm_tui.routing.situation import Situation


class AnswerChange(NamedTuple):
    """A profile whose answer is another one."""

    profile: str
    before: Decision | None
    """None: there is no such profile."""
    after: Decision | None
    cause: str
    """What made the difference, one sentence."""
    sentence: str
    """What becomes of the profile, one sentence."""


def differences(before: Situation, after: Situation) -> Iterator[AnswerChange | None]:
    """Yield each profile whose answer differs, those of `before` first; None for the others.

    An answer is the model, the profile that found it, by which road, and for which reason.
    Between two yields pass a few milliseconds.
    """
    old, new = Answers(before), Answers(after)
    for name in _profiles(before, after):
        was = _answer(old, name)
        now = _answer(new, name)
        yield None if was == now else _change(name, before, after)


def consequences(before: Situation, after: Situation) -> list[str]:
    """Return a sentence for each profile whose model differs; for a question before the deed."""
    found = differences(before, after)
    return [
        change.sentence
        for change in found
        if change is not None and _model(change.before) != _model(change.after)
    ]


def _profiles(before: Situation, after: Situation) -> list[str]:
    names: dict[str, str] = {}
    for profile in (*before.profiles, *after.profiles):
        names.setdefault(name_fold(profile.name), profile.name)
    return list(names.values())


def _answer(answers: Answers, profile: str) -> object:
    if answers.situation.find_profile(profile) is None:
        return None
    return answers.answer(answers.situation.asking(profile))


def _change(profile: str, before: Situation, after: Situation) -> AnswerChange:
    was = before.decide(profile) if before.find_profile(profile) else None
    now = after.decide(profile) if after.find_profile(profile) else None
    cause = "" if was is None or now is None else _cause(was, now, before, after)
    return AnswerChange(profile, was, now, cause, _sentence(profile, was, now))


def _model(decision: Decision | None) -> str | None:
    return decision.model if decision else None


def _sentence(profile: str, was: Decision | None, now: Decision | None) -> str:
    if now is None:
        return clean_line(f"There would be no profile {profile} any more.")
    then = now.model or "no model"
    if was is None:
        return clean_line(f"{profile} would be new and choose {then}.")
    through = f" through {now.resolved_profile}" if now.via is Via.FALLBACK else ""
    if was.model == now.model:
        return clean_line(f"{profile} would still choose {then}{through or ', by another rule'}.")
    return clean_line(f"{profile} would choose {then}{through} instead of {was.model or 'none'}.")


def _cause(was: Decision, now: Decision, before: Situation, after: Situation) -> str:
    """Why the answers differ: by the settings, by what is installed, by what the rules say."""
    for cause in (
        _of_settings(was, now, before, after),
        _of_models(was, now, before, after),
        _of_rules(was, now),
    ):
        if cause:
            return clean_line(cause)
    return "The order of the models is another."


def _of_settings(was: Decision, now: Decision, before: Situation, after: Situation) -> str:
    old, new = before.config, after.config
    if old.pinned_model != new.pinned_model:
        return f"{new.pinned_model or 'No model'} is asked for by name."
    if old.enabled != new.enabled:
        return f"Routing is {'on' if new.enabled else 'off'}."
    if not new.enabled and old.default_model != new.default_model:
        return f"The default model is {new.default_model or 'unset'}."
    if now.via is Via.OVERRIDE and now.model != was.model:
        return f"The override of {now.resolved_profile} names {now.model}."
    if was.via is Via.OVERRIDE and was.resolved_profile is not None:
        named = {canonical_key(m) for m in _overrides(after, was.resolved_profile)}
        if canonical_key(was.model or "") not in named:
            return f"The override of {was.resolved_profile} no longer names {was.model}."
    return ""


def _overrides(situation: Situation, profile: str) -> list[str]:
    return [situation.config.overrides[key] for key in situation.override_keys(profile)]


def _of_models(was: Decision, now: Decision, before: Situation, after: Situation) -> str:
    if was.model is not None and after.model(was.model) is None:
        return f"{was.model} is not installed any more."
    if now.model is not None and before.model(now.model) is None:
        return f"{now.model} is newly installed."
    return ""


def _of_rules(was: Decision, now: Decision) -> str:
    """The rule that newly drops the old winner, or no longer drops the new one."""
    lost = _at(now, was.resolved_profile, was.model)
    if lost is not None and lost.verdict is Verdict.DROPPED:
        return f"{was.resolved_profile} now drops {lost.model}: {lost.detail}."
    won = _at(was, now.resolved_profile, now.model)
    if won is not None and won.verdict is Verdict.DROPPED:
        return f"{now.resolved_profile} no longer drops {won.model}: {won.detail}, before."
    if lost is not None and lost.verdict is Verdict.ELIGIBLE:
        return f"{lost.model} now comes after {now.model}: {lost.detail}."
    if was.resolved_profile != now.resolved_profile and now.resolved_profile is not None:
        return f"The way now leads to {now.resolved_profile}."
    return ""


def _at(decision: Decision, profile: str | None, model: str | None) -> Candidate | None:
    """What a profile made of a model, where it was asked."""
    if profile is None or model is None:
        return None
    candidates: Sequence[Candidate] = next(
        (hop.candidates for hop in decision.hops if hop.profile.name == profile), ()
    )
    return next((candidate for candidate in candidates if candidate.model == model), None)
