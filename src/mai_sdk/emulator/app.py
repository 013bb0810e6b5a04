"""The emulator as an ASGI application: finds who answers, lets faults befall it, keeps the journal.

Foundry's surfaces live under `/mai/v1`, `/openai` and `/models`, transcription under
`/speechtotext`; everything else on the same address is the vLLM server, whose paths begin at the
root.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

from mai_sdk.emulator import (
    answer_faults,
    azure,
    body_faults,
    image_faults,
    line_faults,
    socket_faults,
    speech_faults,
)
from mai_sdk.emulator.azure_inference import AzureInference
from mai_sdk.emulator.delivery import Delivery, Pace, Receive, Scope, Send
from mai_sdk.emulator.faults import SWITCHING, Scripted, from_header
from mai_sdk.emulator.foundry import Foundry
from mai_sdk.emulator.images import Images
from mai_sdk.emulator.intake import take_in
from mai_sdk.emulator.openai_v1 import OpenAIChat
from mai_sdk.emulator.realtime import Realtime
from mai_sdk.emulator.request import Answer, Request, json_answer
from mai_sdk.emulator.responses import Responses
from mai_sdk.emulator.sockets import Left, Socket
from mai_sdk.emulator.speech import Speech
from mai_sdk.emulator.transcriptions import Transcriptions
from mai_sdk.emulator.usp_stt import Recognition
from mai_sdk.emulator.usp_tts import Synthesis
from mai_sdk.emulator.vllm import VLLM
from mai_sdk.emulator.vllm_errors import HEADERS
from mai_sdk.emulator.voice_live import VoiceLive

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from mai_sdk.emulator.journal import Journal
    from mai_sdk.emulator.scripts import Orders
    from mai_sdk.emulator.sockets import SocketHandler
    from mai_sdk.emulator.vllm_server import Server
    from mai_sdk.emulator.world import World

__all__ = ["FAULT_HEADER", "App"]

FAULT_HEADER = "x-mai-emulator-fault"
"""The request header that asks for a fault: `name; key=value`."""

Handler: TypeAlias = "Callable[[Request], Answer]"

_FOUNDRY = ("/mai/", "/openai/", "/models/", "/speechtotext/", "/cognitiveservices/", "/tts/")
# Importing these modules has put their faults into the table.
_FAULT_MODULES = (
    answer_faults, body_faults, image_faults, line_faults, socket_faults, speech_faults,
)  # fmt: skip


class App:
    """The ASGI application."""

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
            Foundry(world), Images(world), OpenAIChat(world), Responses(world),
            AzureInference(world), Speech(world), Transcriptions(world), server, VLLM(server),
        )  # fmt: skip
        self._routes: dict[tuple[str, str], Handler] = {}
        for surface in surfaces:
            self._routes.update(surface.routes())
        self._patterns = [key for key in self._routes if "*" in key[1]]
        self._sockets: dict[str, SocketHandler] = {}
        for speaker in (Synthesis(world), Recognition(world), VoiceLive(world), Realtime(world)):
            self._sockets.update(speaker.sockets())

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
        if scope["type"] == "websocket":
            await self._serve_socket(scope, receive, send)
            return
        request = await take_in(scope, receive)
        entry = self._journal.open(request)
        if request.cut:  # half a request is none: it meets no fault and uses up no script
            entry.disconnected = True
            request.close()
            self._journal.close(entry)
            return
        running = request.method == "POST" and request.path.startswith(("/v1/", "/invocations"))
        self._server.running += running
        try:
            if request.is_form:  # files take a while to read, and others are served meanwhile
                answer = await asyncio.to_thread(self.answer, request)
            else:
                answer = self.answer(request)
            delivery = Delivery(entry, scope, receive, send)
            await delivery.run(answer, pace=self._pace, released=self._released)
        finally:
            self._server.running -= running
            request.close()
            self._journal.close(entry)

    async def _serve_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open a WebSocket, or refuse it, and keep its journal until it is closed."""
        await receive()
        request = _head(scope, method="GET")
        entry = self._journal.open(request)
        handler = self._sockets.get(request.path) or self._sockets.get(_tail(request.path))
        try:
            refused = azure.resource_missing() if handler is None else handler.refuses(request)
            answer = refused or self._spoiled(Answer(status=SWITCHING), request, socket=False)
            entry.status, entry.fault = answer.status, answer.fault
            if handler is None or answer.status != SWITCHING:
                await _refuse(answer, send)
                return
            chosen = handler.subprotocol if handler.subprotocol in scope["subprotocols"] else None
            await send({"type": "websocket.accept", "subprotocol": chosen})
            line = Socket(
                scope,
                receive,
                send,
                request=request,
                entry=entry,
                trouble=lambda: self._spoiled(Answer(status=SWITCHING), request, socket=True),
                pace=self._pace,
                released=self._released,
                noise=handler.noise,
            )
            try:
                await handler.serve(line)
            finally:
                line.end()
        except Left:
            return
        finally:
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

    def _spoiled(self, answer: Answer, request: Request, *, socket: bool | None = None) -> Answer:
        """Let a fault befall the answer; `socket` tells a turn on one from its handshake."""

        def fits(one: Scripted) -> bool:
            here = socket is None or socket == (one.fault.needs == "socket")
            return here and one.fits(answer)

        asked = request.headers.get(FAULT_HEADER)
        if asked is None:
            fault = self._faults.take(request, fits=fits)
            if fault is None:
                return answer
            spoiled = fault.apply(answer, request)
            if spoiled.status != answer.status:  # a scripted reply waits for the next try
                self._world.replies.put_back(request)
            return spoiled
        try:
            fault = from_header(asked)
            if socket is not None and not fits(fault):
                return answer
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


def _tail(path: str) -> str:
    """Return the last two steps of a path: live services answer below any base path."""
    return "/" + "/".join(path.rsplit("/", 2)[1:])


def _head(scope: Scope, *, method: str) -> Request:
    return Request(
        method=method,
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers={
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        },
    )


async def _refuse(answer: Answer, send: Send) -> None:
    """Answer a handshake with plain HTTP."""
    headers = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in answer.headers.items()]
    start = {"type": "websocket.http.response.start", "status": answer.status, "headers": headers}
    await send(start)
    await send({"type": "websocket.http.response.body", "body": answer.body})


async def _lifespan(
    receive: Receive,
    send: Send,
) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
