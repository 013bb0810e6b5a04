import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2

from mai_sdk.emulator import Emulator, VLLMFlags

DATA = Path(__file__).parents[1] / "data" / "vllm"
ASK = {"messages": [{"role": "user", "content": "What is 3 plus 4?"}]}
CHAT = "/v1/chat/completions"


def recorded(name):
    was = json.loads((DATA / f"{name}.json").read_text())["response"]
    return was["status"], was["json"] if "json" in was else was["text"]


def test_one_request_more_than_there_is_room_for_is_answered_as_recorded():
    flags = VLLMFlags(max_requests=1)
    with Emulator(vllm=flags) as emulator, httpx2.Client(base_url=emulator.url) as client:
        emulator.fault("stall")
        with ThreadPoolExecutor() as pool:
            first = pool.submit(client.post, CHAT, json=ASK)
            while not emulator.journal:
                pass
            second = client.post(CHAT, json={**ASK, "stream": True})
            load = client.get("/load").json()
            emulator.release()
            assert first.result().status_code == 200
    status, body = recorded("llama-noparser-queue1/err_503_queue_stream")
    assert (second.status_code, second.json()) == (status, body)
    assert "retry-after" not in second.headers
    assert load == {"server_load": 1}


def test_adapters_come_and_go_as_recorded():
    flags = VLLMFlags(served_model_name=("microsoft/MAI-DS-R1", "mai-ds-r1"))
    with Emulator(vllm=flags) as emulator, httpx2.Client(base_url=emulator.url) as client:
        steps = ["lora_load", "lora_load_dup", "lora_unload", "lora_unload_unknown"]
        for name in [*steps, "chat_after_unload"]:
            file = DATA / "llama-lora-auth" / f"{name}.json"
            request = json.loads(file.read_text())["request"]
            answer = client.post(request["path"], json=request["body"])
            status, body = recorded(f"llama-lora-auth/{name}")
            got = answer.text if isinstance(body, str) else answer.json()
            assert (answer.status_code, got) == (status, body)
            if name == "lora_load":
                reply = client.post(CHAT, json={**ASK, "model": "tenant-a"}).json()
                assert reply["model"] == "tenant-a"


def test_reset_unloads_what_was_loaded(emulator, http):
    adapter = {"lora_name": "a", "lora_path": "/a"}
    for _ in range(2):
        assert http.post("/v1/load_lora_adapter", json=adapter).status_code == 200
        assert "a" in [model["id"] for model in http.get("/v1/models").json()["data"]]
        emulator.reset()
        assert "a" not in [model["id"] for model in http.get("/v1/models").json()["data"]]


def test_the_key_guards_v1_and_nothing_else():
    with Emulator(vllm_key="s3cret") as emulator, httpx2.Client(base_url=emulator.url) as client:
        assert client.get("/v1/models").json() == {"error": "Unauthorized"}
        assert client.get("/v1/nothing").status_code == 401
        assert client.get("/metrics").status_code == 200
        assert client.post("/tokenize", json={"prompt": "x"}).status_code == 200
        good = {"authorization": "bearer s3cret"}
        assert client.get("/v1/models", headers=good).status_code == 200


def test_without_a_parser_a_lone_closing_tag_splits_the_content():
    with Emulator(reasoning_parser=False) as emulator:
        body = httpx2.post(emulator.url + CHAT, json=ASK).json()
    message = body["choices"][0]["message"]
    assert message["reasoning"] is None
    assert message["content"].count("</think>") == 1
    assert "<think>" not in message["content"]
    assert body["usage"]["completion_tokens_details"] is None


def test_tokenize_counts_what_usage_reports(http):
    body = {"messages": [{"role": "user", "content": "Wie groß ist der Ätna? 日本"}]}
    count = http.post("/tokenize", json=body).json()["count"]
    assert http.post(CHAT, json=body).json()["usage"]["prompt_tokens"] == count


def test_tokens_become_their_text_again(http):
    text = "What is 3 plus 4?"
    tokens = http.post("/tokenize", json={"prompt": text}).json()["tokens"]
    assert http.post("/detokenize", json={"tokens": tokens}).json() == {"prompt": text}
    known = {"tokens": [0, 3, 40, 41]}
    recorded_text = recorded("llama-r1/detokenize")[1]
    assert http.post("/detokenize", json=known).json() == recorded_text


def test_the_structured_answer_fits_each_kind_of_constraint(http):
    import re

    def content(outputs):
        answer = http.post(CHAT, json={**ASK, "structured_outputs": outputs})
        return answer.json()["choices"][0]["message"]["content"]

    assert content({"choice": ["red", "blue"]}) in ("red", "blue")
    assert re.fullmatch(r"[a-f]{3}-\d{2}", content({"regex": r"[a-f]{3}-\d{2}"}))
    schema = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 3}}}
    assert json.loads(content({"json": schema}))["n"] <= 3
    assert http.post(CHAT, json={**ASK, "structured_outputs": {"grammar": "x"}}).status_code == 400


def test_the_removed_guided_fields_are_ignored(http):
    plain = http.post(CHAT, json=ASK).json()["choices"]
    guided = http.post(CHAT, json={**ASK, "guided_choice": ["yes"]}).json()["choices"]
    assert guided == plain


def test_the_metrics_count_tokens_and_endings(http):
    used = http.post(CHAT, json={**ASK, "max_tokens": 5}).json()["usage"]
    text = http.get("/metrics").text
    labels = 'engine="0",model_name="microsoft/MAI-DS-R1"'
    assert f"vllm:prompt_tokens_total{{{labels}}} {float(used['prompt_tokens'])}" in text
    assert f"vllm:generation_tokens_total{{{labels}}} 5.0" in text
    assert 'finished_reason="length",model_name="microsoft/MAI-DS-R1"} 1.0' in text


def test_several_answers_differ_and_are_counted_together(http):
    body = http.post(CHAT, json={**ASK, "n": 3}).json()
    texts = {choice["message"]["content"] for choice in body["choices"]}
    assert len(texts) > 1
    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2]
    one = http.post(CHAT, json=ASK).json()
    assert body["usage"]["completion_tokens"] > 2 * one["usage"]["completion_tokens"]
