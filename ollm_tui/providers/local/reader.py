"""Models read from a store: the line of a list, and all there is to tell about one.

Source: reference/ollama.md 1.4, 1.6 and 5.
"""

from collections.abc import Mapping

from ollm_tui.core.error import StoreError
from ollm_tui.core.model import ModelDetails, ModelFile, ModelInfo, ModelList, Problem
from ollm_tui.core.text import clean_block, clean_line
from ollm_tui.providers.local import weights
from ollm_tui.providers.local.capability import derive_capabilities
from ollm_tui.providers.local.gguf import GgufHeader, read_header
from ollm_tui.providers.local.manifest import (
    Blob,
    Config,
    Manifest,
    parse_config,
    parse_parameters,
)
from ollm_tui.providers.local.store import Entry, Store
from ollm_tui.providers.ollama_wire import parse_parameter_size

_CONFIG = "config"
_WEIGHTS = "gguf"
_MANIFEST = "manifest"
_DERIVED = "derived"
_REPAIR = ("Pull it again: only what is missing or damaged is fetched.",)


class ModelReader:
    """Reads models, and remembers what it has read: files that are named by their hash stay."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[tuple[str, str], ModelInfo] = {}

    def list_models(self) -> ModelList:
        """The models, newest first; an entry that cannot run is a problem, with its reason."""
        scan = self._store.scan()
        models = []
        problems = [Problem(stray.path, stray.reason) for stray in scan.strays]
        known: dict[tuple[str, str], ModelInfo] = {}
        for entry in scan.entries:
            reason = damage(self._store, entry)
            if reason or entry.manifest is None:
                problems.append(Problem(entry.name.short, f"{reason}; pull it again"))
                continue
            key = entry.name.short, f"{entry.manifest.digest} {entry.modified_at}"
            known[key] = self._known.get(key) or self._info(entry, entry.manifest, whole=False)[0]
            models.append(known[key])
        self._known = known
        return ModelList(tuple(models), tuple(problems))

    def details(self, name: str) -> ModelDetails:
        """All about one model.

        Raises:
            ModelNotFound: it is not in the store.
            StoreError: it is, and is damaged.
        """
        entry = self._store.find(name)
        reason = damage(self._store, entry)
        if reason or entry.manifest is None:
            raise StoreError(f"{entry.name.short} is damaged", cause=reason, actions=_REPAIR)
        manifest = entry.manifest
        info, config = self._info(entry, manifest, whole=True)
        parameters = tuple(
            pair
            for layer in manifest.of_kind("params")
            for pair in parse_parameters(self._store.read_blob(layer.digest))
        )
        template, system = self._text(manifest, "template"), self._text(manifest, "system")
        return ModelDetails(
            info=info,
            parameters=parameters,
            template=template,
            system=system,
            license=self._text(manifest, "license"),
            modelfile=_modelfile(entry.name.short, parameters, template, system),
            requires=config.requires,
        )

    def files(self, name: str) -> tuple[ModelFile, ...]:
        """The files of a model, the largest first, and the other models that have them too.

        Raises:
            ModelNotFound: it is not in the store.
            StoreError: its manifest is damaged.
        """
        wanted = self._store.find(name)
        if wanted.manifest is None:
            raise StoreError(
                f"{wanted.name.short} is damaged", cause=wanted.reason, actions=_REPAIR
            )
        sharing: dict[str, list[str]] = {}
        for entry in self._store.scan().entries:
            if entry.manifest is not None and entry.name != wanted.name:
                for blob in entry.manifest.blobs:
                    sharing.setdefault(blob.digest, []).append(entry.name.short)
        files = [
            ModelFile(blob.kind, blob.size_bytes, blob.digest, tuple(sharing.get(blob.digest, ())))
            for blob in wanted.manifest.blobs
        ]
        return tuple(sorted(files, key=lambda file: -file.size_bytes))

    def _info(self, entry: Entry, manifest: Manifest, *, whole: bool) -> tuple[ModelInfo, Config]:
        config = parse_config(self._store.read_blob(manifest.config.digest))
        header = self._header(manifest, whole=whole)
        if header is not None and not (config.quantization or weights.quantization(header)):
            header = self._header(manifest, whole=True)  # some tools write it at the very end
        capabilities = derive_capabilities(
            config,
            header,
            template=self._text(manifest, "template"),
            has_projector=bool(manifest.of_kind("projector")),
        )
        facts: dict[str, tuple[object, str]] = {
            "capabilities": (capabilities, _DERIVED),
            "embedding_only": (
                capabilities and capabilities.embedding and not capabilities.streaming,
                _DERIVED,
            ),
            "remote": (config.is_remote, _CONFIG),
            **_config_facts(config),
        }
        if header is not None:
            facts |= _weights_facts(header, facts)
        known = {field: fact for field, (fact, _) in facts.items() if fact}
        sources = {field: facts[field][1] for field in known}
        sources |= dict.fromkeys(("size_bytes", "digest", "modified_at"), _MANIFEST)
        info = ModelInfo(
            name=entry.name.short,
            size_bytes=manifest.size_bytes,
            digest=manifest.digest,
            modified_at=entry.modified_at,
            sources=sources,
            metadata=weights.shown_values(header) if whole and header is not None else {},
            **known,  # type: ignore[arg-type]
        )
        return info, config

    def _header(self, manifest: Manifest, *, whole: bool) -> GgufHeader | None:
        """Of the weights; None without any, or when they are not what they should be."""
        for layer in manifest.of_kind("model"):
            try:
                with self._store.open_blob(layer.digest) as file:
                    return read_header(file, layer.size_bytes, whole=whole)
            except StoreError:
                return None
        return None

    def _text(self, manifest: Manifest, kind: str) -> str:
        texts = (self._store.read_blob(layer.digest) for layer in manifest.of_kind(kind))
        return clean_block("\n".join(text.decode("utf-8", "replace") for text in texts))


def damage(store: Store, entry: Entry) -> str:
    """Why an entry's files are not whole, by presence and size; empty if they are."""
    if entry.manifest is None:
        return f"its manifest cannot be used: {entry.reason}"
    for blob in entry.manifest.blobs:
        if reason := blob_damage(store, blob):
            return reason
    return ""


