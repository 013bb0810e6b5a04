import pytest

from mai_sdk.emulator import EMULATOR_KEY, EMULATOR_TOKEN, Emulator

PATH = "/mai/v1/chat/completions"
ASK = {"model": "MAI-Thinking-1", "messages": [{"role": "user", "content": "Why is it blue?"}]}


def failure(answer):
    return answer.status_code, answer.json()["error"]["code"]


def test_the_reply_has_the_documented_fields_and_the_deployment_s_name(http):
    body = http.post(PATH, json=ASK).json()
    (choice,) = body["choices"]
    assert body["model"] == "MAI-Thinking-1"
    assert body["id"].startswith("mai-api-")
    assert set(choice["message"]) == {"role", "content", "refusal", "tool_calls"}
    assert set(body["usage"]) == {
        "prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"max_tokens": 5}, (400, "unsupported_parameter")),
        ({"model": "gpt-9"}, (404, "DeploymentNotFound")),
        ({"top_k": 3}, (400, "unrecognized_request_argument")),
        ({"response_format": {"type": "json_object"}}, (400, "unrecognized_request_argument")),
        ({"messages": "hello"}, (422, "invalid_request")),
        ({"messages": []}, (422, "invalid_request")),
        ({"messages": [{"role": "robot", "content": "x"}]}, (422, "invalid_request")),
        ({"reasoning_display": "plain"}, (422, "invalid_request")),
        ({"max_completion_tokens": 0}, (422, "invalid_request")),
        ({"max_completion_tokens": 300_000}, (400, "context_length_exceeded")),
    ],
)
def test_what_the_service_refuses_is_refused(http, change, expected):
    assert failure(http.post(PATH, json={**ASK, **change})) == expected


def test_max_tokens_is_refused_with_the_advice_to_use_the_other_name(http):
    message = http.post(PATH, json={**ASK, "max_tokens": 5}).json()["error"]["message"]
    assert "max_completion_tokens" in message


def test_temperature_is_let_through(http):
    assert http.post(PATH, json={**ASK, "temperature": 0.3}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"api-key": EMULATOR_KEY}, 200),
        ({"authorization": f"Bearer {EMULATOR_TOKEN}"}, 200),
        ({"authorization": f"Bearer {EMULATOR_KEY}"}, 401),  # not documented for this surface
        ({"api-key": "sk-somebody-elses"}, 401),
        ({}, 401),
    ],
)
def test_only_the_documented_credentials_open_the_surface(emulator, http, headers, status):
    del http.headers["api-key"]
    answer = http.post(PATH, json=ASK, headers=headers)
    assert answer.status_code == status
    assert answer.headers["apim-request-id"]


def test_encrypted_reasoning_comes_back_unchanged_or_not_at_all(http):
    ask = {**ASK, "reasoning_display": "encrypted"}
    message = http.post(PATH, json=ask).json()["choices"][0]["message"]
    blob = message["reasoning"]["encrypted_content"]
    assert message["reasoning"] == {"encrypted_content": blob, "content": None, "summary": None}
    again = {"role": "user", "content": "And at night?"}
    history = [*ASK["messages"], message, again]
    assert http.post(PATH, json={**ask, "messages": history}).status_code == 200
    altered = {**message, "reasoning": {**message["reasoning"], "encrypted_content": blob[4:]}}
    history[1] = altered
    answer = http.post(PATH, json={**ask, "messages": history})
    assert failure(answer) == (400, "invalid_encrypted_content")


def test_a_seen_prefix_is_counted_as_cached(http):
    first = http.post(PATH, json=ASK).json()["usage"]
    second = http.post(PATH, json=ASK).json()["usage"]
    assert first["prompt_tokens_details"]["cached_tokens"] == 0
    assert 0 < second["prompt_tokens_details"]["cached_tokens"] < second["prompt_tokens"]
    assert second["prompt_tokens"] == first["prompt_tokens"]


def test_the_output_limit_cuts_and_says_length(http):
    body = http.post(PATH, json={**ASK, "max_completion_tokens": 60}).json()
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == 60


def test_every_chunk_has_the_role_and_spelled_out_nulls_and_the_last_has_usage(http):
    import json

    text = http.post(PATH, json={**ASK, "stream": True}).text
    events = [line[6:] for line in text.splitlines() if line]
    chunks = [json.loads(event) for event in events[:-1]]
    assert events[-1] == "[DONE]"
    for chunk in chunks:
        delta = chunk["choices"][0]["delta"]
        assert delta["role"] == "assistant"
        assert set(delta) == {"content", "role", "tool_calls", "reasoning", "annotations"}
    assert [bool(chunk["usage"]) for chunk in chunks[:-1]] == [False] * (len(chunks) - 1)
    assert chunks[-1]["usage"]["total_tokens"] > 0
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


def test_images_are_taken_only_by_the_model_that_sees(http):
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    messages = [{"role": "user", "content": [picture, {"type": "text", "text": "What is it?"}]}]
    for model, status in (("MAI-Thinking-1", 400), ("MAI-Code-1.1-Flash", 200)):
        answer = http.post(PATH, json={"model": model, "messages": messages})
        assert answer.status_code == status


def test_a_schema_written_in_the_prompt_is_followed(http):
    schema = '{"type":"object","properties":{"sum":{"type":"integer"}},"required":["sum"]}'
    ask = {"role": "user", "content": f"What is 3 plus 4? Answer in JSON as {schema} only."}
    content = http.post(PATH, json={**ASK, "messages": [ask]}).json()["choices"][0]["message"]
    import json

    assert isinstance(json.loads(content["content"])["sum"], int)


def test_own_deployment_names_stand_beside_the_models(http):
    with Emulator(deployments={"prod-reasoner": "MAI-Thinking-1"}) as emulator:
        answer = http.post(emulator.url + PATH, json={**ASK, "model": "prod-reasoner"})
        assert answer.json()["model"] == "prod-reasoner"
        assert http.post(emulator.url + PATH, json=ASK).status_code == 200


def test_unknown_paths_are_answered_in_foundry_s_words(http):
    for path in ("/mai/v1/nothing", "/openai/v1/nothing", "/models/nothing"):
        assert failure(http.get(path)) == (404, "404")


def test_the_older_deployment_path_needs_its_api_version(http):
    path = "/openai/deployments/MAI-DS-R1/chat/completions"
    body = {"messages": ASK["messages"]}
    assert failure(http.post(path, json=body)) == (404, "404")
    answer = http.post(path + "?api-version=2024-10-21", json=body)
    assert answer.json()["choices"][0]["message"]["reasoning_content"]
