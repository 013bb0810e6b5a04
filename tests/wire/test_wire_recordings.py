"""Every answer recorded from a real vLLM 0.32.0 is read to what it says.

The table below names every file under tests/data/vllm; a file that is not in it fails the test.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import from_json

from mai_sdk import errors
from mai_sdk.wire.answer import Answer
from mai_sdk.wire.chat import ChatReader, read_chat
from mai_sdk.wire.events import ReasoningDelta, TextDelta
from mai_sdk.wire.failures import read_failure
from mai_sdk.wire.metrics import read_metrics
from mai_sdk.wire.responses import ResponsesReader, read_responses
from mai_sdk.wire.vllm import (
    is_healthy,
    read_adapter_result,
    read_messages,
    read_models,
    read_tokenized,
    read_version,
)

DATA = Path(__file__).parent.parent / "data" / "vllm"
SUM = "The user wants the sum of 3 and 4. I add them: 3 + 4 = 7.\n"


@dataclass
class Said:
    text: str
    reasoning: str | None
    finish: str
    tokens: tuple[int, int] | None
    """Input and output."""
    cached: int | None = None
    thoughts: int | None = None
    """Reasoning tokens: None, for vLLM's 0 is not to be believed."""
    second: tuple[str, str | None, str] | None = None
    """Text, reasoning and finish reason of a second choice."""


@dataclass
class Fails:
    error: type[errors.CallFailed]
    status: int
    holds: str
    """What the message says."""
    param: str | None = None


ANSWER = Said("3 plus 4 is 7.", SUM, "stop", (11, 31))
ANSWER_CACHE = Said("3 plus 4 is 7.", SUM, "stop", (11, 31), cached=0)
UNAUTHORISED = Fails(errors.AuthenticationFailed, 401, "Unauthorized")
NOT_FOUND = Fails(errors.NotFound, 404, "Not Found")
BAD, LONG, BUSY = errors.RequestRejected, errors.ContextTooLong, errors.ServiceUnavailable


def unknown(name: str) -> Fails:
    return Fails(errors.DeploymentNotFound, 404, f"`{name}` does not exist", "model")


def bad(holds: str, param: str | None = None) -> Fails:
    return Fails(BAD, 400, holds, param)


def cut(text: str, out: int, **more: Any) -> Said:
    return Said("", text, "length", (11, out), **more)


TOO_LONG = Fails(LONG, 400, "maximum context length is 512 tokens", "input_tokens")
JSON = "other json"
EMPTY = "empty"
BASE, ALIAS = "microsoft/MAI-DS-R1", "mai-ds-r1"

