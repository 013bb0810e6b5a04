"""What all surfaces of one emulator share: its seed, keys, deployments, orders and caches."""

from __future__ import annotations

import base64
import hmac
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from hashlib import blake2b, shake_256
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING

from mai_sdk.emulator.ears import Ears
from mai_sdk.emulator.generation import Generation, generate
from mai_sdk.emulator.live_flags import LiveFlags
from mai_sdk.emulator.mouth import Mouth
from mai_sdk.emulator.replies import Draft, compose
from mai_sdk.emulator.scripts import Orders
from mai_sdk.emulator.tokens import split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mai_sdk.emulator.prompt import Prompt
    from mai_sdk.emulator.request import Request

__all__ = [
    "EMULATOR_KEY",
    "EMULATOR_TOKEN",
    "IMAGE_MODELS",
    "MODELS",
    "Counts",
    "PrefixCache",
    "World",
]

EMULATOR_KEY = "mai-emulator-key"
"""The one key the emulator takes. Published on purpose: it opens nothing else."""

EMULATOR_TOKEN = "mai-emulator-token"  # noqa: S105 - published on purpose; it opens nothing
"""The one Entra token the emulator takes."""

MODELS = ("MAI-Thinking-1", "MAI-Code-1-Flash", "MAI-Code-1.1-Flash", "MAI-DS-R1")
"""The chat models deployed under their own names unless told otherwise."""


IMAGE_MODELS = (
    "MAI-Image-2", "MAI-Image-2e",
    "MAI-Image-2.5", "MAI-Image-2.5-Flash", "MAI-Image-2.5-Pro",
    "MAI-Image-2.6", "MAI-Image-2.6-Flash", "MAI-Image-2.7", "MAI-Image-2.7-Flash",
)  # fmt: skip
"""The models that draw, likewise deployed; no chat surface serves them."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What one answer used, before a surface writes it in its own names."""

    prompt: int
    cached: int
    created: int
    """Prompt tokens that were new to the cache."""
    completion: int
    reasoning: int

    @property
    def total(self) -> int:
        """Prompt and completion together."""
        return self.prompt + self.completion


