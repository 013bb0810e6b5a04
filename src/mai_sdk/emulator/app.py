"""The emulator as an ASGI application: finds who answers, lets faults befall it, keeps the journal.

Foundry's surfaces live under `/mai/v1`, `/openai` and `/models`; everything else on the same
address is the vLLM server, whose paths begin at the root.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from mai_sdk.emulator import answer_faults, azure, body_faults, line_faults
from mai_sdk.emulator.azure_inference import AzureInference
from mai_sdk.emulator.delivery import Delivery, Pace, Receive, Scope, Send
from mai_sdk.emulator.faults import Scripted, from_header
from mai_sdk.emulator.foundry import Foundry
from mai_sdk.emulator.openai_v1 import OpenAIChat
from mai_sdk.emulator.request import Answer, Request, json_answer
from mai_sdk.emulator.responses import Responses
from mai_sdk.emulator.speech import Speech
from mai_sdk.emulator.vllm import VLLM
from mai_sdk.emulator.vllm_errors import HEADERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from mai_sdk.emulator.journal import Journal
    from mai_sdk.emulator.scripts import Orders
    from mai_sdk.emulator.vllm_server import Server
    from mai_sdk.emulator.world import World

__all__ = ["FAULT_HEADER", "App"]

FAULT_HEADER = "x-mai-emulator-fault"
"""The request header that asks for a fault: `name; key=value`."""

Handler: TypeAlias = "Callable[[Request], Answer]"

_FOUNDRY = ("/mai/", "/openai/", "/models/", "/cognitiveservices/", "/tts/")
# Importing these modules has put their faults into the table.
_FAULT_MODULES = (answer_faults, body_faults, line_faults)


class App:
    """The ASGI application. Serves HTTP only; a WebSocket is refused."""

    def __init__(
        self,
        world: World,
        server: Server,
        *,
        faults: Orders[Scripted],
        journal: Journal,
        pace: Pace,
        released: Event,
    ) -> None:
        self._world = world
        self._server = server
        self._faults = faults
        self._journal = journal
        self._pace = pace
        self._released = released
        surfaces = (
            Foundry(world), OpenAIChat(world), Responses(world), AzureInference(world),
            Speech(world), server, VLLM(server),
        )  # fmt: skip
        self._routes: dict[tuple[str, str], Handler] = {}
        for surface in surfaces:
            self._routes.update(surface.routes())
        self._patterns = [key for key in self._routes if "*" in key[1]]

    async def __call__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        request = await _read(scope, receive)
        entry = self._journal.open(request)
        running = request.method == "POST" and request.path.startswith(("/v1/", "/invocations"))
        self._server.running += running
        try:
            answer = self.answer(request)
            delivery = Delivery(entry, scope, receive, send)
            await delivery.run(answer, pace=self._pace, released=self._released)
        finally:
            self._server.running -= running
            self._journal.close(entry)

    def answer(self, request: Request) -> Answer:
        """Return the answer to a request, faults included."""
        handler = self._routes.get((request.method, request.path)) or self._by_pattern(request)
        if request.path.startswith(_FOUNDRY):
            answer = handler(request) if handler else azure.resource_missing()
        else:
            refused = self._server.refused(request)
            answer = refused or (handler(request) if handler else self._missing(request))
            self._server.identified(answer, request)
        return self._spoiled(answer, request)

    def _spoiled(self, answer: Answer, request: Request) -> Answer:
        asked = request.headers.get(FAULT_HEADER)
        if asked is None:
            fault = self._faults.take(request, fits=lambda one: one.fits(answer))
            if fault is None:
                return answer
            spoiled = fault.apply(answer, request)
            if spoiled.status != answer.status:  # a scripted reply waits for the next try
                self._world.replies.put_back(request)
            return spoiled
        try:
            fault = from_header(asked)
            if not fault.fits(answer):
                raise ValueError(f"The fault {fault.fault.name!r} needs a streamed answer.")
            return fault.apply(answer, request)
        except (ValueError, TypeError) as error:
            return azure.error(400, "unknown_fault", f"{FAULT_HEADER}: {error}")

    def _by_pattern(self, request: Request) -> Handler | None:
        for key in self._patterns:
            method, pattern = key
            before, after = pattern.split("*")
            name = request.path.removeprefix(before).removesuffix(after)
            if request.method == method and name and request.path == before + name + after:
                return self._routes[key]
        return None

    def _missing(self, request: Request) -> Answer:
        methods = [method for method, path in self._routes if path == request.path]
        if methods:
            headers = {**HEADERS, "allow": ", ".join(methods)}
            return json_answer({"detail": "Method Not Allowed"}, status=405, headers=headers)
        return json_answer({"detail": "Not Found"}, status=404, headers=HEADERS)


async def _read(scope: Scope, receive: Receive) -> Request:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=body,
    )


async def _lifespan(
    receive: Receive,
    send: Send,
) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