EXPECTED: dict[str, Any] = {
    # llama-lora-auth: keys, adapters, metrics
    "llama-lora-auth/after_client_disconnect_metrics": "metric lines",
    "llama-lora-auth/auth_second_key": cut("The user", 2, cached=0),
    "llama-lora-auth/badauth_chat": UNAUTHORISED,
    "llama-lora-auth/badauth_scheme": UNAUTHORISED,
    "llama-lora-auth/badauth_xapikey": UNAUTHORISED,
    "llama-lora-auth/chat_after_unload": unknown("tenant-a"),
    "llama-lora-auth/chat_alias": ANSWER_CACHE,
    "llama-lora-auth/chat_base": ANSWER_CACHE,
    "llama-lora-auth/chat_cached_1": Said("", " 4. 4", "length", (285, 3), cached=0),
    "llama-lora-auth/chat_cached_2": Said("", " 4. 4", "length", (285, 3), cached=256),
    "llama-lora-auth/chat_cached_salted": Said("", " 4. 4", "length", (285, 3), cached=0),
    "llama-lora-auth/chat_lora_dynamic": ANSWER_CACHE,
    "llama-lora-auth/chat_lora_static": ANSWER_CACHE,
    "llama-lora-auth/chat_metrics": ANSWER_CACHE,
    "llama-lora-auth/chat_no_model": cut("The user wants", 3, cached=0),
    "llama-lora-auth/chat_no_request_id": cut("The user", 2, cached=0),
    "llama-lora-auth/chat_priority": cut("The user wants", 3, cached=0),
    "llama-lora-auth/chat_priority_bad": bad("Input should be a valid integer", "body.priority"),
    "llama-lora-auth/chat_request_id": cut("The user", 2, cached=0),
    "llama-lora-auth/engine_killed_mid_stream": "engine death",
    "llama-lora-auth/inflight_12_parallel": "metric lines",
    "llama-lora-auth/load": JSON,
    "llama-lora-auth/lora_adapters_sagemaker": "Adapter sm registered",
    "llama-lora-auth/lora_load": "Success: LoRA adapter 'tenant-a' added successfully.",
    "llama-lora-auth/lora_load_bad_ct": bad("Unsupported Media Type"),
    "llama-lora-auth/lora_load_base_conflict": bad("conflicts with a served base model"),
    "llama-lora-auth/lora_load_dup": bad("has already been loaded"),
    "llama-lora-auth/lora_load_empty": bad("must be provided"),
    "llama-lora-auth/lora_load_inplace": "Success: LoRA adapter 'tenant-a' added successfully.",
    "llama-lora-auth/lora_load_missing_path": Fails(errors.NotFound, 404, "No adapter found"),
    "llama-lora-auth/lora_load_no_fields": bad("Field required", "body.lora_path"),
    "llama-lora-auth/lora_load_not_an_adapter": Fails(errors.NotFound, 404, "No adapter found"),
    "llama-lora-auth/lora_load_rank_too_big": Fails(BUSY, 500, "greater than max_lora_rank 16"),
    "llama-lora-auth/lora_load_wrong_base": Fails(BUSY, 500, "expected target modules"),
    "llama-lora-auth/lora_unload": "Success: LoRA adapter 'tenant-a' removed successfully.",
    "llama-lora-auth/lora_unload_unknown": Fails(errors.NotFound, 404, "cannot be found"),
    "llama-lora-auth/metrics_with_lora": {"running": 0.0, "kv_cache_tokens": 1048576},
    "llama-lora-auth/models_after_load": [BASE, ALIAS, "mai-finetuned", "tenant-a"],
    "llama-lora-auth/models_after_unload": [BASE, ALIAS, "mai-finetuned"],
    "llama-lora-auth/models_with_static_lora": [BASE, ALIAS, "mai-finetuned"],
    "llama-lora-auth/noauth_chat": UNAUTHORISED,
    "llama-lora-auth/noauth_health": EMPTY,
    "llama-lora-auth/noauth_invocations": cut("The user", 2, cached=0),
    "llama-lora-auth/noauth_load": JSON,
    "llama-lora-auth/noauth_lora": UNAUTHORISED,
    "llama-lora-auth/noauth_metrics": {"running": 0.0, "prompt_tokens": 0.0},
    "llama-lora-auth/noauth_models": UNAUTHORISED,
    "llama-lora-auth/noauth_tokenize": (11, 512),
    "llama-lora-auth/noauth_tokenizer_info": JSON,
    "llama-lora-auth/noauth_unknown_route": UNAUTHORISED,
    "llama-lora-auth/noauth_version": "0.32.0",
    "llama-lora-auth/stream_cached": Said("", " 4. 4", "length", (285, 3), cached=256),
    "llama-lora-auth/stream_forced_usage": cut("The user wants", 3, cached=0),
    "llama-lora-auth/stream_lora": cut("The user wants the", 4, cached=0),
    "llama-lora-auth/tokenizer_info": JSON,
    # llama-noparser-queue1: no reasoning parser, full queue, SIGTERM
    "llama-noparser-queue1/chat_after_busy": Said("The user", None, "length", (11, 2)),
    "llama-noparser-queue1/chat_no_parser": ANSWER,
    "llama-noparser-queue1/chat_stream_default_no_usage": Said("The user", None, "length", None),
    "llama-noparser-queue1/err_503_queue": Fails(BUSY, 503, "engine is currently busy"),
    "llama-noparser-queue1/err_503_queue_stream": Fails(BUSY, 503, "engine is currently busy"),
    "llama-noparser-queue1/metrics_busy": {"running": 1.0, "waiting": 0.0},
    "llama-noparser-queue1/sigterm_mid_stream": "engine death",
    "llama-noparser-queue1/stream_no_parser": ANSWER,
    # llama-r1: the basics, with --reasoning-parser deepseek_r1
    "llama-r1/chat": ANSWER,
    "llama-r1/chat_cache_salt": ANSWER,
    "llama-r1/chat_cache_salt_bad": bad("cache_salt", "cache_salt"),
    "llama-r1/chat_echo_prefill": cut("\nThe user wants the sum", 10, thoughts=6),
    "llama-r1/chat_guided_choice_removed": ANSWER,
    "llama-r1/chat_include_reasoning_false": Said("\n\n3 plus 4 is 7.", None, "stop", (11, 31)),
    "llama-r1/chat_length": cut("The user wants the sum of 3 and", 8),
    "llama-r1/chat_length_in_content": Said("3", SUM, "length", (11, 25)),
    "llama-r1/chat_logprobs": cut("The user wants", 3),
    "llama-r1/chat_max_completion_tokens": ANSWER,
    "llama-r1/chat_min_body": ANSWER,
    "llama-r1/chat_n2_seed": Said(
        "3 plus 4 is 7.", SUM, "stop", (11, 62), second=("3 plus 4 is 7.", SUM, "stop")
    ),
    "llama-r1/chat_priority_without_policy": ANSWER,
    "llama-r1/chat_reasoning_effort_bad": bad("Input should be 'none'", "body.reasoning_effort"),
    "llama-r1/chat_reasoning_effort_none": ANSWER,
    "llama-r1/chat_render": Fails(errors.PermissionDenied, 403, "--enable-scale-out"),
    "llama-r1/chat_request_id": ANSWER,
    "llama-r1/chat_return_token_ids": cut("The user wants the sum", 5),
    "llama-r1/chat_rf_json_object": Said("{" + "\n" * 17, SUM, "length", (11, 40)),
    "llama-r1/chat_rf_json_schema": Said("{" + "\n" * 37, SUM, "length", (11, 60)),
    "llama-r1/chat_so_choice": Said("no", SUM, "stop", (11, 24)),
    "llama-r1/chat_so_json": Said("{" + "\n" * 37, SUM, "length", (11, 60)),
    "llama-r1/chat_so_two": bad("only use one kind of constraints"),
    "llama-r1/chat_stop": Said("", SUM.removesuffix("7.\n"), "stop", (11, 20)),
    "llama-r1/chat_system_and_reasoning_in": Said("3 plus 4 is 7.", SUM, "stop", (28, 31)),
    "llama-r1/chat_thinking_budget": Said("4 plus 1. I am.", "The user wants", "stop", (11, 14)),
    "llama-r1/chat_thinking_false": Said("", "\n3 plus 1?", "stop", (15, 6)),
    "llama-r1/chat_tools_auto_not_enabled": bad("--enable-auto-tool-choice"),
    "llama-r1/chat_tools_default": bad("--enable-auto-tool-choice"),
    "llama-r1/chat_unknown_extra_field": ANSWER,
    "llama-r1/chat_x_request_id_only": ANSWER,
    "llama-r1/completions": Said(" plus 1? 8?", None, "length", (3, 5)),
    "llama-r1/completions_stream": Said(" plus 1? 8", None, "length", (3, 4)),
    "llama-r1/content_parts_text": ANSWER,
    "llama-r1/detokenize": JSON,
    "llama-r1/err_bad_json": bad("JSON decode error", "body.10"),
    "llama-r1/err_bad_role": Said(
        "7.", "The user wants a assistant 8 and 16. I 9.\n", "stop", (4, 19)
    ),
    "llama-r1/err_content_type": bad("Unsupported Media Type"),
    "llama-r1/err_context_max_tokens": Fails(
        LONG, 400, "cannot be greater than max_model_len=512", "max_tokens"
    ),
    "llama-r1/err_context_prompt": TOO_LONG,
    "llama-r1/err_context_prompt_no_max": TOO_LONG,
    "llama-r1/err_context_prompt_stream": TOO_LONG,
    "llama-r1/err_embeddings_route": NOT_FOUND,
    "llama-r1/err_image_on_text": bad("is not a multimodal model"),
    "llama-r1/err_max_tokens_0": bad("must be at least 1, got 0", "max_tokens"),
    "llama-r1/err_max_tokens_neg": bad("must be at least 1, got -3", "max_tokens"),
    "llama-r1/err_messages_empty": bad("Provide at least one message"),
    "llama-r1/err_method": Fails(BAD, 405, "Method Not Allowed"),
    "llama-r1/err_n_0": bad("n must be at least 1"),
    "llama-r1/err_n_big": bad("n must be at most 16384"),
    "llama-r1/err_no_messages": bad("Field required", "body.messages"),
    "llama-r1/err_stream_options_no_stream": bad("only be defined when", "stream_options"),
    "llama-r1/err_temperature_big": bad("must be in [0, 2]", "temperature"),
    "llama-r1/err_temperature_neg": bad("must be non-negative", "temperature"),
    "llama-r1/err_temperature_type": bad("should be a valid number", "body.temperature"),
    "llama-r1/err_top_p": bad("top_p must be in (0, 1]", "top_p"),
    "llama-r1/err_unknown_model": unknown("nope/model"),
    "llama-r1/err_unknown_model_stream": unknown("nope/model"),
    "llama-r1/health": EMPTY,
    "llama-r1/load": JSON,
    "llama-r1/lora_load_disabled": NOT_FOUND,
    "llama-r1/messages_anthropic": ANSWER,
    "llama-r1/messages_count_tokens": (11, None),
    "llama-r1/metrics": {"generation_tokens": 1082.0, "kv_cache_bytes": 1073741824},
    "llama-r1/model_one": NOT_FOUND,
    "llama-r1/models": [BASE],
    "llama-r1/openapi": JSON,
    "llama-r1/ping": EMPTY,
    "llama-r1/responses": ANSWER_CACHE,
    "llama-r1/responses_stream": Said(
        "Hello! How can I help you today?",
        "The user wants a greeting. I will say hello.\n",
        "stop",
        (8, 25),
        cached=0,
    ),
    "llama-r1/root_404": NOT_FOUND,
    "llama-r1/server_info": NOT_FOUND,
    "llama-r1/stream": Said("3 plus 4 is 7.", SUM, "stop", None),
    "llama-r1/stream_continuous_only": Said("", "The user wants the", "length", None),
    "llama-r1/stream_interval4": ANSWER,
    "llama-r1/stream_length": cut("The user wants the sum", 5),
    "llama-r1/stream_logprobs_ids": Said("", "The user wants", "length", None),
    "llama-r1/stream_n2": Said(
        "",
        "The user wants the",
        "length",
        (11, 8),
        second=("", "The user wants the", "length"),
    ),
    "llama-r1/stream_usage": ANSWER,
    "llama-r1/stream_usage_continuous": ANSWER,
    "llama-r1/stream_utf8": Said(
        "Bonjour ! Ça va très bien, merci. 😀",
        "The user wants French. I answer in French.\n",
        "stop",
        (9, 27),
    ),
    "llama-r1/tokenize_chat": (11, 512),
    "llama-r1/tokenize_chat_kwargs": (15, 512),
    "llama-r1/tokenize_prompt": (6, 512),
    "llama-r1/tokenize_unknown_model": unknown("nope"),
    "llama-r1/tokenizer_info": NOT_FOUND,
    "llama-r1/version": "0.32.0",
}

