"""The metrics of the emulated vLLM server, under the names 0.32.0 gives them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mai_sdk.emulator.world import Counts

__all__ = ["Metrics"]

_SECONDS = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5,
            10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0)  # fmt: skip
_REASONS = ("stop", "length", "abort", "error", "repetition")
_KV_TOKENS = 310_688
_BLOCK = 128
_CACHE = (
    f'block_size="{_BLOCK}",engine="0",kv_cache_memory_bytes="1073741824",'
    f'kv_cache_size_tokens="{_KV_TOKENS}",num_gpu_blocks="{_KV_TOKENS // _BLOCK}"'
)


@dataclass(slots=True)
class _Histogram:
    sum: float = 0.0
    seen: list[float] = field(default_factory=list[float])

    def add(self, value: float) -> None:
        self.sum += value
        self.seen.append(value)
        del self.seen[:-10_000]


class Metrics:
    """Counters of one server."""

    def __init__(self, model: str) -> None:
        self._labels = f'engine="0",model_name="{model}"'
        self._prompt = self._generated = self._cached = 0
        self._rejected = 0
        self._ended = dict.fromkeys(_REASONS, 0)
        self._first = _Histogram()
        self._whole = _Histogram()

    def answered(self, counts: Counts, reason: str, seconds: float) -> None:
        """Count one answer."""
        self._prompt += counts.prompt
        self._cached += counts.cached
        self._generated += counts.completion
        known = reason if reason in self._ended else "stop"
        self._ended[known] += 1
        self._first.add(seconds)
        self._whole.add(seconds)

    def rejected(self) -> None:
        """Count one request the queue had no room for."""
        self._rejected += 1

    def text(self, *, running: int, adapters: Sequence[str]) -> str:
        """Return everything in Prometheus text form."""
        lines: list[str] = []
        gauges = {
            "num_requests_running": running,
            "num_requests_waiting": 0,
            "kv_cache_usage_perc": min(1.0, running * _BLOCK / _KV_TOKENS),
        }
        counters = {
            "prefix_cache_queries_total": self._prompt,
            "prefix_cache_hits_total": self._cached,
            "num_preemptions_total": 0,
            "prompt_tokens_total": self._prompt,
            "prompt_tokens_cached_total": self._cached,
            "generation_tokens_total": self._generated,
            "estimated_flops_per_gpu_total": 0,
        }
        for name, value in gauges.items():
            lines += self._one(name, "gauge", value)
        for name, value in counters.items():
            lines += self._one(name, "counter", value)
        model, rejected = self._labels.partition(",")[2], float(self._rejected)
        lines += [
            "# TYPE vllm:admission_rejections_total counter",
            f'vllm:admission_rejections_total{{{model},reason="max_num_queued_reqs"}} {rejected}',
        ]
        lines += self._ends()
        lines += self._histogram("time_to_first_token_seconds", self._first)
        lines += self._histogram("e2e_request_latency_seconds", self._whole)
        lines += ["# TYPE vllm:cache_config_info gauge", f"vllm:cache_config_info{{{_CACHE}}} 1.0"]
        if adapters:
            loras = f'max_lora="1",running_lora_adapters="{",".join(adapters)}"'
            lines.append("# TYPE vllm:lora_requests_info gauge")
            lines.append(
                f'vllm:lora_requests_info{{{loras},waiting_lora_adapters=""}} {time.time()}'
            )
        return "\n".join(lines) + "\n"

    def _one(self, name: str, kind: str, value: float) -> list[str]:
        head = f"# TYPE vllm:{name} {kind}"
        return [head, f"vllm:{name}{{{self._labels}}} {float(value)}"]

    def _ends(self) -> list[str]:
        engine, model = self._labels.split(",", 1)
        name = "request_success_total"
        return [
            f"# TYPE vllm:{name} counter",
            *(
                f'vllm:{name}{{{engine},finished_reason="{reason}",{model}}} {float(number)}'
                for reason, number in self._ended.items()
            ),
        ]

    def _histogram(self, name: str, histogram: _Histogram) -> list[str]:
        engine, model = self._labels.split(",", 1)
        total = float(len(histogram.seen))
        buckets = [(str(edge), float(sum(v <= edge for v in histogram.seen))) for edge in _SECONDS]
        return [
            f"# TYPE vllm:{name} histogram",
            *(
                f'vllm:{name}_bucket{{{engine},le="{edge}",{model}}} {number}'
                for edge, number in [*buckets, ("+Inf", total)]
            ),
            f"vllm:{name}_count{{{self._labels}}} {total}",
            f"vllm:{name}_sum{{{self._labels}}} {histogram.sum}",
        ]
