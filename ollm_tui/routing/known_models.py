"""The table of known models: fallback facts for when no server says better. Data only.

One row per pattern: pattern, family, context in tokens, capabilities, profiles it suits. Every
row but the embeddings streams. Output limits are a convention, see `database.py`.

Source: design, Model Database Entries, corrected by decisions A2.1; profiles by ruling Z6.
"""

KnownRow = tuple[str, str, int, str, str]

_ALL = "general code creative"
_CODE_TOO = "general code"
_FAST = "fast"

KNOWN_MODELS: tuple[KnownRow, ...] = (
    ("llama3.1:*", "llama", 128_000, "tools", _ALL),
    ("llama3.2:*", "llama", 128_000, "tools", _ALL),
    ("llama3.2-vision:*", "llama", 131_072, "vision", ""),
    ("llama3.3:*", "llama", 131_072, "tools", _ALL),
    ("llama3:*", "llama", 8_192, "", ""),
    ("llama2:*", "llama", 4_096, "", ""),
    ("codellama:*", "codellama", 16_384, "", "code"),
    ("mistral:*", "mistral", 32_768, "tools", "general fast"),
    ("mistral-nemo:*", "mistral", 131_072, "tools", _ALL),
    ("mistral-small:*", "mistral", 32_768, "tools", _ALL),
    ("mistral-small3*:*", "mistral", 131_072, "tools vision", _ALL),
    ("mixtral:*", "mistral", 32_768, "", _ALL),
    ("mixtral:8x7b*", "mistral", 32_768, "", _ALL),
    ("mixtral:8x22b*", "mistral", 65_536, "tools", _ALL),
    ("codestral:*", "mistral", 32_768, "", "code"),
    ("phi3:*", "phi", 4_096, "", _FAST),
    ("phi3:*128k*", "phi", 131_072, "", _FAST),
    ("phi3.5:*", "phi", 131_072, "", _FAST),
    ("phi4-mini:*", "phi", 131_072, "tools", _FAST),
    ("phi4-mini-reasoning:*", "phi", 131_072, "tools", _FAST),
    ("phi4:*", "phi", 16_384, "", _CODE_TOO),
    ("gemma:*", "gemma", 8_192, "", "fast general"),
    ("gemma2:*", "gemma", 8_192, "", "general fast"),
    ("codegemma:*", "gemma", 8_192, "", "code"),
    ("gemma3:*", "gemma", 131_072, "vision", "general fast"),
    ("gemma3:1b*", "gemma", 32_768, "", "general fast"),
    ("gemma3:270m*", "gemma", 32_768, "", "general fast"),
    ("gemma4:*", "gemma", 131_072, "tools vision", "general fast"),
    ("gemma4:31b*", "gemma", 262_144, "tools vision", "general fast"),
    ("qwen:*", "qwen", 32_768, "tools", _CODE_TOO),
    ("qwen2:*", "qwen", 32_768, "tools", _CODE_TOO),
    ("qwen2.5:*", "qwen", 32_768, "tools", _CODE_TOO),
    ("qwen2.5-coder:*", "qwen", 32_768, "tools", "code"),
    ("qwen2.5vl:*", "qwen", 128_000, "vision", ""),
    ("qwen3:*", "qwen", 40_960, "tools thinking", _CODE_TOO),
    ("qwen3:4b*", "qwen", 262_144, "tools thinking", _CODE_TOO),
    ("qwen3:30b*", "qwen", 262_144, "tools thinking", _CODE_TOO),
    ("qwen3-coder:*", "qwen", 262_144, "tools", "code"),
    ("qwen3-vl:*", "qwen", 262_144, "tools vision", _CODE_TOO),
    ("qwen3.5:*", "qwen", 262_144, "tools vision", _CODE_TOO),
    ("qwen3.6:*", "qwen", 262_144, "tools vision", _CODE_TOO),
    ("qwq:*", "qwen", 131_072, "tools thinking", _CODE_TOO),
    ("deepseek-coder:*", "deepseek-coder", 16_384, "", "code"),
    ("deepseek-coder-v2:*", "deepseek-coder", 163_840, "", "code"),
    ("deepseek-r1:*", "deepseek", 131_072, "thinking", _CODE_TOO),
    ("deepseek-r1:671b*", "deepseek", 163_840, "thinking", _CODE_TOO),
    ("deepseek-r1:*0528*", "deepseek", 131_072, "tools thinking", _CODE_TOO),
    ("deepseek-r1:671b*0528*", "deepseek", 163_840, "tools thinking", _CODE_TOO),
    ("gpt-oss:*", "gpt-oss", 131_072, "tools thinking", _ALL),
    ("starcoder:*", "starcoder", 8_192, "", "code"),
    ("starcoder2:*", "starcoder", 16_384, "", "code"),
    ("command-r*:*", "command", 131_072, "tools", _ALL),
    ("granite3*:*", "granite", 131_072, "tools", _ALL),
    ("granite3-dense:*", "granite", 4_096, "tools", _ALL),
    ("granite3-moe:*", "granite", 4_096, "tools", _ALL),
    ("granite-code:*", "granite", 131_072, "", "code"),
    ("granite-code:20b*", "granite", 8_192, "", "code"),
    ("granite-code:34b*", "granite", 8_192, "", "code"),
    ("llava:*", "llava", 32_768, "vision", ""),
    ("llava:*v1.5*", "llava", 4_096, "vision", ""),
    ("llava-llama3:*", "llava", 8_192, "vision", ""),
    ("moondream:*", "moondream", 2_048, "vision", ""),
    ("minicpm-v:*", "minicpm", 32_768, "vision", ""),
    ("nomic-embed-text:*", "embedding", 8_192, "embedding", ""),
    ("mxbai-*", "embedding", 512, "embedding", ""),
    ("all-minilm*", "embedding", 512, "embedding", ""),
    ("bge-*", "embedding", 512, "embedding", ""),
    ("bge-m3:*", "embedding", 8_192, "embedding", ""),
    ("*embed*", "embedding", 512, "embedding", ""),
)

CONTEXT_CAPS: dict[str, int] = {
    # It reports 1,024,000 and was trained for 128k. Source: ollama/ollama#8277.
    "mistral-nemo:*": 131_072,
}