RECORDED = {
    path.relative_to(DATA).with_suffix("").as_posix(): path for path in DATA.glob("*/*.json")
}


def test_every_recording_has_an_expectation():
    assert sorted(RECORDED) == sorted(EXPECTED)
    assert len(RECORDED) == 150


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_a_recording_is_read_to_what_it_says(name: str):
    expected = EXPECTED[name]
    recording = json.loads(RECORDED[name].read_text("utf-8"))
    if expected == "engine death":
        _check_engine_death(recording)
    elif expected == "metric lines":
        _check_metric_lines(recording)
    else:
        _check(expected, recording["request"], recording["response"])


def _check(expected: Any, request: dict[str, Any], response: dict[str, Any]) -> None:
    body = (
        json.dumps(response["json"]).encode() if "json" in response else response["text"].encode()
    )
    if isinstance(expected, Said):
        _check_answer(expected, _answer(request["path"], body))
    elif isinstance(expected, Fails):
        _check_failure(expected, response, body)
    elif isinstance(expected, list):
        _check_models(expected, from_json(body))
    elif isinstance(expected, tuple):
        count = read_tokenized(from_json(body))
        assert (count.count, count.max_model_len) == expected
    elif isinstance(expected, dict):
        metrics = read_metrics(body.decode())
        assert {key: getattr(metrics, key) for key in expected} == expected
    elif expected == EMPTY:
        assert (is_healthy(response["status"]), body) == (True, b"")
    elif expected == JSON:
        assert isinstance(from_json(body), dict)
    elif request["path"] == "/version":
        assert read_version(from_json(body)) == expected
    else:
        assert read_adapter_result(body) == expected


