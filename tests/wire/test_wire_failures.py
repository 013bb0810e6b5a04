import json
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mai_sdk import errors
from mai_sdk.wire.answer import Answer
from mai_sdk.wire.failures import failure_from_event, read_failure
from mai_sdk.wire.said import clean

FILTER = {
    "error": {
        "message": "The response was filtered.", "type": None, "param": "prompt",
        "code": "content_filter", "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": {"hate": {"filtered": True, "severity": "high"}},
        },
    }
}  # fmt: skip


def fail(status: int, body: object, surface: str = "foundry", **headers: str):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_failure(status=status, headers=headers, body=data, surface=surface)


def error(code: object = None, message: str = "no", **more: object) -> dict:
    return {"error": {"code": code, "message": message, **more}}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error("unrecognized_request_argument"), errors.RequestRejected),
        (409, error(), errors.RequestRejected),
        (413, error(), errors.RequestRejected),
        (422, {"detail": [{"loc": ["body", "x"], "msg": "bad"}]}, errors.RequestRejected),
        (405, {"detail": "Method Not Allowed"}, errors.RequestRejected),
        (400, error("context_length_exceeded"), errors.ContextTooLong),
        (413, error("tokens_limit_reached"), errors.ContextTooLong),
        (400, error(None, "This model's maximum context length is 4096"), errors.ContextTooLong),
        (400, FILTER, errors.ContentFiltered),
        (400, error("content_safety_violation"), errors.ContentFiltered),
        (400, error("responsibleAIPolicyViolation"), errors.ContentFiltered),
        (400, error(None, type="SafetyBlockedError"), errors.ContentFiltered),
        (400, error("BadRequest", innererror={"code": "ResponsibleAIPolicyViolation"}),
         errors.ContentFiltered),
        (401, error("401"), errors.AuthenticationFailed),
        (401, {"error": "Unauthorized"}, errors.AuthenticationFailed),
        (403, error(), errors.PermissionDenied),
        (404, error("DeploymentNotFound"), errors.DeploymentNotFound),
        (404, error("deploymentnotfound"), errors.DeploymentNotFound),
        (404, error("unknown_model"), errors.DeploymentNotFound),
        (400, error("unknown_model"), errors.DeploymentNotFound),
        (404, error("model_not_found"), errors.DeploymentNotFound),
        (404, error("404", "Resource not found"), errors.NotFound),
        (404, error(404), errors.NotFound),
        (404, {"detail": "Not Found"}, errors.NotFound),
        (404, b"", errors.NotFound),
        (410, b"", errors.NotFound),
        (429, error("429"), errors.RateLimited),
        (429, {"code": 429, "message": "slow down"}, errors.RateLimited),
        (429, [error("x")], errors.RateLimited),
        (408, b"", errors.ServiceUnavailable),
        (424, error(), errors.ServiceUnavailable),
        (500, b"", errors.ServiceUnavailable),
        (502, b"<html><h1>Bad Gateway</h1></html>", errors.ServiceUnavailable),
        (503, error(None, "busy", type="Service Unavailable"), errors.ServiceUnavailable),
        (599, [], errors.ServiceUnavailable),
        (200, b"<html>log in</html>", errors.UnreadableAnswer),
        (307, b"", errors.UnreadableAnswer),
    ],
)  # fmt: skip
def test_a_failure_has_the_class_of_what_happened(status, body, kind):
    failure = fail(status, body)
    assert type(failure) is kind
    assert failure.status == status
    assert failure.message.endswith(".")


def test_vllms_unknown_model_is_a_missing_deployment_only_there():
    body = error(404, "The model `x` does not exist.", type="NotFoundError", param="model")
    assert type(fail(404, body, "vllm")) is errors.DeploymentNotFound
    assert type(fail(404, body, "foundry")) is errors.NotFound


def test_every_field_the_service_names_is_on_the_error():
    failure = fail(400, FILTER, **{"x-ms-request-id": "r-1", "retry-after": "3"})
    assert isinstance(failure, errors.ContentFiltered)
    assert (failure.code, failure.param, failure.kind) == ("content_filter", "prompt", None)
    assert (failure.request_id, failure.retry_after, failure.body) == ("r-1", 3.0, None)
    assert "The response was filtered." in failure.message
    assert fail(404, error(404)).code == "404"


def test_a_wait_named_only_in_the_text_is_read_from_there():
    text = "You exceeded the rate limit of your tier. Please retry after 7 seconds."
    assert fail(429, error("429", text)).retry_after == 7.0
    assert fail(429, error("429", "retry after 250 milliseconds")).retry_after == 0.25
    assert fail(429, error("429", text), **{"retry-after": "3"}).retry_after == 3.0
    assert fail(429, error("429", "slow down")).retry_after is None


