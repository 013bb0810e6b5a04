"""vLLM's `/metrics`: Prometheus text into samples, and the figures a planner wants. No I/O."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Metrics", "Sample", "read_metrics"]

_SAMPLE = re.compile(r"([A-Za-z_:][A-Za-z0-9_:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?\s*")
_LABEL = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of the text: a name, its labels, a value (which may be inf or nan)."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """Every sample the server gave, known or not, and names for those that matter.

    A figure the server did not give is None. Sums run over engines and models.
    """

    samples: tuple[Sample, ...]

    def total(self, name: str, **labels: str) -> float | None:
        """Return the sum of the samples of that name which carry these labels."""
        values = [
            sample.value
            for sample in self.samples
            if sample.name == name
            and labels.items() <= sample.labels.items()
            and math.isfinite(sample.value)
        ]
        return math.fsum(values) if values else None

    def mean(self, name: str) -> float | None:
        """Return the mean of a histogram or summary; None before the first observation."""
        total, count = self.total(f"{name}_sum"), self.total(f"{name}_count")
        return total / count if total is not None and count else None

    @property
    def running(self) -> float | None:
        """Requests being answered."""
        return self.total("vllm:num_requests_running")

    @property
    def waiting(self) -> float | None:
        """Requests in the queue."""
        return self.total("vllm:num_requests_waiting")

    @property
    def kv_cache_usage(self) -> float | None:
        """Share of the fullest engine's KV cache in use, 0 to 1."""
        values = [s.value for s in self.samples if s.name == "vllm:kv_cache_usage_perc"]
        return max(values, default=None)

    @property
    def kv_cache_tokens(self) -> int | None:
        """Tokens the KV cache holds: the real capacity, from vllm:cache_config_info."""
        return self._capacity("kv_cache_size_tokens")

    @property
    def kv_cache_bytes(self) -> int | None:
        """Memory set aside for the KV cache."""
        return self._capacity("kv_cache_memory_bytes")

    @property
    def prompt_tokens(self) -> float | None:
        """Prompt tokens since the server started."""
        return self.total("vllm:prompt_tokens_total")

    @property
    def generation_tokens(self) -> float | None:
        """Generated tokens since the server started."""
        return self.total("vllm:generation_tokens_total")

    @property
    def preemptions(self) -> float | None:
        """Requests thrown out of the cache since the server started: it is too small."""
        return self.total("vllm:num_preemptions_total")

    @property
    def time_to_first_token(self) -> float | None:
        """Mean seconds until the first token."""
        return self.mean("vllm:time_to_first_token_seconds")

    @property
    def inter_token_latency(self) -> float | None:
        """Mean seconds between tokens of one answer."""
        return self.mean("vllm:inter_token_latency_seconds")

    def _capacity(self, label: str) -> int | None:
        values = [
            sample.labels.get(label, "")
            for sample in self.samples
            if sample.name == "vllm:cache_config_info"
        ]
        known = [int(value) for value in values if value.isascii() and value.isdigit()]
        return sum(known) if known else None


def read_metrics(text: str) -> Metrics:
    """Return the samples of a Prometheus text; lines that are none are passed over."""
    samples: list[Sample] = []
    for line in text.split("\n"):
        match = None if line.startswith("#") else _SAMPLE.fullmatch(line.strip())
        if match is None:
            continue
        try:
            value = float(match[3])
        except ValueError:
            continue
        labels = {name: _unescape(text) for name, text in _LABEL.findall(match[2] or "")}
        samples.append(Sample(match[1], labels, value))
    return Metrics(tuple(samples))


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda match: "\n" if match[1] == "n" else match[1], text)
