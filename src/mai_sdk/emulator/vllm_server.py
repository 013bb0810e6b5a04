"""The vLLM server around its models: flags, keys, names, adapters, health, tokens and metrics.

Bodies, statuses and headers are those of the recordings of vLLM 0.32.0
(tests/data/vllm).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mai_sdk.emulator.chat import Problem, read_body, to_prompt
from mai_sdk.emulator.request import Answer, Request, bearer, json_answer, text_answer
from mai_sdk.emulator.tokens import SPECIAL, split, token_id, visible
from mai_sdk.emulator.vllm_adapters import Adapters
from mai_sdk.emulator.vllm_errors import HEADERS, failure, invalid, unreadable
from mai_sdk.emulator.vllm_metrics import Metrics
from mai_sdk.emulator.world import PrefixCache

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mai_sdk.emulator.world import World

__all__ = ["Server", "VLLMFlags"]

_BLOCK = 128
_GUARDED = ("/v1", "/v2", "/inference", "/cohere")


@dataclass(frozen=True, slots=True, kw_only=True)
class VLLMFlags:
    """How the emulated vLLM server was started; named as its flags are."""

    served_model_name: tuple[str, ...] = ("microsoft/MAI-DS-R1",)
    """The base model's name, then its aliases."""
    api_key: tuple[str, ...] = ()
    """The keys it takes; with none, it asks for none, as the real server does."""
    max_model_len: int = 163_840
    reasoning_parser: bool = True
    """Off, the thoughts stay in the content, ended by a lone `</think>`."""
    tool_parser: bool = False
    """Off, `tools` are refused, as for R1 models on the real server."""
    lora_modules: Mapping[str, str] = field(default_factory=dict[str, str])
    """Adapters loaded at the start: name to path."""
    allow_runtime_lora_updating: bool = True
    max_lora_rank: int = 16
    enable_prompt_tokens_details: bool = False
    enable_force_include_usage: bool = False
    enable_per_request_metrics: bool = False
    enable_request_id_headers: bool = False
    max_requests: int | None = None
    """Requests at one time, running and queued; one more is answered with 503."""


