"""Requests of an official client on their way to a route: the same plan, tab and limits as ours.

The client writes the request and reads the answer; here it is given its address, its deployment
and its key, and is written down. No I/O: what is to be done is yielded to a driver.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from mai_sdk.engine.flow import prepared, refusal, unanswered
from mai_sdk.engine.steps import Read, Send, TransportFailed
from mai_sdk.errors import InvalidRequest, UnsupportedFeature
from mai_sdk.metering.usage import Usage
from mai_sdk.resources.plan import Plan
from mai_sdk.resources.relayed import StreamedAnswer, Unmetered, WholeAnswer
from mai_sdk.wire.chat import ChatRequest, chat_path, default_query
from mai_sdk.wire.headers import request_id
from mai_sdk.wire.shapes import as_list, as_object, parsed

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from mai_sdk.config import Modality
    from mai_sdk.engine.call import Call
    from mai_sdk.engine.steps import Limits, Step
    from mai_sdk.engine.tab import Tab
    from mai_sdk.resources.core import Core
    from mai_sdk.resources.errand import Errand
    from mai_sdk.resources.relayed import Relayed

__all__ = ["Asked", "Passage", "Relay"]

_CHAT = "/chat/completions"
_VERBS = {
    _CHAT: "openai.chat.completions",
    "/completions": "openai.completions",
    "/responses": "openai.responses",
}
"""The paths whose answers our readers know, and the verb in the ledger."""

_OURS = frozenset({
    "accept", "accept-encoding", "api-key", "authorization", "connection", "content-length",
    "content-type", "host", "openai-organization", "openai-project", "transfer-encoding",
    "user-agent", "x-ms-client-request-id",
})  # fmt: skip
"""Headers that are not passed on as they are: the engine writes them, or they name an account of
another service, which the openai package takes from the environment."""

_MAX_REFUSAL_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as the official client wrote it."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    body: bytes = field(repr=False)
    limits: Limits


class Relay:
    """The way of one official client to one deployment."""

    def __init__(
        self, core: Core, *, model: str | None, tags: Mapping[str, str] | None = None
    ) -> None:
        """Choose the route; nothing is sent.

        Raises:
            NotConfigured: No route leads to the model.
            UnsupportedFeature: The route has no chat interface.
        """
        self._core = core
        known = core.catalog.get(model) if model is not None else None
        self._modality: Modality = known.modality if known is not None else "reasoning"
        self._route, self._model = core.route(model, self._modality)
        self._tags = tags
        if self._route.surface not in {"foundry", "openai-v1", "azure-inference", "vllm"}:
            raise UnsupportedFeature(
                f"{model} is reached over the {self._route.surface} surface, which the openai "
                "client cannot speak. Use client.transcribe or client.voice."
            )

    @property
    def base_url(self) -> str:
        """What the client's paths are added to."""
        return self._route.endpoint + chat_path(self._route.surface).removesuffix(_CHAT)

    @property
    def query(self) -> dict[str, str]:
        """What every request's query holds."""
        return {**default_query(self._route.surface), **dict(self._route.query)}

    @property
    def deployment(self) -> str | None:
        """What is asked for, whatever the client's code names as `model`."""
        return self._route.deployment

    @property
    def limits(self) -> tuple[float | None, float | None]:
        """Seconds to connect and to the first byte, as they are for our own calls."""
        timeouts = self._core.config.timeouts_for(None, modality=self._modality)
        return timeouts.connect, timeouts.first_byte

    @property
    def max_retries(self) -> int:
        """How often the client may try again."""
        return self._core.config.max_retries

    def passage(self, asked: Asked, errand: Errand) -> Passage:
        """Return what becomes of a request.

        Raises:
            InvalidRequest: It goes to another place than the route's.
        """
        path = asked.url.partition("?")[0].removeprefix(self.base_url)
        if not asked.url.startswith(self.base_url) or not path.startswith("/"):
            raise InvalidRequest(
                f"This openai client is bound to {self.base_url}, and its key goes nowhere else. "
                "Make another client for another address; nothing was sent."
            )
        body = as_object(parsed(asked.body))
        adds_usage = self._fit(body, path)
        plan = self._plan(body, path)
        call = plan.carrying(asked.url, to_json(body) if body else asked.body, body=body)
        is_bounded = path in _VERBS
        is_chat = is_bounded and not (body.get("background") and not body.get("stream"))
        call = replace(
            call,
            method=asked.method,
            headers=tuple((n, v) for n, v in asked.headers.items() if n not in _OURS),
            accept=asked.headers.get("accept", call.accept),
            content_type=asked.headers.get("content-type", call.content_type),
            upper_bound=call.upper_bound if is_bounded else _unknown,
        )
        is_metered = asked.method == "POST"
        verb = _VERBS.get(path, "openai")
        tab = errand.tab(lambda: self._tab(plan, verb)) if is_metered else self._tab(plan, verb)
        return Passage(
            plan=plan,
            call=call,
            tab=tab,
            limits=asked.limits,
            errand=errand,
            is_metered=is_metered,
            is_chat=is_chat,
            hides_usage=adds_usage,
        )

    def _fit(self, body: dict[str, Any], path: str) -> bool:
        """Name the deployment, ask for the usage, and say whether nobody else asked for it."""
        if "model" in body:
            if self._route.deployment is None:
                del body["model"]
            else:
                body["model"] = self._route.deployment
        if not body.get("stream") or path not in {_CHAT, "/completions"}:
            return False
        options = as_object(body.get("stream_options"))
        if "include_usage" in options or self._route.surface not in {"openai-v1", "vllm"}:
            return False
        body["stream_options"] = {**options, "include_usage": True}
        return True

    def _plan(self, body: dict[str, Any], path: str) -> Plan:
        limits = (body.get(n) for n in ("max_completion_tokens", "max_output_tokens", "max_tokens"))
        return Plan(
            core=self._core,
            modality=self._modality,
            route=replace(self._route, api="responses" if path == "/responses" else "chat"),
            model=self._model,
            request=ChatRequest(
                messages=_messages(body),
                deployment=self._route.deployment,
                max_output_tokens=next((n for n in limits if n.__class__ is int), None),
                stream=bool(body.get("stream")),
                extra_body=body,
            ),
            format=None,
            timeouts=self._core.config.timeouts_for(None, modality=self._modality),
            tags=self._tags,
            headers=(),
            prompts=(),
        )

    def _tab(self, plan: Plan, verb: str) -> Tab:
        """Open the tab; how long the whole call may take lies with the official client."""
        return self._core.tab(
            self._route,
            modality=self._modality,
            verb=verb,
            tags=self._tags,
            timeouts=replace(plan.timeouts, total=None),
        )


