"""vLLM's `/v1/chat/completions`, `/invocations` and `/v1/completions`, as 0.32.0 answers them.

Shapes are those of the recordings: `message.reasoning`, no usage in a stream unless asked for, an
extra chunk for it, `stop_reason`, reasoning_tokens 0 however long the thoughts are.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mai_sdk.emulator import vllm_shapes as shapes
from mai_sdk.emulator.chat import ChatBody, Problem, read_body, to_prompt
from mai_sdk.emulator.prompt import Prompt
from mai_sdk.emulator.request import Answer, Request, json_answer, stream_answer
from mai_sdk.emulator.tokens import count, split, token_id
from mai_sdk.emulator.untyped import has_image
from mai_sdk.emulator.vllm_checks import out_of_range, shape, too_long
from mai_sdk.emulator.vllm_errors import HEADERS, failure, invalid, unreadable

if TYPE_CHECKING:
    from mai_sdk.emulator.replies import Draft
    from mai_sdk.emulator.vllm_server import Server
    from mai_sdk.emulator.world import Counts

__all__ = ["VLLM"]


class VLLM:
    """Text generation on the emulated vLLM server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def routes(self) -> dict[tuple[str, str], Any]:
        """Return method and path of everything served here."""
        return {
            ("POST", "/v1/chat/completions"): self.chat,
            ("POST", "/v1/chat/completions/render"): self.render,
            ("POST", "/v1/completions"): self.complete,
            ("POST", "/invocations"): self.chat,
        }

    def render(self, request: Request) -> Answer:
        """Return the refusal of a server without scale-out."""
        return failure(
            403,
            "Scale-out endpoints are disabled. Restart vllm serve with --enable-scale-out to "
            "enable them.",
            kind="PermissionDeniedError",
        )

    def chat(self, request: Request) -> Answer:
        """Return the answer to a chat request."""
        wrong = unreadable(request) or self._busy()
        if wrong is not None:
            return wrong
        try:
            body = read_body(request.json)
        except Problem as problem:
            return invalid(problem)
        name = self._server.answers_as(body.model)
        if name is None:
            return self._server.no_such_model(body.model)
        wanted = shape(body)
        if isinstance(wanted, Answer):
            return wanted
        prompt = replace(to_prompt(body, "MAI-DS-R1"), shape=wanted)
        thinking = bool((body.chat_template_kwargs or {}).get("thinking", True))
        text = prompt.render(thinking=thinking)
        most = self._server.flags.max_model_len
        wrong = self._refused(body) or out_of_range(body) or too_long(body, count(text), most)
        if wrong is not None:
            return wrong
        return self._reply(body, prompt, name, request, thinking=thinking, text=text)

    def complete(self, request: Request) -> Answer:
        """Return the continuation of a plain prompt; the model does not think here."""
        wrong = unreadable(request) or self._busy()
        if wrong is not None:
            return wrong
        raw: dict[str, Any] = request.json
        try:
            body = read_body({"messages": [], **raw})
        except Problem as problem:
            return invalid(problem)
        name = self._server.answers_as(body.model)
        if name is None:
            return self._server.no_such_model(body.model)
        question = {"role": "user", "content": str(raw.get("prompt", ""))}
        prompt = Prompt(model="MAI-DS-R1", messages=(question,))
        drafted = self._server.world.drafts(prompt, request)[0]
        pieces = split(drafted.text or "")
        kept = pieces[: body.limit or 16]
        reason = "length" if len(kept) < len(pieces) else "stop"
        used = {
            "prompt_tokens": count(question["content"]),
            "total_tokens": count(question["content"]) + len(kept),
            "completion_tokens": len(kept),
        }
        head = {
            "id": f"cmpl-{self._server.world.name(16)}", "object": "text_completion",
            "created": int(time.time()), "model": name,
        }  # fmt: skip
        if body.stream:
            usage = used if body.include_usage else None
            return self._stream(shapes.text_stream(head, kept, reason, usage), len(kept))
        return json_answer(
            shapes.text_whole(head, "".join(kept), reason, used), headers=HEADERS, tokens=len(kept)
        )

    def _busy(self) -> Answer | None:
        most = self._server.flags.max_requests
        if most is None or self._server.running <= most:
            return None
        self._server.metrics.rejected()
        return failure(
            503,
            "The engine is currently busy and cannot accept new requests. Please try again later "
            "or on a different instance.",
            kind="Service Unavailable",
        )

    def _refused(self, body: ChatBody) -> Answer | None:
        if not body.messages:
            return failure(
                400,
                "Cannot apply chat template to an empty conversation. Provide at least one "
                "message.",
            )
        if body.tools and not self._server.flags.tool_parser and body.tool_choice != "none":
            return failure(
                400,
                '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to '
                "be set",
            )
        for message in body.messages:
            if has_image(message.get("content")):
                return failure(400, f"{self._server.base} is not a multimodal model")
        return None

    def _reply(
        self,
        body: ChatBody,
        prompt: Prompt,
        name: str,
        request: Request,
        *,
        thinking: bool,
        text: str,
    ) -> Answer:
        server = self._server
        budget = body.thinking_token_budget

        def adjust(draft: Draft) -> Draft:
            if not thinking:
                return replace(draft, reasoning="", exact=True)
            if budget is not None and draft.reasoning:
                kept = split(draft.reasoning)[: max(0, budget - 1)]
                return replace(draft, reasoning="".join(kept))
            return draft

        started = time.perf_counter()
        made, counts = server.world.think(
            prompt,
            request,
            limit=body.limit,
            stops=body.stops,
            line_breaks=True,
            choices=body.n or 1,
            thinking=thinking,
            adjust=adjust,
            cache=server.cache,
            salt=body.cache_salt or "",
        )
        seconds = time.perf_counter() - started
        server.metrics.answered(counts, made[0].finish_reason, seconds)
        given = request.headers.get("x-request-id") or body.request_id
        frame = shapes.Frame(
            head={
                "id": f"chatcmpl-{given or server.world.name(16)}",
                "created": int(time.time()),
                "model": name,
            },
            body=body,
            parser=server.flags.reasoning_parser,
            details=server.flags.enable_prompt_tokens_details,
            metrics=_metrics(counts, seconds) if server.flags.enable_per_request_metrics else None,
            prompt_text=text,
            prompt_ids=[token_id(piece) for piece in split(text)] if body.return_token_ids else [],
            thinking=thinking,
            name=server.world.name,
        )
        if not body.stream:
            whole = shapes.whole(frame, made, counts)
            return json_answer(whole, headers=HEADERS, tokens=made[0].tokens)
        forced = server.flags.enable_force_include_usage
        last = body.include_usage or forced
        options = body.stream_options or {}
        every = forced or (last and bool(options.get("continuous_usage_stats")))
        pieces = shapes.stream(frame, made, counts, last=last, every=every)
        return self._stream(pieces, made[0].tokens)

    @staticmethod
    def _stream(pieces: list[bytes], tokens: int) -> Answer:
        return stream_answer(pieces, headers=HEADERS, tokens=tokens)


def _metrics(counts: Counts, seconds: float) -> dict[str, Any]:
    each = seconds * 1000 / max(1, counts.completion)
    return {
        "time_to_first_token_ms": each, "generation_time_ms": seconds * 1000,
        "queue_time_ms": 0.0, "mean_itl_ms": each, "tokens_per_second": 1000 / max(each, 1e-6),
        "speculative_decoding": None,
    }  # fmt: skip