class Server:
    """Everything but generation."""

    def __init__(self, world: World, flags: VLLMFlags) -> None:
        self.world = world
        self.flags = flags
        self.running = 0
        """Requests in progress."""
        self.adapters = Adapters(flags)
        self.restart()

    def restart(self) -> None:
        """Go back to how the server was when it started."""
        self.adapters.restart()
        self.cache = PrefixCache(block=_BLOCK)
        self.metrics = Metrics(self.base)
        self._known: dict[int, str] = {token_id(chr(code)): chr(code) for code in range(33, 127)}
        self._known.update({number: piece for piece, number in SPECIAL.items()})

    @property
    def base(self) -> str:
        """The base model's name."""
        return self.flags.served_model_name[0]

    def routes(self) -> dict[tuple[str, str], Any]:
        """Return method and path of everything served here."""
        found: dict[tuple[str, str], Any] = {
            ("GET", "/health"): self.empty,
            ("GET", "/ping"): self.empty,
            ("GET", "/version"): self.version,
            ("GET", "/load"): self.load,
            ("GET", "/metrics"): self.show_metrics,
            ("GET", "/v1/models"): self.models,
            ("POST", "/tokenize"): self.tokenize,
            ("POST", "/detokenize"): self.detokenize,
        }
        if self.flags.allow_runtime_lora_updating:
            found[("POST", "/v1/load_lora_adapter")] = self.adapters.load
            found[("POST", "/v1/unload_lora_adapter")] = self.adapters.unload
        return found

    def refused(self, request: Request) -> Answer | None:
        """Return the answer to a wrong key on a guarded path, or None."""
        keys = self.flags.api_key
        if not keys or not request.path.startswith(_GUARDED) or bearer(request) in keys:
            return None
        return json_answer(
            {"error": "Unauthorized"}, status=401, headers={"server": HEADERS["server"]}
        )

    def identified(self, answer: Answer, request: Request) -> Answer:
        """Put the request's id on the answer, if the server was started so."""
        if self.flags.enable_request_id_headers:
            given = request.headers.get("x-request-id")
            answer.headers["x-request-id"] = given or self.world.name(32)
        return answer

    def answers_as(self, name: str | None) -> str | None:
        """Return the name a reply carries for the model asked for, or None if there is none."""
        if name is None or name in self.flags.served_model_name:
            return self.base
        return name if name in self.adapters.loaded else None

    def no_such_model(self, name: str | None) -> Answer:
        """Return the answer for an unknown model or an adapter that is not loaded."""
        aliases = ", ".join(self.flags.served_model_name)
        message = f"The model `{name}` does not exist. Valid aliases: {aliases}."
        return failure(404, message, kind="NotFoundError", param="model")

    def empty(self, request: Request) -> Answer:
        """Return 200 with nothing in it."""
        return text_answer("", headers=HEADERS)

    def version(self, request: Request) -> Answer:
        """Return the version these answers were recorded from."""
        return json_answer({"version": "0.32.0"}, headers=HEADERS)

    def load(self, request: Request) -> Answer:
        """Return the number of requests in progress."""
        return json_answer({"server_load": self.running}, headers=HEADERS)

    def show_metrics(self, request: Request) -> Answer:
        """Return the metrics in Prometheus text form."""
        text = self.metrics.text(running=self.running, adapters=sorted(self.adapters.loaded))
        kind = "text/plain; version=1.0.0; charset=utf-8"
        return text_answer(text, content_type=kind, headers=HEADERS)

    def models(self, request: Request) -> Answer:
        """Return base model, aliases and adapters."""
        length = self.flags.max_model_len
        listed = [
            self._model(name, root=self.base, length=length)
            for name in self.flags.served_model_name
        ]
        loaded = self.adapters.loaded.items()
        listed += [self._model(name, root=path, parent=self.base) for name, path in loaded]
        return json_answer({"object": "list", "data": listed}, headers=HEADERS)

    def _model(
        self, name: str, *, root: str, parent: str | None = None, length: int | None = None
    ) -> dict[str, Any]:
        now = int(time.time())
        permission = {
            "id": f"modelperm-{self.world.name(16)}", "object": "model_permission", "created": now,
            "allow_create_engine": False, "allow_sampling": True, "allow_logprobs": True,
            "allow_search_indices": False, "allow_view": True, "allow_fine_tuning": False,
            "organization": "*", "group": None, "is_blocking": False,
        }  # fmt: skip
        return {
            "id": name, "object": "model", "created": now, "owned_by": "vllm", "root": root,
            "parent": parent, "max_model_len": length, "permission": [permission],
        }  # fmt: skip

    def tokenize(self, request: Request) -> Answer:
        """Return the tokens of a prompt or of messages put into the template."""
        wrong = unreadable(request)
        if wrong is not None:
            return wrong
        raw: dict[str, Any] = request.json
        if self.answers_as(raw.get("model")) is None:
            return self.no_such_model(raw.get("model"))
        if "prompt" in raw:
            text = str(raw["prompt"])
        else:
            try:
                body = read_body(raw)
            except Problem as problem:
                return invalid(problem)
            thinking = (body.chat_template_kwargs or {}).get("thinking", True)
            text = to_prompt(body, self.base).render(thinking=bool(thinking))
        pieces = split(text)
        numbers = [token_id(piece) for piece in pieces]
        self._known.update(zip(numbers, pieces, strict=True))
        shown = [visible(piece) for piece in pieces] if raw.get("return_token_strs") else None
        found = {
            "count": len(pieces), "max_model_len": self.flags.max_model_len,
            "tokens": numbers, "token_strs": shown,
        }  # fmt: skip
        return json_answer(found, headers=HEADERS)

    def detokenize(self, request: Request) -> Answer:
        """Return the text of tokens, as far as this server has given them out."""
        wrong = unreadable(request)
        if wrong is not None:
            return wrong
        numbers: list[int] = request.json.get("tokens", [])
        text = "".join(self._known.get(number, "\ufffd") for number in numbers)
        return json_answer({"prompt": text}, headers=HEADERS)
