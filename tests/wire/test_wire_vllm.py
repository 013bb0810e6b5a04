import math

import pytest

from mai_sdk import errors
from mai_sdk.wire.metrics import read_metrics
from mai_sdk.wire.vllm import (
    is_healthy,
    load_adapter_body,
    read_adapter_result,
    read_messages,
    read_models,
    read_tokenized,
    read_version,
    tokenize_body,
    unload_adapter_body,
)

TEXT = """# HELP vllm:x Some help {with="braces"}
# TYPE vllm:x gauge
vllm:kv_cache_usage_perc{engine="0"} 0.25
vllm:kv_cache_usage_perc{engine="1"} 0.5
vllm:num_requests_running{engine="0"} 1
vllm:num_requests_running{engine="1"} 2.0
vllm:time_to_first_token_seconds_sum 3
vllm:time_to_first_token_seconds_count 4
vllm:inter_token_latency_seconds_sum 0
vllm:inter_token_latency_seconds_count 0
vllm:cache_config_info{block_size="16",kv_cache_size_tokens="100",kv_cache_memory_bytes="None"} 1.0
brand_new{a="x\\"y\\\\z\\n",b=""} +Inf 1395066363000
odd NaN
not a sample
{} 1
"""


def test_metrics_are_named_and_what_is_unknown_is_kept():
    metrics = read_metrics(TEXT)
    assert (metrics.running, metrics.waiting) == (3.0, None)
    assert metrics.kv_cache_usage == 0.5
    assert (metrics.kv_cache_tokens, metrics.kv_cache_bytes) == (100, None)
    assert (metrics.time_to_first_token, metrics.inter_token_latency) == (0.75, None)
    assert metrics.preemptions is metrics.prompt_tokens is metrics.generation_tokens is None
    assert metrics.total("vllm:num_requests_running", engine="1") == 2.0
    new = metrics.samples[-2]
    assert (new.name, dict(new.labels)) == ("brand_new", {"a": 'x"y\\z\n', "b": ""})
    assert new.value == math.inf
    assert metrics.total("brand_new") is None
    assert math.isnan(metrics.samples[-1].value)
    assert len(metrics.samples) == 11


def test_request_bodies_hold_what_was_asked_and_no_more():
    assert load_adapter_body("a", path="/p") == {"lora_name": "a", "lora_path": "/p"}
    full = load_adapter_body("a", path="/p", in_place=True, fused_experts=True)
    assert (full["load_inplace"], full["is_3d_lora_weight"]) == (True, True)
    assert unload_adapter_body("a") == {"lora_name": "a"}
    assert tokenize_body([{"role": "user"}]) == {"messages": [{"role": "user"}]}
    assert tokenize_body([], deployment="d", chat_template_kwargs={"thinking": False}) == {
        "model": "d", "messages": [], "chat_template_kwargs": {"thinking": False},
    }  # fmt: skip


@pytest.mark.parametrize("raw", [None, [], {}, {"data": 1}, {"count": -1}, {"version": 3}, "x"])
def test_what_vllm_does_not_answer_is_unreadable(raw):
    for read in (read_models, read_tokenized, read_version, read_messages):
        with pytest.raises(errors.UnreadableAnswer, match="vLLM"):
            read(raw)
    with pytest.raises(errors.UnreadableAnswer):
        read_adapter_result(b"<html>")


def test_a_message_in_anthropics_dialect_may_call_tools():
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}
    (choice,) = read_messages({"content": [call], "stop_reason": "tool_use"}).choices
    assert (choice.tool_calls[0].parse(), choice.finish_reason) == ({"a": 1}, "tool_calls")
    assert choice.message["content"] == [call]


def test_health_is_the_status_alone():
    assert (is_healthy(200), is_healthy(503)) == (True, False)
