"""The emulator as users hold it: start it, script it, look at what was asked of it."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any, Self

from pydantic_core import to_json

from mai_sdk.emulator.app import App
from mai_sdk.emulator.delivery import Pace
from mai_sdk.emulator.faults import Scripted, scripted
from mai_sdk.emulator.journal import Journal
from mai_sdk.emulator.live_audio import decoded
from mai_sdk.emulator.live_checks import OUTPUT_FORMATS
from mai_sdk.emulator.live_flags import LiveFlags
from mai_sdk.emulator.replies import Call, Draft
from mai_sdk.emulator.scripts import Orders
from mai_sdk.emulator.server import LoopbackServer, loopback
from mai_sdk.emulator.sound import encode
from mai_sdk.emulator.vllm_server import Server, VLLMFlags
from mai_sdk.emulator.world import EMULATOR_KEY, IMAGE_MODELS, MODELS, World
from mai_sdk.metering.memory import MemoryLedger
from mai_sdk.wire.formats import audio_format

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from mai_sdk.client import MAI, AsyncMAI
    from mai_sdk.emulator.request import Request

__all__ = ["Emulator", "serve"]


class Emulator:
    """Foundry, Azure Speech and a vLLM server, on loopback and offline.

    ```python
    with Emulator(seed=7) as emulator:
        client = emulator.client()
        emulator.fault("rate_limit", times=2)
        emulator.reply("Forty-two.", model="MAI-Thinking-1")
    ```

    One address serves all: Foundry under `/mai/v1`, `/openai` and `/models`, transcription under
    `/speechtotext`, vLLM at the root.
    Replies are made up, and the same for the same seed and prompt.

    Args:
        seed: Decides texts and ids.
        host: 127.0.0.1, ::1 or localhost; nothing else is served.
        port: 0 takes any free one.
        deployments: Deployment names with the catalog name of the model behind each, besides
            the chat and image models under their own names.
        key: The key Foundry's surfaces take.
        vllm_key: The key the vLLM server takes; None, as there by default, asks for none.
        reasoning_parser: Whether vLLM separates thoughts from the answer; off, they stay in the
            content, ended by a lone `</think>`.
        vllm: How else the vLLM server was started.
        live: How the live services behave: pace of the audio, length of a session, quota.
        tokens_per_second: How fast models write; None: at once.
        first_token_seconds: How long they take to begin.

    Raises:
        ValueError: The host is not this machine only, or the port is none.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        host: str = "127.0.0.1",
        port: int = 0,
        deployments: Mapping[str, str] | None = None,
        key: str = EMULATOR_KEY,
        vllm_key: str | None = None,
        reasoning_parser: bool = True,
        vllm: VLLMFlags | None = None,
        live: LiveFlags | None = None,
        tokens_per_second: float | None = None,
        first_token_seconds: float = 0.0,
    ) -> None:
        if not 0 <= port <= 65_535:
            raise ValueError(f"There is no port {port}: use 1 to 65535, or 0 for any free one.")
        self.key = key
        flags = vllm or VLLMFlags()
        if vllm_key is not None:
            flags = replace(flags, api_key=(vllm_key,))
        if not reasoning_parser:
            flags = replace(flags, reasoning_parser=False)
        named = {name: name for name in (*MODELS, *IMAGE_MODELS)}
        self._world = World(
            seed=seed,
            key=key,
            deployments={**named, **(deployments or {})},
            live=live or LiveFlags(),
        )
        self._vllm = Server(self._world, flags)
        self._faults: Orders[Scripted] = Orders()
        self._released = Event()
        self.journal = Journal()
        """Every request, oldest first; see `JournalEntry`."""
        self.app = App(
            self._world,
            self._vllm,
            faults=self._faults,
            journal=self.journal,
            pace=Pace(first=first_token_seconds, tokens_per_second=tokens_per_second),
            released=self._released,
        )
        """The ASGI application, for any server or in-process transport."""
        self._listener = LoopbackServer(self.app, host=loopback(host), port=port)

    @property
    def host(self) -> str:
        """The address it listens on."""
        return self._address[0]

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._address[1]

    @property
    def url(self) -> str:
        """The one base address: the Foundry endpoint and the vLLM base_url."""
        host, port = self._address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def _base(self) -> str:
        """What a request that names no model means: vLLM's base model."""
        return self._vllm.flags.served_model_name[0]

    @property
    def _address(self) -> tuple[str, int]:
        if self._listener.address is None:
            raise RuntimeError("The emulator is not running: use it in a `with` statement.")
        return self._listener.address

    def reply(
        self,
        text: str | None = None,
        *,
        reasoning: str = "",
        tool_calls: Sequence[Mapping[str, Any]] = (),
        usage: Mapping[str, int] | None = None,
        finish_reason: str | None = None,
        image: bytes | None = None,
        model: str | None = None,
        when: Callable[[Request], bool] | None = None,
        times: int | None = 1,
    ) -> None:
        """Say what the next matching requests are answered with.

        Args:
            text: The answer, as it is; of a recording, what is heard in it.
            reasoning: The thoughts before it.
            tool_calls: Functions to call: `name`, `arguments` (a mapping or JSON text), and `id`
                if it matters.
            usage: `prompt_tokens`, `cached_tokens`, `completion_tokens`, `reasoning_tokens`
                to report, or for a picture the service's own names; what is left out is counted.
            finish_reason: Reported instead of the true one.
            image: The picture's file, for a request that asks for one: the script then waits for
                such a request, and without it for a question.
            model: Only for requests that name this model or deployment.
            when: Only for requests it is true of.
            times: For how many of them; None: all.
        """
        draft = Draft(
            text=text,
            reasoning=reasoning,
            calls=tuple(_call(call) for call in tool_calls),
            usage=usage,
            finish_reason=finish_reason,
            image=image,
            exact=True,
        )
        self._world.replies.add(
            draft, times=times, matches=_matches(model=model, base=self._base, when=when)
        )

    def spoken(
        self,
        text: str,
        *,
        voice: str | None = None,
        sample_rate: int = 24_000,
        coding: str = "pcm16",
    ) -> bytes:
        """Return the text spoken: 16-bit samples of one channel, to be sent to a listening service.

        Whatever listens here then hears exactly this text, whole, in pieces or among silence.

        Args:
            text: What is said.
            voice: Who says it; see `Mouth.speak`.
            sample_rate: Samples a second; heard only at the same rate.
            coding: "pcm16"; or "g711_ulaw" or "g711_alaw", at 8,000 samples a second.
        """
        law = coding != "pcm16"
        rate = 8_000 if law else sample_rate
        said = self._world.mouth.speak(text, voice=voice, sample_rate=rate)
        data = encode(said.pcm, audio_format(OUTPUT_FORMATS[coding])) if law else said.pcm
        self._world.ears.remember(replace(said, pcm=decoded(data, coding)))
        return data

    def fault(
        self,
        name: str,
        *,
        times: int | None = 1,
        path: str | None = None,
        model: str | None = None,
        **parameters: Any,
    ) -> None:
        """Let the next matching requests go wrong; `FAULTS` tells how.

        A fault that befalls streams only waits for a stream. One request meets one fault.

        Args:
            name: The fault.
            times: For how many requests; None: all.
            path: Only for requests with this in their path.
            model: Only for requests that name this model or deployment.
            **parameters: The fault's own.

        Raises:
            ValueError: There is no such fault, or it has no such parameter.
        """
        one = scripted(name, parameters)
        self._faults.add(
            one, times=times, matches=_matches(model=model, base=self._base, path=path)
        )

    def release(self) -> None:
        """End every stall that has no end of its own, also those to come until `reset`."""
        self._released.set()

    def reset(self) -> None:
        """Forget scripts, faults, journal, caches and adapters; begin ids and metrics anew."""
        self._world.restart()
        self._vllm.restart()
        self._faults.clear()
        self._released.clear()
        self.journal.clear()

    def client(self, **settings: Any) -> MAI:
        """Return a client whose every route leads here; settings as for `MAI`.

        It reads no `mai.toml` and keeps its receipts in memory, unless told otherwise.
        """
        from mai_sdk.client import MAI

        return MAI(**{**self._settings(), **settings})

    def async_client(self, **settings: Any) -> AsyncMAI:
        """Return an async client whose every route leads here; settings as for `AsyncMAI`."""
        from mai_sdk.client import AsyncMAI

        return AsyncMAI(**{**self._settings(), **settings})

    def _settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "foundry_endpoint": self.url,
            "foundry_api_key": self.key,
            "speech_endpoint": self.url,
            "speech_api_key": self.key,
            "vllm_base_url": self.url,
            # Nothing of the caller's own set-up: no route elsewhere, no row in their ledger.
            "config_file": os.devnull,
            "ledger": MemoryLedger(),
        }
        if self._vllm.flags.api_key:
            settings["vllm_api_key"] = self._vllm.flags.api_key[0]
        return settings

    def start(self) -> Self:
        """Listen, and return itself; `stop` it yourself, or use `with` instead."""
        self._listener.start()
        return self

    def stop(self) -> None:
        """End every connection and stop listening."""
        self._listener.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.stop)


def serve(host: str = "127.0.0.1", port: int = 8008, **settings: Any) -> None:
    """Run an emulator until interrupted; settings as for `Emulator`.

    Raises:
        ValueError: The host is not this machine only.
        OSError: The port is taken.
    """
    with Emulator(host=host, port=port, **settings):
        try:
            Event().wait()
        except KeyboardInterrupt:
            return


def _call(call: Mapping[str, Any]) -> Call:
    arguments: Any = call.get("arguments", {})
    text = arguments if isinstance(arguments, str) else to_json(arguments).decode()
    return Call(str(call["name"]), text, str(call.get("id", "")))


def _same(one: str, other: str) -> bool:
    """Whether two names mean one model: "microsoft/MAI-DS-R1" is MAI-DS-R1 on a vLLM server."""
    return one.rpartition("/")[2].casefold() == other.rpartition("/")[2].casefold()


def _matches(
    *,
    model: str | None,
    base: str,
    path: str | None = None,
    when: Callable[[Request], bool] | None = None,
) -> Callable[[Request], bool]:
    def matches(request: Request) -> bool:
        return (
            (model is None or _same(model, request.model or base))
            and (path is None or path in request.path)
            and (when is None or when(request))
        )

    return matches