def _answer(path: str, body: bytes) -> Answer:
    if not body.startswith(b"{"):
        reader = (
            ResponsesReader(surface="vllm")
            if path.endswith("responses")
            else ChatReader(surface="vllm")
        )
        events = [*reader.feed(body), *reader.close()]
        answer = reader.answer
        assert reader.is_complete
        _check_deltas(events, answer)
        return answer
    if path.endswith("responses"):
        return read_responses(from_json(body), surface="vllm")
    if path.endswith("messages"):
        return read_messages(from_json(body))
    return read_chat(from_json(body), surface="vllm")


def _check_deltas(events: list[Any], answer: Answer) -> None:
    """What was given out piece by piece is the answer, but for thoughts nobody announced."""
    for index, choice in enumerate(answer.choices):
        text = "".join(e.text for e in events if isinstance(e, TextDelta) and e.choice == index)
        thoughts = "".join(
            e.text for e in events if isinstance(e, ReasoningDelta) and e.choice == index
        )
        if "</think>" in (choice.message["content"] or ""):
            assert text + thoughts == (choice.reasoning or "") + choice.text
        else:
            assert (text, thoughts) == (choice.text, choice.reasoning or "")


def _check_answer(expected: Said, answer: Answer) -> None:
    usage = {
        "input_tokens": expected.tokens and expected.tokens[0],
        "cached_input_tokens": expected.cached,
        "output_tokens": expected.tokens and expected.tokens[1],
        "reasoning_tokens": expected.thoughts,
    }
    choices = [(expected.text, expected.reasoning, expected.finish)]
    if expected.second is not None:
        choices.append(expected.second)
    assert [(c.text, c.reasoning, c.finish_reason) for c in answer.choices] == choices
    assert answer.usage == ({k: v for k, v in usage.items() if v is not None} or None)
    assert answer.id


