"""Images of vLLM: which version each holds, who it runs as, and which flags it takes."""

from collections.abc import Mapping
from functools import cache
from typing import Literal

from llmd_constructs.catalogue._table import Entry, Table, read_table

EngineKind = Literal["tpu", "gpu", "render"]


class EngineImage(Entry):
    """One image.

    Attributes:
        image: Its reference, with registry and tag.
        kind: What it runs on: TPUs, NVIDIA GPUs, or `render` for templates and tokenization on CPUs.
        version: The version of vLLM in it.
        default: Whether it is the one to use where a user names none.
        user: The user that it runs as, where known; 0 is root.
        command: What starts the OpenAI-compatible server; the model is its first argument or `--model`.
        pull_secret: Whether its registry wants credentials.
        metrics: Names of its metrics by what they measure.
        removed_flags: Flags of other versions that this one refuses.
        added_flags: Flags that older versions in this catalogue refuse.
        kv_connectors: Connectors that it can move KV caches with between prefill and decode.
        note: What to know before relying on it.
    """

    image: str
    kind: EngineKind
    version: str
    default: bool = False
    user: int | None = None
    command: tuple[str, ...]
    pull_secret: bool = False
    metrics: Mapping[str, str]
    removed_flags: tuple[str, ...]
    added_flags: tuple[str, ...]
    kv_connectors: tuple[str, ...]
    note: str | None = None


@cache
def engine_images() -> Table[EngineImage]:
    """All engine images, by reference."""
    return read_table("releases/engine.yaml", EngineImage, key="image")