class PrefixCache:
    """Which beginnings of prompts were seen before, in whole blocks. Safe from any thread."""

    def __init__(self, *, block: int, room: int = 50_000) -> None:
        self._block = block
        self._room = room
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._lock = Lock()

    def use(self, pieces: Sequence[str], *, name: str) -> tuple[int, int]:
        """Return how many tokens were cached and how many are new; both now are.

        The last token is never cached: the model has to read something. `name` keeps models and
        cache salts apart.
        """
        block, mark, cached, created = self._block, hash(name), 0, 0
        with self._lock:
            for start in range(0, (len(pieces) - 1) // block * block, block):
                mark = hash((mark, *pieces[start : start + block]))
                if mark in self._seen and not created:
                    cached += block
                    self._seen.move_to_end(mark)
                else:
                    created += block
                    self._seen[mark] = None
            while len(self._seen) > self._room:
                self._seen.popitem(last=False)
        return cached, created

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._seen.clear()


@dataclass(slots=True, kw_only=True)
class World:
    """The state behind the surfaces. Text depends on seed and prompt only; ids on the order."""

    seed: int = 0
    key: str = EMULATOR_KEY
    deployments: Mapping[str, str] = field(default_factory=lambda: {name: name for name in MODELS})
    """Deployment name to catalog model name."""
    replies: Orders[Draft] = field(default_factory=Orders[Draft])
    cache: PrefixCache = field(default_factory=lambda: PrefixCache(block=4))
    ears: Ears = field(default_factory=Ears)
    """What hears audio; tell it what is spoken (`ears.remember`)."""
    live: LiveFlags = field(default_factory=LiveFlags)
    """How the live services behave."""
    connections: deque[float] = field(default_factory=deque[float])
    """When live connections of the last minute were opened, by `time.monotonic`."""
    era: int = 0
    """How often it was restarted: what was kept from before is not used."""
    _numbers: count[int] = field(default_factory=count)
    mouth: Mouth = field(init=False)
    """What speaks for every voice."""

    def __post_init__(self) -> None:
        """Give it a mouth."""
        self.mouth = Mouth(self.seed)

    def name(self, length: int = 24) -> str:
        """Return a fresh id: hexadecimal, the same sequence for the same seed."""
        text = f"{self.seed}:{next(self._numbers)}".encode()
        return blake2b(text, digest_size=32).hexdigest()[:length]

    def guid(self) -> str:
        """Return a fresh id in the form of a GUID."""
        raw = self.name(32)
        return f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"

    def chat_model(self, deployment: str | None) -> str | None:
        """Return the chat model behind a deployment; None if there is none, or it draws."""
        model = self.deployments.get(deployment or "")
        return None if model in IMAGE_MODELS else model

    def restart(self) -> None:
        """Forget orders and caches and count ids from the first again."""
        self.replies.clear()
        self.cache.clear()
        self.ears.forget()
        self.connections.clear()
        self.era += 1
        self._numbers = count()

    def drafts(self, prompt: Prompt, request: Request, *, choices: int = 1) -> list[Draft]:
        """Return the scripted reply to this request, for every choice, or made-up ones."""
        scripted = self.replies.take(request, fits=lambda draft: draft.image is None)
        if scripted is not None:
            return [scripted] * choices
        return [compose(prompt, seed=self.seed, choice=number) for number in range(choices)]

    def think(
        self,
        prompt: Prompt,
        request: Request,
        *,
        limit: int | None,
        stops: Sequence[str] = (),
        line_breaks: bool = False,
        choices: int = 1,
        thinking: bool | None = True,
        adjust: Callable[[Draft], Draft] | None = None,
        cache: PrefixCache | None = None,
        salt: str = "",
    ) -> tuple[list[Generation], Counts]:
        """Return the answers to a prompt, and what they used together.

        Args:
            prompt: What is asked.
            request: The request it came in: scripted replies are matched by it.
            limit: The most tokens to write.
            stops: Texts that end an answer.
            line_breaks: Whether the model writes line breaks around its thoughts; see `generate`.
            choices: How many answers.
            thinking: How the prompt opens the thoughts; see `Prompt.render`.
            adjust: Changes a draft before limits cut it.
            cache: The prefix cache to use instead of the shared one.
            salt: Keeps prompts apart in the cache.
        """
        drafts = self.drafts(prompt, request, choices=choices)
        if adjust is not None:
            drafts = [adjust(draft) for draft in drafts]
        made = [generate(d, limit=limit, stops=stops, line_breaks=line_breaks) for d in drafts]
        pieces = split(prompt.render(thinking=thinking))
        name = f"{request.model or prompt.model}/{salt}"
        cached, created = (cache or self.cache).use(pieces, name=name)
        counted = Counts(
            prompt=len(pieces),
            cached=cached,
            created=created,
            completion=sum(one.tokens for one in made),
            reasoning=sum(one.reasoning_tokens for one in made),
        )
        return made, scripted_counts(counted, drafts[0])

    def encrypt(self, reasoning: str) -> str:
        """Return thoughts as an opaque text, about as long as they are."""
        body = shake_256(f"{self.seed}:{reasoning}".encode()).digest(max(48, len(reasoning)))
        return base64.b64encode(body + self._mark(body)).decode()

    def issued(self, blob: str) -> bool:
        """Return whether an encrypted text is one of this emulator's, unchanged."""
        try:
            raw = base64.b64decode(blob, validate=True)
        except ValueError:
            return False
        return len(raw) > 16 and hmac.compare_digest(raw[-16:], self._mark(raw[:-16]))

    def _mark(self, body: bytes) -> bytes:
        return blake2b(body, digest_size=16, key=f"mai:{self.seed}".encode()).digest()


def scripted_counts(counted: Counts, draft: Draft) -> Counts:
    """Return the counts with what the script says in place of what was counted."""
    said = draft.usage
    if not said:
        return counted
    return Counts(
        prompt=said.get("prompt_tokens", counted.prompt),
        cached=said.get("cached_tokens", counted.cached),
        created=counted.created,
        completion=said.get("completion_tokens", counted.completion),
        reasoning=said.get("reasoning_tokens", counted.reasoning),
    )