def test_only_a_body_that_is_not_json_is_kept_and_sanitised():
    page = b"<html>\x00\x1b[31m Bad\r\n\tGateway\xff " + b"x" * 2000
    body = fail(502, page).body
    assert body is not None
    assert body.startswith("<html> [31m Bad Gateway\ufffd xxx")
    assert len(body) == 512
    assert body.isprintable()
    assert fail(400, error("a", "the prompt was: secret plan")).body is None
    assert fail(500, b"").body is None


def test_what_vllm_repeats_of_the_callers_input_is_cut():
    said = (
        "2 validation errors:\n  {'type': 'x', 'loc': 'body.a', 'msg': 'Wrong a', 'input': "
        "'my secret plan', 'ctx': {'e': 'my secret plan'}}\n  {'loc': 'body.b', 'msg': 'Wrong b', "
        "'input': [{'role': 'user', 'content': 'my secret plan'}]}"
    )
    message = fail(400, error(400, said, param="body.a"), "vllm").message
    assert "secret" not in message
    assert "Wrong a" in message
    assert "Wrong b" in message
    listed = {"detail": [{"loc": ["body", "a"], "msg": "Wrong a", "input": "my secret plan"}]}
    message = fail(422, listed).message
    assert "body.a: Wrong a" in message
    assert "secret" not in message
    pydantic = "1 error\na\n  Wrong a [type=x, input_value='my secret plan', input_type=str]"
    assert "secret" not in fail(400, error(400, pydantic)).message


def test_keys_and_control_characters_never_reach_a_message():
    said = "Incorrect API key provided: abcd1234efgh.\nBearer eyJhbGciOi \x1b[2J sk-proj-12345678"
    message = fail(401, error("401", said)).message
    for leak in ("abcd1234", "eyJ", "12345678", "\x1b", "\n"):
        assert leak not in message
    assert len(fail(400, error("a", "x" * 5000)).message) < 600


def test_advice_fits_the_code():
    assert "Responses API" in fail(400, error("unsupported_api_for_model")).message
    assert "subscription" in fail(400, error("DeploymentModelNotSupported")).message
    assert "retired" in fail(404, error("DeploymentNotFound")).message


@pytest.mark.parametrize(
    ("event", "kind", "code"),
    [
        ({"error": {"type": "SafetyBlockedError", "message": "stopped"}},
         errors.ContentFiltered, None),
        ({"error": {"message": "x", "type": "InternalServerError", "code": 500}},
         errors.ServiceUnavailable, "500"),
        ({"error": {"message": "x", "code": "429"}}, errors.RateLimited, "429"),
        ({"error": {"message": "x", "code": "rate_limit_exceeded"}},
         errors.RateLimited, "rate_limit_exceeded"),
        ({"message": "x", "code": "429"}, errors.RateLimited, "429"),
        ({"object": "error", "message": "x", "type": "BadRequestError", "code": 400},
         errors.RequestRejected, "400"),
        ({"error": {"message": "maximum context length is 5", "code": 400}},
         errors.ContextTooLong, "400"),
        ({"error": "overloaded"}, errors.ServiceUnavailable, "overloaded"),
        ({"error": {}}, errors.ServiceUnavailable, None),
        ("upstream went away", errors.ServiceUnavailable, None),
        ({"error": {"message": "x", "code": "401"}}, errors.AuthenticationFailed, "401"),
    ],
)  # fmt: skip
def test_an_error_inside_a_stream_has_the_same_class_as_outside(event, kind, code):
    partial = Answer()
    failure = failure_from_event(event, surface="foundry", partial=partial)
    assert type(failure) is kind
    assert (failure.status, failure.code, failure.partial) == (200, code, partial)
    assert "inside its answer" in failure.message


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["error", "detail", "message", "code", "type", "param", "innererror",
                         "loc", "msg"]), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(JSONISH, st.sampled_from([200, 302, 400, 404, 429, 500]))
def test_no_body_crashes_the_reading(body, status):
    failure = read_failure(
        status=status, headers={}, body=json.dumps(body).encode(), surface="vllm"
    )
    assert failure.status == status
    assert failure.message.isprintable()
    assert isinstance(failure_from_event(body, surface="vllm"), errors.ServiceError)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_crash_the_reading(body):
    failure = read_failure(status=500, headers={}, body=body, surface="foundry")
    assert type(pickle.loads(pickle.dumps(failure))) is errors.ServiceUnavailable  # noqa: S301 - own
    assert failure.message.isprintable()


def test_cleaning_keeps_text_and_bounds_it():
    assert clean("a\r\n b\t\u2028c") == "a b c"
    assert clean("é😀") == "é😀"
    assert clean("word " * 200, limit=20) == "word word word wo..."
