"""Families by name: the longest keyword wins and hides what lies under it."""

import pytest

from ollm_tui.routing.family import detect_family, family_in, known_families, model_part


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("dolphin3:8b", "unknown"),
        ("dolphin-phi:2.7b", "phi"),
        ("dolphin-llama3:8b", "llama"),
        ("dolphin-mistral:7b", "mistral"),
        ("dolphin-mixtral:8x7b", "mistral"),
        ("tinydolphin:1.1b", "unknown"),
        ("megadolphin:120b", "unknown"),
        ("tinyllama:1.1b", "llama"),
        ("yarn-llama2:7b", "llama"),
        ("llava-llama3:8b", "llava"),
        ("phind-codellama:34b", "codellama"),
        ("codegemma:7b", "gemma"),
        ("codeqwen:7b", "qwen"),
        ("embeddinggemma:300m", "embedding"),
        ("mixtral:8x7b", "mistral"),
        ("ministral:8b", "mistral"),
        ("mathstral:7b", "mistral"),
        ("devstral:24b", "mistral"),
        ("magistral:24b", "mistral"),
        ("codestral:22b", "mistral"),
        ("qwq:32b", "qwen"),
        ("granite3.3:8b", "granite"),
        ("command-r-plus:104b", "command"),
        ("gpt-oss:20b", "gpt-oss"),
        ("smollm2:1.7b", "smollm"),
        ("falcon3:7b", "falcon"),
        ("yi:34b", "yi"),
        ("yi-coder:9b", "yi"),
        ("playing-model", "unknown"),
        ("olmo2:7b", "olmo"),
        ("nomic-embed-text", "embedding"),
        ("all-minilm:22m", "embedding"),
        ("bge-m3:567m", "embedding"),
        ("mybge-m3:567m", "embedding"),
        ("my-bert:1b", "embedding"),
        ("nomic-x:1b", "embedding"),
        ("mxbai-x:1b", "embedding"),
        ("my-embedder:1b", "embedding"),
        ("command-a:111b", "command"),
        ("minicpm-v:8b", "minicpm"),
        ("moondream:1.8b", "moondream"),
        ("pixtral:12b", "mistral"),
        ("deepseek-magistral:1b", "mistral"),
        ("", "unknown"),
    ],
)
def test_d02_the_longest_keyword_wins_and_masks(name: str, family: str) -> None:
    assert detect_family(name) == family


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("sophia/mymodel", "unknown"),
        ("delphi-labs/mymodel:phi", "unknown"),
        ("phi.example.com:5000/ns/m:t", "unknown"),
        ("mymodel:llama", "unknown"),
        ("user/my_llama.v2:1", "llama"),
        ("hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M", "llama"),
        ("a:phi:x", "phi"),
    ],
)
def test_d03_only_the_model_part_tells_the_family(name: str, family: str) -> None:
    assert detect_family(name) == family


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("starcoder2:3b", "starcoder"),
        ("phi3.5:3.8b", "phi"),
        ("qwen2.5-coder:7b", "qwen"),
        ("qwen3-coder:30b", "qwen"),
        ("llama3.2-vision:11b", "llama"),
    ],
)
def test_d04_versions_and_variants_keep_their_family(name: str, family: str) -> None:
    assert detect_family(name) == family


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("deepseek-r1:8b", "deepseek"),
        ("deepseek-coder:6.7b", "deepseek-coder"),
        ("deepseek-coder-v2:16b", "deepseek-coder"),
        ("hf.co/x/DeepSeek-R1-Distill-Llama-8B-GGUF", "deepseek"),
    ],
)
def test_r34_deepseek_is_a_family_of_its_own(name: str, family: str) -> None:
    assert detect_family(name) == family


@pytest.mark.parametrize("name", ["CodeLlama:7b", "CODELLAMA", "x-cOdElLaMa"])
def test_case_does_not_matter(name: str) -> None:
    assert detect_family(name) == "codellama"


def test_d02_between_equally_long_keywords_the_leftmost_wins() -> None:
    assert family_in("gemma-llama") == "gemma"
    assert family_in("llama-gemma") == "llama"


@pytest.mark.parametrize(
    ("architecture", "family"),
    [("qwen2", "qwen"), ("bert", "embedding"), ("nomic-bert", "embedding"), ("gptoss", "gpt-oss")],
)
def test_architectures_are_read_alike(architecture: str, family: str) -> None:
    assert family_in(architecture) == family


def test_the_model_part_stops_at_the_tag() -> None:
    assert model_part("registry.host:5000/ns/m:t") == "m"
    assert model_part("m") == "m"
    assert model_part(":phi") == ""


def test_unknown_is_no_family() -> None:
    assert "unknown" not in known_families()
    assert {"llama", "yi", "embedding", "minicpm", "moondream"} <= known_families()
