"""The faults that answer something else: statuses, other bodies, errors inside a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from mai_sdk.emulator import azure, bodies
from mai_sdk.emulator.faults import fault
from mai_sdk.emulator.request import Answer, Request, bearer, json_answer, text_answer
from mai_sdk.wire.sse import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__: list[str] = []

_HTML = (
    "<!DOCTYPE html><html><head><title>Sign in</title></head>"
    "<body><h1>Please sign in to the network</h1></body></html>"
)
_HARM: Mapping[str, Any] = {
    "hate": {"filtered": False, "severity": "safe"},
    "jailbreak": {"filtered": False, "detected": False},
    "self_harm": {"filtered": False, "severity": "safe"},
    "sexual": {"filtered": False, "severity": "safe"},
    "violence": {"filtered": True, "severity": "high"},
}


def _waits(retry_after: float | str | None, retry_after_ms: float | None) -> dict[str, str]:
    said = {"retry-after": retry_after, "retry-after-ms": retry_after_ms}
    return {name: str(value) for name, value in said.items() if value is not None}


@fault()
def status(
    answer: Answer,
    request: Request,
    *,
    code: int = 500,
    body: str = "json",
    retry_after: float | str | None = None,
    retry_after_ms: float | None = None,
    message: str = "The server had an error while processing your request.",
) -> Answer:
    """Answers with a status; `body` is json, html or empty."""
    headers = _waits(retry_after, retry_after_ms)
    if body == "empty":
        return text_answer("", status=code, headers=headers)
    if body == "html":
        page = f"<html><body><h1>{code}</h1><p>{message}</p></body></html>"
        return text_answer(page, status=code, content_type="text/html", headers=headers)
    if body != "json":
        raise ValueError(f"body is {body!r}; it can be json, html or empty.")
    return azure.error(code, str(code), message, headers=headers)


@fault(fidelity="emulated")
def rate_limit(
    answer: Answer,
    request: Request,
    *,
    retry_after: float | None = 1,
    retry_after_ms: float | None = None,
) -> Answer:
    """Answers 429 in Azure's words, with Retry-After unless it is None."""
    headers = _waits(retry_after, retry_after_ms)
    headers |= {"x-ratelimit-remaining-requests": "0", "x-ratelimit-remaining-tokens": "0"}
    return azure.error(429, "429", _too_many(retry_after), headers=headers)


def _too_many(seconds: float | None) -> str:
    return (
        "Requests to the ChatCompletions_Create Operation have exceeded the call rate limit of "
        f"your current pricing tier. Please retry after {seconds or 1} seconds."
    )


@fault()
def redirect(answer: Answer, request: Request, *, code: int = 307, to: str = "") -> Answer:
    """Redirects to `to`; without it, to the same server under another host name."""
    if not to:
        port = request.headers.get("host", "").rpartition(":")[2]
        to = f"http://localhost:{port}{request.path}"
    return text_answer("", status=code, headers={"location": to})


@fault()
def html_200(answer: Answer, request: Request) -> Answer:
    """Answers 200 with a sign-in page, as captive portals and proxies do."""
    return text_answer(_HTML, content_type="text/html; charset=utf-8")


@fault()
def empty_200(answer: Answer, request: Request) -> Answer:
    """Answers 200 and says JSON, with no body."""
    return text_answer("", content_type="application/json")


@fault(fidelity="emulated")
def key_echo(answer: Answer, request: Request) -> Answer:
    """Answers 401 with the key it was sent in the message, as some gateways do."""
    key = request.headers.get("api-key") or bearer(request) or ""
    return azure.error(401, "401", f"Incorrect API key provided: {key}.")


@fault(fidelity="emulated")
def content_filter(
    answer: Answer, request: Request, *, where: str = "prompt", shape: str = "azure"
) -> Answer:
    """Stops the prompt with 400 (shape azure or mai), or the output with its finish reason."""
    if where == "output":
        return _filtered_output(answer)
    if where != "prompt" or shape not in ("azure", "mai"):
        raise ValueError("where is prompt or output, and shape is azure or mai.")
    if shape == "mai":
        text = "Response content blocked by label 'MultiSeverity_ViolenceScore'."
        said = {"code": "content_safety_violation", "message": text, "details": text}
        return json_answer({"error": said}, status=400, headers=answer.headers)
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": _HARM}
    filtered: dict[str, Any] = {
        "message": "The response was filtered due to the prompt triggering Azure OpenAI's content "
        "management policy. Please modify your prompt and retry.",
        "type": None, "param": "prompt", "code": "content_filter", "status": 400,
        "innererror": inner,
    }  # fmt: skip
    return json_answer({"error": filtered}, status=400, headers=answer.headers)


def _filtered_output(answer: Answer) -> Answer:
    def mark(value: dict[str, Any]) -> None:
        for choice in value.get("choices", ()):
            if "message" in choice or choice.get("finish_reason"):
                choice["finish_reason"] = "content_filter"
                choice["content_filter_results"] = _HARM

    answer.pieces = [bodies.changed(piece, mark) for piece in answer.pieces]
    return answer


@fault(fidelity="emulated", needs="stream")
def error_event(
    answer: Answer,
    request: Request,
    *,
    shape: str = "openai",
    after: int = 2,
    done: bool | None = None,
) -> Answer:
    """Breaks a stream off with an error event after so many events; shapes openai, bare, string, vllm."""  # noqa: E501 - one sentence is the table's entry
    message = "The server had an error while processing your request."
    engine = "EngineCore encountered an issue. See stack trace (above) for the root cause."
    shapes: dict[str, tuple[Any, str | None]] = {
        "openai": (
            {"error": {"message": message, "type": "server_error", "param": None, "code": None}},
            None,
        ),
        "bare": ({"message": message, "code": "server_error"}, "error"),
        "string": ({"error": message}, None),
        "vllm": (
            {
                "error": {
                    "message": engine, "type": "InternalServerError", "param": None, "code": 500,
                }
            },
            None,
        ),
    }  # fmt: skip
    if shape not in shapes:
        raise ValueError(f"shape is {shape!r}; it can be {', '.join(shapes)}.")
    value, event = shapes[shape]
    ends = shape == "vllm" if done is None else done  # vLLM sends [DONE] even then
    return _broken(answer, encode(to_json(value), event=event), after=after, done=ends)


@fault(fidelity="emulated", needs="stream")
def safety_blocked(
    answer: Answer, request: Request, *, after: int = 2, named: bool = False
) -> Answer:
    """Stops a stream with a SafetyBlockedError event, then [DONE], as MAI-Thinking-1 does."""
    said = {
        "type": "SafetyBlockedError", "code": "content_filter", "param": None,
        "message": "The response was blocked by the safety system.",
    }  # fmt: skip
    event = encode(to_json({"error": said}), event="error" if named else None)
    return _broken(answer, event, after=after, done=True)


@fault(fidelity="emulated", needs="stream")
def rate_limit_in_stream(
    answer: Answer, request: Request, *, after: int = 2, retry_after: float = 1
) -> Answer:
    """Breaks an open stream off with a 429 as an error event."""
    said = {"code": "429", "message": _too_many(retry_after), "type": "too_many_requests"}
    return _broken(answer, encode(to_json({"error": said})), after=after, done=False)


def _broken(answer: Answer, event: bytes, *, after: int, done: bool) -> Answer:
    kept = answer.pieces[: bodies.before_end(answer.pieces, after)]
    answer.pieces = [*kept, event, *([bodies.DONE] if done else [])]
    return answer