@dataclass(slots=True, kw_only=True)
class Passage:
    """One request, and what is to be seen of its answer."""

    plan: Plan
    call: Call[Any]
    tab: Tab
    limits: Limits
    errand: Errand
    is_metered: bool
    """Whether it is an attempt: what only looks something up is billed nowhere."""
    is_chat: bool
    """Whether our readers know its answer. One that is made in the background has none yet: what
    it will have used is not known, unless it says so."""
    hides_usage: bool
    """Whether the client's code did not ask for the chunk with the usage."""

    def flow(self) -> Generator[Step, Any, Any]:
        """Send it, and return the answer whatever its status; a token is renewed once.

        Raises:
            TransportFailed: No answer came; the attempt is settled.
            AuthenticationFailed: The credential gave no token; nothing was sent.
            LedgerError, BudgetExceeded: The attempt could not be reserved; nothing was sent.
        """
        call, tab = self.call, self.tab
        if not self.is_metered:
            request, _ = yield from prepared(call, tab)
            return (yield Send(request, self.limits))
        request, token = yield from prepared(call, tab)
        response = yield from self._attempt(request)
        if response.status == 401 and token is not None:
            body: bytes = yield Read(response, _MAX_REFUSAL_BYTES, tab.remaining)
            refusal(call, tab, response, body)
            request, _ = yield from prepared(call, tab, rejected=token)
            response = yield from self._attempt(request)
        return response

    def _attempt(self, request: Any) -> Generator[Step, Any, Any]:
        yield from self.tab.reserving(self.call.upper_bound)
        try:
            response = yield Send(request, self.limits)
        except TransportFailed as error:
            self.errand.failed(type(unanswered(self.call, self.tab, error)).__name__)
            raise
        except BaseException as error:
            self.tab.settle(None, error=type(error).__name__)
            self.errand.failed(type(error).__name__)
            raise
        self.tab.answered(request_id(response.headers))
        return response

    def answer(self, response: Any) -> Relayed:
        """Return what looks at the answer while it passes, and settles it."""
        if not self.is_metered:
            return Unmetered()
        kind = response.headers.get("content-type", "").lower()
        streams = self.call.stream and 200 <= response.status < 300 and "json" not in kind
        answer: StreamedAnswer | WholeAnswer
        if streams and self.is_chat:
            answer = StreamedAnswer(self.plan, self.call, self.tab, response.headers)
            answer.hides_usage = self.hides_usage and not response.headers.get("content-encoding")
        else:
            answer = WholeAnswer(self.call, self.tab, response, self.errand, is_chat=self.is_chat)
        self.errand.holds(answer)
        return answer


def _unknown() -> Usage:
    return Usage(basis="unknown")


def _messages(body: Mapping[str, Any]) -> list[Any]:
    """Return what was asked as chat messages, near enough to be counted."""
    asked = body.get("messages", body.get("input", body.get("prompt")))
    if isinstance(asked, str):
        asked = [{"role": "user", "content": asked}]
    instructions = body.get("instructions")
    first = [{"role": "system", "content": instructions}] if isinstance(instructions, str) else []
    return [*first, *(each for each in as_list(asked) if each.__class__ is dict)]