def _check_failure(expected: Fails, response: dict[str, Any], body: bytes) -> None:
    error = read_failure(
        status=response["status"], headers=response["headers"], body=body, surface="vllm"
    )
    assert type(error) is expected.error
    assert (error.status, error.param, error.body) == (expected.status, expected.param, None)
    assert expected.holds in error.message
    assert "'input'" not in error.message
    assert "ultra" not in error.message


def _check_models(expected: list[str], raw: Any) -> None:
    models = read_models(raw)
    assert [model.id for model in models] == expected
    for model in models:
        is_adapter = model.id in {"mai-finetuned", "tenant-a"}
        assert model.max_model_len == (None if is_adapter else 512)
        assert (model.parent is not None) == is_adapter


def _check_engine_death(recording: dict[str, Any]) -> None:
    """HTTP stays 200, an error event comes, then an ordinary [DONE]."""
    lines = recording.get("last_lines") or recording["last"]
    reader = ChatReader(surface="vllm")
    events = reader.feed("\n".join([*lines, ""]).encode()) if len(lines) > 4 else []
    with pytest.raises(errors.ServiceUnavailable, match="EngineCore") as caught:
        reader.feed(b"" if events else "\n".join([*lines, ""]).encode())
    error = caught.value
    assert (error.status, error.code, error.kind) == (200, "500", "InternalServerError")
    texts = [choice.text for choice in error.partial.choices]
    assert texts == ([" 8 8"] if events else [])
    if events:
        assert error.partial.usage == {"input_tokens": 8, "output_tokens": 204}
    with pytest.raises(errors.ServiceUnavailable):
        reader.close()


def _check_metric_lines(recording: Any) -> None:
    lines = recording["metrics_in_flight"] if isinstance(recording, dict) else recording
    metrics = read_metrics("\n".join(lines))
    assert len(metrics.samples) == len(lines)
    assert metrics.running == metrics.waiting == 0.0
    assert metrics.total("vllm:request_success_total", finished_reason="length") == 24.0
    assert metrics.kv_cache_tokens is None