def blob_damage(store: Store, blob: Blob) -> str:
    """Why a blob is not whole, by presence and size; empty if it is."""
    size = store.blob_size(blob.digest)
    what = f"its {blob.kind or 'file'} {blob.short_digest}"
    if size is None:
        return f"{what} is missing"
    if size != blob.size_bytes:
        return f"{what} has {size} bytes and not {blob.size_bytes}"
    return ""


def _config_facts(config: Config) -> dict[str, tuple[object, str]]:
    return {
        "architecture": (config.family, _CONFIG),
        "parameters_billions": (parse_parameter_size(config.parameter_size), _CONFIG),
        "quantization": (config.quantization, _CONFIG),
        "context_window": (config.context_tokens, _CONFIG),
    }


def _weights_facts(
    header: GgufHeader, known: Mapping[str, tuple[object, str]]
) -> dict[str, tuple[object, str]]:
    """What the weights say where the configuration is silent; their exact count always counts."""
    count = header.parameter_count
    facts: dict[str, tuple[object, str]] = {
        "architecture": (weights.architecture(header), _WEIGHTS),
        "quantization": (weights.quantization(header), _WEIGHTS),
        "context_window": (weights.context_tokens(header), _WEIGHTS),
    }
    facts = {field: fact for field, fact in facts.items() if not known[field][0]}
    if count:
        facts["parameters_billions"] = (count / 1e9, _WEIGHTS)
    return facts


def _modelfile(
    name: str, parameters: tuple[tuple[str, str], ...], template: str, system: str
) -> str:
    lines = [f"FROM {name}"]
    lines += [
        f'{word} """{text}"""'
        for word, text in (("TEMPLATE", template), ("SYSTEM", system))
        if text
    ]
    lines += [f"PARAMETER {clean_line(key)} {value}" for key, value in parameters]
    return "\n".join(lines)
