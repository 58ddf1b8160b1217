"""What the server says about its models: the JSON bodies, field by field.

Pure. Knows the profile (which fields this version has), not the requests.
Source: reference, 1.4 to 1.6.
"""

from datetime import datetime, timedelta
from functools import lru_cache

from ollm_tui.sandbox.models import FILE_TYPES, REMOTE_HOST, SandboxModel
from ollm_tui.sandbox.profile import Profile
from ollm_tui.sandbox.store import Installed, Loaded
from ollm_tui.sandbox.texts import license_text

Json = dict[str, object]
_BLOCK_TENSORS = ("attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_up")
_BLOBS = "/usr/share/ollama/.ollama/models/blobs/"


def timestamp(moment: datetime, nanoseconds: int = 0) -> str:
    """Return RFC 3339 with nine or fewer decimals, as Go prints it: trailing zeros left out."""
    fraction = f"{moment.microsecond:06d}{nanoseconds % 1000:03d}".rstrip("0")
    offset = moment.utcoffset() or timedelta(0)
    zone = "Z" if not offset else moment.strftime("%z")[:3] + ":" + moment.strftime("%z")[3:5]
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction}" if fraction else "") + zone


def tags_entry(installed: Installed, profile: Profile) -> Json:
    """Return one entry of the list."""
    model = installed.model
    details = _details(model)
    if profile.tags_facts:
        details |= {
            "context_length": model.context_length,
            "embedding_length": model.embedding_length,
        }
    entry = {
        "name": model.name,
        "model": model.name,
        "modified_at": _modified_at(installed),
        "size": model.size_bytes,
        "digest": model.digest,
        "details": details,
    }
    if profile.tags_facts and model.capabilities:
        entry["capabilities"] = list(model.capabilities)
    return entry | _remote(model, profile)


def ps_entry(loaded: Loaded, profile: Profile) -> Json:
    """Return one model in memory."""
    model = loaded.model
    entry: Json = {
        "name": model.name,
        "model": model.name,
        "size": loaded.size_bytes,
        "digest": model.digest,
        "details": _details(model),
        "expires_at": timestamp(loaded.expires_at, int(model.digest[:4], 16)),
        "size_vram": loaded.size_vram_bytes,
    }
    return entry | ({"context_length": loaded.context_tokens} if profile.ps_context else {})


def show_body(installed: Installed, profile: Profile, system: str = "") -> Json:
    """Return all about one model; texts that are empty are left out."""
    model = installed.model
    optional = {
        "license": license_text(model.license_id),
        "parameters": _parameters(model),
        "template": model.template,
        "system": system or model.system,
    }
    body: Json = {name: text for name, text in optional.items() if text}
    body |= {
        "modelfile": _modelfile(model),
        "details": _details(model),
        "model_info": model_info(model, profile),
        "modified_at": _modified_at(installed),
    }
    if model.has_projector:
        body["projector_info"] = {
            "general.architecture": "clip",
            "clip.has_vision_encoder": True,
            "clip.vision.block_count": 23,
            "clip.vision.embedding_length": 1024,
        }
    if profile.show_capabilities:
        body["capabilities"] = list(model.capabilities)
        if not model.remote:
            body["tensors"] = _tensors(model.block_count, model.embedding_length)
    return body | _remote(model, profile)


def model_info(model: SandboxModel, profile: Profile) -> Json:
    """Return the header's key-values; arrays are null in new versions and empty in old ones."""
    family = model.family
    info: Json = {
        "general.architecture": family,
        "general.basename": model.name.partition(":")[0],
        f"{family}.context_length": model.context_length,
        f"{family}.embedding_length": model.embedding_length,
    }
    if model.remote:
        return info
    array: list[object] | None = None if profile.tags_facts else []
    info |= {
        "general.file_type": FILE_TYPES.get(model.quantization, 0),
        "general.parameter_count": model.parameter_count,
        "general.quantization_version": 2,
        f"{family}.block_count": model.block_count,
        f"{family}.feed_forward_length": model.embedding_length * 4,
        f"{family}.attention.head_count": model.head_count,
        f"{family}.attention.head_count_kv": model.head_count_kv,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.tokens": array,
        "tokenizer.ggml.merges": array,
    }
    if model.embedding:
        info[f"{family}.pooling_type"] = 1
    if "vision" in model.capabilities and not model.has_projector:
        info[f"{family}.vision.block_count"] = 27
    return info


def _details(model: SandboxModel) -> Json:
    return {
        "parent_model": "",
        "format": "" if model.remote else "gguf",
        "family": model.family,
        # Embedding models of the field really do say null here.
        "families": None if model.embedding else list(model.families),
        "parameter_size": model.parameter_size,
        "quantization_level": model.quantization,
    }


def _remote(model: SandboxModel, profile: Profile) -> Json:
    if not model.remote or not profile.remote_stubs:
        return {}
    return {"remote_model": model.remote_model, "remote_host": REMOTE_HOST}


def _modified_at(installed: Installed) -> str:
    return timestamp(installed.modified_at, int(installed.model.digest[:4], 16))


def _parameters(model: SandboxModel) -> str:
    return "\n".join(f"{name:<30} {_quoted(value)}" for name, value in model.parameters)


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _modelfile(model: SandboxModel) -> str:
    lines = ['# Modelfile generated by "ollama show"']
    source = model.layers[0].digest.replace(":", "-")
    lines.append(f"FROM {model.remote_model if model.remote else _BLOBS + source}")
    if model.template:
        lines.append(f'TEMPLATE """{model.template}"""')
    if model.system:
        lines.append(f'SYSTEM """{model.system}"""')
    lines += [f"PARAMETER {name} {value}" for name, value in model.parameters]
    return "\n".join(lines) + "\n"


@lru_cache(maxsize=64)
def _tensors(block_count: int, embedding_length: int) -> list[Json]:
    names = [f"blk.{n}.{part}.weight" for n in range(block_count) for part in _BLOCK_TENSORS]
    return [
        {"name": name, "type": "Q4_K", "shape": [embedding_length, embedding_length]}
        for name in ["token_embd.weight", *names, "output_norm.weight"]
    ]
