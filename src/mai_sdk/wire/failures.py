"""Which error a failure is: from an HTTP answer, or from inside a stream. No I/O.

`read_failure` and `failure_from_event` share one table, so that a 429 is `RateLimited` whether it
comes as a status line or within a stream that began with 200.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mai_sdk import errors
from mai_sdk.wire.headers import request_id, retry_after
from mai_sdk.wire.said import Said, clean, read_said
from mai_sdk.wire.shapes import parsed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mai_sdk.config.route import Surface
    from mai_sdk.wire.answer import Answer

__all__ = ["content_filtered", "failure_from_event", "read_failure"]

_MAX_BODY = 512

_BY_STATUS: dict[int, type[errors.ServiceError]] = {
    401: errors.AuthenticationFailed,
    403: errors.PermissionDenied,
    404: errors.NotFound,
    408: errors.ServiceUnavailable,
    410: errors.NotFound,
    424: errors.ServiceUnavailable,
    429: errors.RateLimited,
}

# Codes and types in the spelling of `Said.words`. Services are not consistent in case,
# separators or which field they use.
_FILTERED = frozenset({
    "contentfilter", "contentfiltererror", "contentfiltered", "contentsafetyviolation",
    "contentpolicyviolation", "responsibleaipolicyviolation", "safetyblockederror",
})  # fmt: skip
_TOO_LONG = frozenset({"contextlengthexceeded", "tokenslimitreached", "contextwindowexceeded"})
_NO_SUCH_MODEL = frozenset({
    "deploymentnotfound", "modelnotfound", "unknownmodel", "unrecognizedmodel",
})  # fmt: skip
# For errors inside a stream that have a word where a status would be.
_STATUS_OF: dict[str, int] = {
    "authenticationerror": 401, "unauthorized": 401,
    "permissiondenied": 403, "permissiondeniederror": 403, "permissionerror": 403,
    "notfounderror": 404, "notfound": 404,
    "ratelimited": 429, "ratelimit": 429, "ratelimiterror": 429, "ratelimitexceeded": 429,
    "toomanyrequests": 429, "insufficientquota": 429,
    "badrequest": 400, "badrequesterror": 400, "invalidrequesterror": 400, "invalidprompt": 400,
    "unprocessableentity": 422,
}  # fmt: skip

_TOO_LONG_TEXT = re.compile(r"maximum context length|greater than max_model_len", re.IGNORECASE)
_RETRY_TEXT = re.compile(r"retry after (\d{1,6}) (milli)?second", re.IGNORECASE)

_ADVICE_BY_WORD = {
    "deploymentmodelnotsupported": "The deployment's model and version do not fit this route, or "
    "the subscription is not allowed to use them: check both in the portal.",
    "unsupportedapiformodel": "This model does not answer on chat completions: use the Responses "
    "API of an openai-v1 route.",
}
_ADVICE: dict[type[errors.ServiceError], str] = {
    errors.ContextTooLong: "Shorten the prompt or ask for fewer output tokens.",
    errors.ContentFiltered: "The safety system stopped it: change the prompt; repeating it will "
    "not help.",
    errors.AuthenticationFailed: "Check the key and that it belongs to this endpoint; where keys "
    "are disabled, pass a credential.",
    errors.PermissionDenied: "Ask for access to this deployment; a new role takes minutes to work.",
    errors.DeploymentNotFound: "Check the deployment's name and that it still exists at this "
    "endpoint; a retired model answers like this, too.",
    errors.NotFound: "Check the endpoint: this path is not served there.",
    errors.RateLimited: "Wait, send less at once, or raise the deployment's quota.",
    errors.ServiceUnavailable: "Try again later.",
    errors.RequestRejected: "Change the request: sending it again will fail again.",
}


def read_failure(
    *,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    surface: Surface,
    now: float | None = None,
) -> errors.ServiceError | errors.UnreadableAnswer:
    """Return the error that an HTTP answer is; header names are lower-case.

    `UnreadableAnswer` is for a status that is no failure (a login page with 200, a redirect);
    everything from 400 on is typed by its status and what the body says, in any known shape.
    `now` (seconds since 1970) is what a `retry-after` date is measured from; see `retry_after`.
    """
    raw = parsed(body)
    said = read_said(raw)
    known: dict[str, Any] = {"request_id": request_id(headers)}
    if raw is None or said is None:
        known["body"] = clean(body.decode("utf-8", "replace"), limit=_MAX_BODY) or None
    if status < 400:
        return errors.UnreadableAnswer(_not_an_answer(status, headers), status=status, **known)
    known["retry_after"] = retry_after(headers, now=now)
    return _typed(said or Said(), status=status, shown=status, surface=surface, **known)


def failure_from_event(
    raw: Any, *, surface: Surface, partial: Answer | None = None
) -> errors.ServiceError:
    """Return the error that an event inside a 200 stream (or a 200 body) reports.

    Its `status` is 200; what kind it is follows from the code or type it names, and a service that
    names neither is `ServiceUnavailable`.
    """
    said = read_said(raw) or Said()
    status = said.number or next(
        (_STATUS_OF[word] for word in sorted(said.words) if word in _STATUS_OF), 500
    )
    return _typed(said, status=status, shown=200, surface=surface, partial=partial)


def content_filtered(answer: Answer) -> errors.ContentFiltered:
    """Return the error for an answer that ended with `finish_reason: content_filter`."""
    return errors.ContentFiltered(
        "The safety system stopped the answer (finish_reason content_filter); what came before is "
        "on `partial`. " + _ADVICE[errors.ContentFiltered],
        status=200,
        code="content_filter",
        partial=answer,
    )


def _typed(
    said: Said,
    *,
    status: int,
    shown: int,
    surface: Surface,
    retry_after: float | None = None,
    **details: Any,
) -> errors.ServiceError:
    kind = _class(said, status=status, surface=surface)
    if retry_after is None and (hint := _RETRY_TEXT.search(said.message or "")):
        retry_after = int(hint[1]) / (1000 if hint[2] else 1)
    return kind(
        _sentence(said, kind, status=shown),
        status=shown,
        code=said.reason if said.code is None else said.code,
        kind=said.kind,
        param=said.param,
        retry_after=retry_after,
        **details,
    )


def _class(said: Said, *, status: int, surface: Surface) -> type[errors.ServiceError]:
    words, message = said.words, said.message or ""
    if words & _FILTERED:
        return errors.ContentFiltered
    if status in {400, 413, 422} and (
        words & _TOO_LONG or said.param == "input_tokens" or _TOO_LONG_TEXT.search(message)
    ):
        return errors.ContextTooLong
    if status in {400, 404} and words & _NO_SUCH_MODEL:
        return errors.DeploymentNotFound
    if status == 404 and surface == "vllm" and said.param == "model":
        return errors.DeploymentNotFound
    if status >= 500:
        return errors.ServiceUnavailable
    return _BY_STATUS.get(status, errors.RequestRejected)


def _sentence(said: Said, kind: type[errors.ServiceError], *, status: int) -> str:
    name = said.reason or said.code or said.kind
    named = f", {name}" if name and name != str(status) else ""
    where = "inside its answer" if status == 200 else f"with status {status}"
    message = said.message or "it gave no reason"
    stop = "" if message.endswith((".", "!", "?")) else "."
    advice = next((_ADVICE_BY_WORD[word] for word in said.words if word in _ADVICE_BY_WORD), None)
    return f"The service failed {where}{named}: {message}{stop} {advice or _ADVICE[kind]}"


def _not_an_answer(status: int, headers: Mapping[str, str]) -> str:
    kind = clean(headers.get("content-type", ""), limit=60) or "no content type"
    if 300 <= status < 400:
        return (
            f"The endpoint answered with a redirect (status {status}), which is not followed, "
            f"because it would carry the prompt and the key elsewhere. Use the final address."
        )
    return (
        f"An answer came (status {status}, {kind}), but not one this service gives. Probably a "
        f"proxy or a login page stands in between: check the endpoint."
    )
