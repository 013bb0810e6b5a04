"""The bodies and chunks of the emulated vLLM server. Values in, values out."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from mai_sdk.emulator.tokens import THINK_CLOSE, token_id
from mai_sdk.wire.sse import encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from mai_sdk.emulator.chat import ChatBody
    from mai_sdk.emulator.generation import Generation
    from mai_sdk.emulator.world import Counts

__all__ = ["Frame", "stream", "text_stream", "text_whole", "whole"]

_FINGERPRINT = "vllm-0.32.0-emulated"
_UNUSED = {"kv_transfer_params": None, "ec_transfer_params": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What all chunks of one answer share."""

    head: dict[str, Any]
    """id, created and model."""
    body: ChatBody
    parser: bool
    """Whether the server separates thoughts from the answer."""
    details: bool
    """Whether usage tells cached tokens."""
    metrics: dict[str, Any] | None
    prompt_text: str
    prompt_ids: list[int]
    """Empty unless token ids were asked for."""
    thinking: bool
    name: Callable[[int], str] = field(repr=False)
    """Makes fresh ids."""


def whole(frame: Frame, made: list[Generation], counts: Counts) -> dict[str, Any]:
    """Return the body of an answer in one piece."""
    choices = [_choice(frame, number, one) for number, one in enumerate(made)]
    usage = _usage(frame, counts.prompt, counts.completion)
    usage.setdefault("completion_tokens_details", None)
    usage["prompt_tokens_details"] = (
        {**_cached(counts), "multimodal_tokens": None} if frame.details else None
    )
    return {
        **frame.head, "object": "chat.completion", "choices": choices, "service_tier": None,
        "system_fingerprint": _FINGERPRINT, "usage": usage, "prompt_logprobs": None,
        **_prompt_given(frame), **_UNUSED, "metrics": frame.metrics,
    }  # fmt: skip


def _prompt_given(frame: Frame) -> dict[str, Any]:
    """Return the prompt given back, where asked for; whole answers give the text with the ids."""
    body = frame.body
    text = body.return_prompt_text or (body.return_token_ids and not body.stream)
    return {
        "prompt_token_ids": frame.prompt_ids or None,
        "prompt_text": frame.prompt_text if text else None,
    }


def _choice(frame: Frame, number: int, made: Generation) -> dict[str, Any]:
    reasoning, content = _parted(frame, made)
    said = "".join(content)
    thought = "".join(reasoning)
    message: dict[str, Any] = {
        "role": "assistant",
        "content": said or None,
        "refusal": None, "annotations": None, "audio": None, "function_call": None,
        "reasoning": (thought or None) if frame.body.include_reasoning else None,
    }  # fmt: skip
    if made.calls:
        message["tool_calls"] = _calls(frame, made)
    written = _written(made)
    return {
        "index": number, "message": message, "logprobs": _logprobs(frame, written),
        "finish_reason": made.finish_reason, "stop_reason": made.stop_reason,
        "token_ids": [token_id(p) for p in written] if frame.body.return_token_ids else None,
        "routed_experts": None,
    }  # fmt: skip


def _parted(frame: Frame, made: Generation) -> tuple[list[str], list[str]]:
    """Return the pieces of thoughts and of content, as the server's parser tells them apart.

    The opening tag is in the prompt, so the parser takes everything up to the closing tag for
    thoughts, also an answer to a prompt that had closed them. Without a parser all is content.
    """
    if not frame.parser:
        return [], _written(made)
    if not frame.thinking:
        return made.text, []
    return made.reasoning, made.text


def _written(made: Generation) -> list[str]:
    close = [THINK_CLOSE] if made.reasoning and made.closed else []
    return [*made.reasoning, *close, *made.text]


def stream(
    frame: Frame, made: list[Generation], counts: Counts, *, last: bool, every: bool
) -> list[bytes]:
    """Return the events of a streamed answer.

    Args:
        frame: What all chunks share.
        made: The answers; their chunks are interleaved.
        counts: What was used.
        last: Whether usage comes on a chunk of its own at the end.
        every: Whether usage so far comes on every chunk.
    """
    head = {**frame.head, "object": "chat.completion.chunk"}
    done = 0

    def chunk(choice: dict[str, Any], **more: Any) -> bytes:
        so_far = {"usage": _usage(frame, counts.prompt, done)} if every else {}
        return encode(to_json({**head, "choices": [choice], **so_far, **more}))

    events: list[bytes] = []
    for number in range(len(made)):
        choice = {"index": number, "delta": {"role": "assistant", "content": ""}}
        opening = {**choice, "logprobs": None, "finish_reason": None}
        events.append(chunk(opening, **_prompt_given(frame)))
    queues = [_deltas(frame, number, one) for number, one in enumerate(made)]
    ends = {"system_fingerprint": _FINGERPRINT}
    left = len(made)
    for row in zip_longest(*queues):
        for step in row:
            if step is None:
                continue
            tokens, choice = step
            done += tokens
            left -= choice["finish_reason"] is not None
            events.append(chunk(choice, **(ends if left == 0 and not last else {})))
    if last:
        usage = _usage(frame, counts.prompt, counts.completion)
        if frame.details:
            usage["prompt_tokens_details"] = _cached(counts)
        told = {key: value for key, value in (frame.metrics or {}).items() if value is not None}
        metrics = {"metrics": told} if told else {}
        events.append(encode(to_json({**head, "choices": [], "usage": usage, **ends, **metrics})))
    events.append(encode("[DONE]"))
    return events


