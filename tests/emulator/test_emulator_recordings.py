"""Every recording of the real vLLM server, sent again to the emulated one.

What the real model said is scripted, so that everything else has to be the same: most answers are
equal in every value but ids, times and the build's fingerprint, the rest in form.
"""

import json
import re
from pathlib import Path

import httpx2
import pytest

from mai_sdk.emulator import Emulator, VLLMFlags

ROOT = Path(__file__).parents[1] / "data" / "vllm"
SAID = "\n\n3 plus 4 is 7."
THOUGHT = "The user wants the sum of 3 and 4. I add them: 3 + 4 = 7.\n"
FLAGS = {
    "llama-r1": VLLMFlags(max_model_len=512, allow_runtime_lora_updating=False),
    "llama-lora-auth": VLLMFlags(
        served_model_name=("microsoft/MAI-DS-R1", "mai-ds-r1"),
        api_key=("sk-test-1", "sk-test-2"),
        max_model_len=512,
        lora_modules={"mai-finetuned": "/adapters/lora-llama-a", "tenant-a": "/adapters/a"},
        enable_prompt_tokens_details=True,
        enable_force_include_usage=True,
        enable_per_request_metrics=True,
        enable_request_id_headers=True,
    ),
    "llama-noparser-queue1": VLLMFlags(max_model_len=512, reasoning_parser=False),
}
NOT_SERVED = {
    "messages_anthropic", "messages_count_tokens", "openapi", "responses", "responses_stream",
    "lora_adapters_sagemaker", "noauth_tokenizer_info", "llama-lora-auth/tokenizer_info",
}  # fmt: skip
NEEDS_A_STATE = {
    "lora_load", "chat_after_unload", "lora_unload_unknown", "err_503_queue",
    "err_503_queue_stream",  # tests of their own, in test_emulator_vllm
    "lora_load_not_an_adapter", "lora_load_wrong_base",  # depend on what is on the disk
}  # fmt: skip
FORM_ONLY = {
    # another model text or vocabulary
    "chat_echo_prefill", "chat_logprobs", "chat_return_token_ids", "chat_rf_json_object",
    "chat_rf_json_schema", "chat_so_choice", "chat_so_json", "chat_system_and_reasoning_in",
    "chat_thinking_budget", "chat_thinking_false", "completions", "completions_stream",
    "err_bad_role", "stream_logprobs_ids", "stream_utf8", "tokenize_chat",
    "tokenize_chat_kwargs", "tokenize_prompt", "noauth_tokenize",
    # measured times, or interleaving that depends on them
    "stream_n2", "chat_alias", "chat_base", "chat_cached_1", "chat_cached_2",
    "chat_cached_salted", "chat_lora_dynamic", "chat_lora_static", "chat_metrics",
    "chat_no_model", "chat_no_request_id", "chat_priority", "chat_request_id",
    "auth_second_key", "noauth_invocations", "stream_cached", "stream_forced_usage",
    "stream_lora", "metrics", "metrics_busy", "metrics_with_lora", "noauth_metrics",
    "noauth_load",
    # paths of that machine
    "models", "models_after_load", "models_after_unload", "models_with_static_lora",
    "lora_load_missing_path",
}  # fmt: skip


def recordings():
    for folder in FLAGS:
        for path in sorted((ROOT / folder).glob("*.json")):
            recording = json.loads(path.read_text())
            if not isinstance(recording, dict) or "request" not in recording:
                continue
            name = f"{folder}/{path.stem}"
            if not {path.stem, name} & (NOT_SERVED | NEEDS_A_STATE):
                yield pytest.param(folder, path.stem, recording, id=name)


@pytest.fixture(scope="module")
def servers():
    running = {name: Emulator(vllm=flags).start() for name, flags in FLAGS.items()}
    with httpx2.Client(timeout=10) as client:
        yield running, client
    for emulator in running.values():
        emulator.stop()


def send(emulator, client, request):
    emulator.reset()
    emulator.reply(SAID, reasoning=THOUGHT)
    body = request["body"]
    given = {"content": body} if isinstance(body, str) else {} if body is None else {"json": body}
    url = emulator.url + request["path"]
    return client.request(request["method"], url, headers=request["headers"], **given)


def scrubbed(text):
    text = re.sub(r'"created": ?\d+', '"created":0', text)
    text = re.sub(r"\b(chatcmpl|cmpl|modelperm)-[0-9a-f]{16}\b", r"\1-X", text)
    return re.sub(r"vllm-0\.32\.0-\w+", "vllm-F", text)


def values(text):
    """A JSON body, or the lines of an event stream with their JSON parsed."""
    text = scrubbed(text)
    if not text.startswith("data: "):
        return json.loads(text) if text[:1] in "{[" and text else text
    return [json.loads(line[6:]) if line[6:7] == "{" else line for line in text.splitlines()]


def form(value):
    if isinstance(value, dict):
        return {key: form(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [form(value[0])] if value else []
    if isinstance(value, bool) or value is None:
        return value
    return "number" if isinstance(value, (int, float)) else "text"


def forms(text):
    """The set of forms: of the body, or of the chunks."""
    found = values(text)
    if isinstance(found, list):
        chunks = [chunk for chunk in found if isinstance(chunk, dict)]
        kinds = {json.dumps(_without_text(form(chunk)), sort_keys=True) for chunk in chunks}
        return kinds, [line for line in found if isinstance(line, str) and line][-1:]
    return _without_text(form(found))


def _without_text(found):
    """Whether a choice has text or none depends on what the model said; its keys do not."""
    for choice in found.get("choices") or []:
        said = choice.get("message") or choice.get("delta") or {}
        for key in ("content", "reasoning"):
            if key in said:
                said[key] = "text or none"
        choice["finish_reason"] = choice["finish_reason"] and "text"
    return found


@pytest.mark.parametrize(("folder", "name", "recording"), list(recordings()))
def test_a_recorded_request_is_answered_as_it_was_recorded(servers, folder, name, recording):
    running, client = servers
    was = recording["response"]
    answer = send(running[folder], client, recording["request"])
    assert answer.status_code == was["status"]
    for header in ("content-type", "vary", "server", "allow"):
        assert answer.headers.get(header) == was["headers"].get(header)
    assert ("x-request-id" in answer.headers) == ("x-request-id" in was["headers"])
    text = json.dumps(was["json"]) if "json" in was else was["text"]
    if name not in FORM_ONLY:
        assert values(answer.text) == values(text)
    elif "metrics" in name and was["headers"]["content-type"].startswith("text/plain"):
        known = set(re.findall(r"^# TYPE (\S+ \S+)", text, re.MULTILINE))
        mine = set(re.findall(r"^# TYPE (\S+ \S+)", answer.text, re.MULTILINE))
        assert len(mine) > 10
        assert mine <= known | {"vllm:lora_requests_info gauge"}
    else:
        assert forms(answer.text) == forms(text)
