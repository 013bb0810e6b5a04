"""Every name that telemetry uses, in one table.

`gen_ai.*` are OpenTelemetry's, as its repository semantic-conventions-genai had them on 2026-11-22;
there they are all in Development, so they may change, and this file with them. `mai.*` are ours,
for what has no name there: money, attempts, and meters that are not tokens.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "ATTEMPTS",
    "ATTEMPT_EVENT",
    "COST_AMOUNT",
    "COST_CURRENCY",
    "COST_STATUS",
    "DURATION",
    "OPERATIONS",
    "OUTPUT_TYPES",
    "PROVIDERS",
    "TIME_TO_FIRST_CHUNK",
    "TOKEN_COUNTERS",
    "TOKEN_USAGE",
    "USAGE",
]

PROVIDERS: Final = {
    "foundry": "azure.ai.inference",
    "azure-inference": "azure.ai.inference",
    "openai-v1": "azure.ai.openai",
    "speech": "azure.ai.speech",
    "realtime": "azure.ai.speech",
    "voice-live": "azure.ai.speech",
    "vllm": "vllm",
}
"""`gen_ai.provider.name` by surface; speech and vLLM have none there yet."""

OPERATIONS: Final = {
    "reasoning": "chat",
    "code": "chat",
    "image": "generate_content",
    "transcribe": "speech_to_text",
    "voice": "text_to_speech",
}
"""`gen_ai.operation.name` by modality; a session is "realtime_inference". The three for sound are
drafts (semantic-conventions-genai, pull requests 390 and 394)."""

OUTPUT_TYPES: Final = {
    "reasoning": "text",
    "code": "text",
    "image": "image",
    "transcribe": "text",
    "voice": "speech",
}
"""`gen_ai.output.type` by modality."""

DURATION: Final = "gen_ai.client.operation.duration"
TIME_TO_FIRST_CHUNK: Final = "gen_ai.client.operation.time_to_first_chunk"
TOKEN_USAGE: Final = "gen_ai.client.token.usage"  # noqa: S105 - a metric's name
"""The histogram that dashboards of today read; the counters below are to take its place."""

TOKEN_COUNTERS: Final = {
    "input_tokens": "gen_ai.client.inference.usage.input_tokens",
    "output_tokens": "gen_ai.client.inference.usage.output_tokens",
    "cached_input_tokens": "gen_ai.client.inference.usage.cache_read.input_tokens",
    "reasoning_tokens": "gen_ai.client.inference.usage.reasoning.output_tokens",
}
"""The counter of each meter."""

USAGE: Final = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cached_input_tokens": "gen_ai.usage.cache_read.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "text_input_tokens": "gen_ai.usage.text.input_tokens",
    "image_input_tokens": "gen_ai.usage.image.input_tokens",
    "audio_input_tokens": "gen_ai.usage.audio.input_tokens",
    "image_output_tokens": "gen_ai.usage.image.output_tokens",
    "audio_output_tokens": "gen_ai.usage.audio.output_tokens",
    "images": "mai.usage.images",
    "audio_seconds": "mai.usage.audio_seconds",
    "spoken_seconds": "mai.usage.spoken_seconds",
    "unheard_seconds": "mai.usage.unheard_seconds",
    "characters": "mai.usage.characters",
}
"""The span attribute of each meter."""

COST_AMOUNT: Final = "mai.cost.nanos"
"""Whole billionths of the currency, so that no amount is a float; also the name of the counter."""
COST_CURRENCY: Final = "mai.cost.currency"
COST_STATUS: Final = "mai.cost.status"
ATTEMPTS: Final = "mai.attempts"
ATTEMPT_EVENT: Final = "mai.attempt"