def _deltas(frame: Frame, number: int, made: Generation) -> list[tuple[int, dict[str, Any]]]:
    """Return the choice of every chunk after the first, with the tokens it stands for."""
    steps: list[tuple[int, dict[str, Any], list[str]]] = []
    waiting = 0
    for group in _groups(_channels(frame, made), frame.body.stream_interval or 1):
        delta = _delta(group)
        waiting += len(group)
        if delta:
            steps.append((waiting, delta, [piece for _, piece in group if piece]))
            waiting = 0
    if waiting or not steps:  # the answer broke off where nothing is shown
        steps.append((waiting, {"content": ""}, []))
    calls = [{**call, "index": at} for at, call in enumerate(_calls(frame, made))]
    steps[-1:-1] = [(1, {"tool_calls": [call]}, []) for call in calls]
    found: list[tuple[int, dict[str, Any]]] = []
    for at, (tokens, delta, pieces) in enumerate(steps):
        end = at == len(steps) - 1
        ids = [token_id(piece) for piece in pieces]
        choice: dict[str, Any] = {
            "index": number, "delta": delta, "logprobs": _logprobs(frame, pieces),
            "finish_reason": made.finish_reason if end else None,
            "token_ids": ids if frame.body.return_token_ids else None,
        }  # fmt: skip
        if end:
            choice["stop_reason"] = made.stop_reason
        found.append((tokens, choice))
    return found


_CLOSED = "closed"
_END = "end"


def _channels(frame: Frame, made: Generation) -> list[tuple[str, str]]:
    """Return every token written, with where it shows: reasoning, content, or nowhere."""
    reasoning, content = _parted(frame, made)
    shown = "reasoning" if frame.body.include_reasoning else "hidden"
    found = [(shown, piece) for piece in reasoning]
    if frame.parser and frame.thinking and reasoning and made.closed:
        found.append((_CLOSED if frame.body.include_reasoning else "hidden", THINK_CLOSE))
    found += [("content", piece) for piece in content]
    if made.finish_reason != "length":
        found.append((_END, ""))
    return found


def _delta(group: list[tuple[str, str]]) -> dict[str, str]:
    """Return what one chunk says; nothing for tokens that show nowhere."""
    delta: dict[str, str] = {}
    channels = {channel for channel, _ in group}
    if "content" in channels or (_END in channels and "reasoning" not in channels):
        delta["content"] = "".join(piece for channel, piece in group if channel == "content")
    if "reasoning" in channels or (_CLOSED in channels and delta):
        delta["reasoning"] = "".join(piece for channel, piece in group if channel == "reasoning")
    return delta


def _groups(tokens: list[tuple[str, str]], size: int) -> list[list[tuple[str, str]]]:
    """Return the tokens in groups; the very first always goes out alone."""
    return [tokens[:1], *(tokens[at : at + size] for at in range(1, len(tokens), size))]


def _calls(frame: Frame, made: Generation) -> list[dict[str, Any]]:
    return [
        {
            "id": call.id or f"chatcmpl-tool-{frame.name(16)}",
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for call in made.calls
    ]


def _usage(frame: Frame, prompt: int, completion: int) -> dict[str, Any]:
    used: dict[str, Any] = {
        "prompt_tokens": prompt, "total_tokens": prompt + completion,
        "completion_tokens": completion,
    }  # fmt: skip
    if frame.parser:
        # 0 whatever was thought: the opening tag is in the prompt, where the counter never looks.
        used["completion_tokens_details"] = {"reasoning_tokens": 0}
    return used


def _cached(counts: Counts) -> dict[str, Any]:
    return {"cached_tokens": counts.cached, "created_cache_tokens": counts.created}


def _logprobs(frame: Frame, pieces: list[str]) -> dict[str, Any] | None:
    if not frame.body.logprobs or not pieces:
        return None
    others = frame.body.top_logprobs or 0
    content: list[dict[str, Any]] = []
    for piece in pieces:
        sure = -0.0001 - token_id(piece) % 100 * 1e-6
        options = [(piece, sure), *(("." * n, sure - 10 - n) for n in range(1, others))]
        content.append(
            {
                **_logprob(piece, sure),
                "top_logprobs": [_logprob(text, value) for text, value in options[:others]],
            }
        )
    return {"content": content}


def _logprob(piece: str, value: float) -> dict[str, Any]:
    return {"token": piece, "logprob": value, "bytes": list(piece.encode())}


def text_whole(
    head: dict[str, Any], text: str, reason: str, usage: dict[str, int]
) -> dict[str, Any]:
    """Return the body of a plain completion."""
    choice = {
        "index": 0, "text": text, "logprobs": None, "finish_reason": reason, "stop_reason": None,
        "token_ids": None, "prompt_logprobs": None, "prompt_token_ids": None,
        "routed_experts": None,
    }  # fmt: skip
    details = {"prompt_tokens_details": None, "completion_tokens_details": None}
    return {
        **head, "choices": [choice], "service_tier": None, "system_fingerprint": _FINGERPRINT,
        "usage": {**usage, **details}, **_UNUSED, "metrics": None,
    }  # fmt: skip


def text_stream(
    head: dict[str, Any], pieces: list[str], reason: str, usage: dict[str, int] | None
) -> list[bytes]:
    """Return the events of a plain completion."""
    events: list[bytes] = []
    for at, piece in enumerate(pieces):
        end = at == len(pieces) - 1
        choice = {
            "index": 0, "text": piece, "logprobs": None,
            "finish_reason": reason if end else None, "stop_reason": None,
            "prompt_token_ids": None, "token_ids": None,
        }  # fmt: skip
        events.append(encode(to_json({**head, "choices": [choice]})))
    if usage is not None:
        last: dict[str, Any] = {
            **head,
            "choices": [],
            "usage": usage,
            "system_fingerprint": _FINGERPRINT,
        }
        events.append(encode(to_json(last)))
    events.append(encode("[DONE]"))
    return events
