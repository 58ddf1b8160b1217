"""What must not be shown is not shown anywhere."""

import pytest

from ollm_tui.config.secret import MASK, masked, redacted
from tests.unit.config.conftest import World

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        (("providers", "w", "headers", "X-Any"), SECRET, MASK),
        (("providers", "w", "options", "authToken"), SECRET, MASK),
        (("providers", "w", "options", "api_key"), SECRET, MASK),
        (("providers", "w", "options", "password"), SECRET, MASK),
        (("providers", "w", "options", "Authorization"), SECRET, MASK),
        (("providers", "w", "options"), {"a": {"secret": SECRET}, "b": 1},
         {"a": {"secret": MASK}, "b": 1}),
        (("models", "m", "provider", "token"), SECRET, MASK),
        (("providers", "w", "host"), f"http://u:{SECRET}@h:1/p", f"http://{MASK}@h:1/p"),
        (("providers", "w", "host"), f"u:{SECRET}@h", f"{MASK}@h"),
        (("providers", "w", "host"), f"http://u:p@{SECRET}@h", f"http://{MASK}@h"),
        (("providers", "w", "apiKeyEnv"), "WORK_KEY", "WORK_KEY"),
        (("providers", "w", "apiKeyEnv"), "sk-" + SECRET, MASK),
        (("options", "maxTokens"), 4096, 4096),
        (("models", "m", "maxTokens"), 4096, 4096),
        (("ui", "keys", "model.pull"), "p", "p"),
        (("model", "default"), "a:b", "a:b"),
        (("database", "m", "profiles"), ["a"], ["a"]),
    ],
)  # fmt: skip
def test_a_value_is_masked_by_its_name(path: tuple[str, ...], value: object, shown: object) -> None:
    assert masked(path, value) == shown


@pytest.mark.parametrize(
    "text",
    [
        f"headers:\n  X-Any: {SECRET}\n  y {SECRET}",
        f"a:\n  headers: # c\n    X: 1\n    Y: {SECRET}",
        f"headers: {{A: {SECRET}}}",
        f"w: {{host: x, headers: {{A: {SECRET}, B: {SECRET}}}, kind: y}}",
        f"w: {{headers: {{A: 1,\n B: {SECRET},\n C: {SECRET}}}}}",
        f'"headers":\n  "X": "{SECRET}"',
        f"apiKey: {SECRET}",
        f"api_token : '{SECRET}' # c",
        f"  - password: {SECRET}",
        f"x: {{authToken: {SECRET}, y: 1}}",
        f"host: http://me:{SECRET}@h/",
        f"Authorization: Bearer {SECRET}",
    ],
)
def test_source_lines_are_redacted_even_when_the_file_is_broken(text: str) -> None:
    assert SECRET not in "\n".join(redacted(text.split("\n")))


@pytest.mark.parametrize(
    "line",
    ["maxTokens: 4096", "  max_tokens: hot", "options: {maxTokens: 1, topK: 2}", "keys:",
     "apiKeyEnv: WORK_KEY", "x: {apiKeyEnv: A_KEY}", "host: http://h:1", "# a token: of thanks"],
)  # fmt: skip
def test_what_is_no_secret_stays_readable(line: str) -> None:
    assert redacted([line])[0].startswith(line.split(":")[0])
    if not line.startswith("#"):
        assert redacted([line]) == [line]


def test_no_secret_leaves_in_settings_problems_or_representations(world: World) -> None:
    world.user(
        "provider: w\nproviders:\n  w:\n"
        f"    host: http://me:{SECRET}@h:99999\n    headers: {{A: {SECRET}, 'b c': {SECRET}}}\n"
        f"    options: {{token: {SECRET}}}\n    apiKeyEnv: 'sk {SECRET}'\n"
        f"    api_key: {SECRET}\napi_key: {SECRET}\n"
    )
    world.flags["host"] = f"https://you:{SECRET}@g"
    effective = world.load()
    assert len(effective.problems) >= 5
    shown = [repr(effective), repr(effective.connection), repr(list(effective.settings.values()))]
    shown += [problem.message + repr(problem) for problem in effective.problems]
    shown += ["\n".join(problem.snippet) for problem in effective.problems]
    assert SECRET not in "\n".join(shown)
    assert effective.connection.host == f"https://you:{SECRET}@g"
    assert effective.connection.shown_host == f"https://{MASK}@g"
