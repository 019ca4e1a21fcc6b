"""vLLM flags and variables of what only some patterns need.

Sources: llm-d guides (pd-disaggregation, precise-prefix-cache-routing, wide-ep), vLLM's LoRA documentation.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from llmd_constructs.config.deployment import Adapter
from llmd_constructs.config.platform import Secrets
from llmd_constructs.manifest import JsonObject, compact

Role = Literal["both", "prefill", "decode"]

KV_EVENTS_PORT = 5556
"""Where a replica publishes what enters and leaves its KV cache."""
KV_BLOCK_SIZE = 64
"""KV-cache block in tokens, equal at engine and picker, or precise routing compares different hashes (F-83)."""
NIXL_CONNECTOR = "NixlConnector"
TPU_CONNECTOR = "TPUConnector"
NIXL_PORT = 5600
"""Where a GPU replica hands over KV blocks."""
TPU_CONNECTOR_MODULE = "tpu_inference.distributed.tpu_connector"

POD_IP: JsonObject = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}


@dataclass(frozen=True)
class Features:
    """Flags and variables added to an engine."""

    args: tuple[str, ...] = ()
    env: tuple[JsonObject, ...] = ()
    ports: tuple[JsonObject, ...] = ()

    def __add__(self, other: "Features") -> "Features":
        return Features(self.args + other.args, self.env + other.env, self.ports + other.ports)


EXPERT_PARALLEL = Features(args=("--enable-expert-parallel",))
"""Experts are spread over the devices instead of each being split."""


def lora(adapters: Sequence[Adapter], secrets: Secrets) -> Features:
    """Adapters that vLLM fetches by itself, from Hugging Face.

    KServe could fetch them too, but then puts their flags, quoted for a shell, before the command's own words.
    """
    if not adapters:
        return Features()
    modules = [f"{adapter.name}={adapter.uri.removeprefix('hf://')}" for adapter in adapters]
    return Features(
        args=("--enable-lora", f"--max-loras={len(adapters)}", "--lora-modules", *modules),
        env=(hugging_face_token(secrets, optional=True),),
    )


def hugging_face_token(secrets: Secrets, *, optional: bool) -> JsonObject:
    """The token from its Secret. Public models and adapters can do without."""
    token = secrets.hugging_face_token
    reference = compact(name=token.name, key=token.key, optional=optional or None)
    return {"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": reference}}


def kv_events(model: str, port: int) -> Features:
    """Publishing of KV-cache events, for precise prefix routing."""
    config = {
        "enable_kv_cache_events": True,
        "publisher": "zmq",
        "endpoint": f"tcp://*:{KV_EVENTS_PORT}",
        "topic": f"kv@$(POD_IP):{port}@{model}",
    }
    return Features(
        args=(f"--block-size={KV_BLOCK_SIZE}", f"--kv-events-config={_compact(config)}"),
        env=(POD_IP,),
        ports=({"name": "kv-events", "containerPort": KV_EVENTS_PORT, "protocol": "TCP"},),
    )


def kv_transfer(*, tpu: bool, role: Role) -> Features:
    """The connector that hands a prompt's KV cache from prefill to decode.

    TPUs have a connector of their own and refuse NIXL (tpu_inference, tpu_platform.py).
    """
    if tpu:
        config = {
            "kv_connector": TPU_CONNECTOR,
            "kv_connector_module_path": TPU_CONNECTOR_MODULE,
            "kv_role": "kv_producer" if role == "prefill" else "kv_both",
            "kv_ip": "$(POD_IP)",
        }
        return Features(args=(f"--kv-transfer-config={_compact(config)}",), env=(POD_IP,))
    config = {
        "kv_connector": NIXL_CONNECTOR,
        "kv_role": "kv_producer" if role == "prefill" else "kv_consumer",
    }
    side_channel = {"name": "VLLM_NIXL_SIDE_CHANNEL_HOST", "valueFrom": POD_IP["valueFrom"]}
    return Features(
        args=(f"--kv-transfer-config={_compact(config)}",),
        env=(side_channel,),
        ports=({"name": "nixl", "containerPort": NIXL_PORT, "protocol": "TCP"},),
    )


def prefill_keep_alive() -> Features:
    """Longer than the sidecar keeps idle connections, which would otherwise meet a closed one (upstream 3.6)."""
    return Features(env=({"name": "VLLM_HTTP_TIMEOUT_KEEP_ALIVE", "value": "120"},))


def _compact(value: JsonObject) -> str:
    return json.dumps(value, separators=(",", ":"))
