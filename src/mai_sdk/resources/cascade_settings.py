"""Who hears, thinks and speaks in a cascade, and how; checked before anything is opened. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, Field

from mai_sdk.audio.turns import TurnDetector
from mai_sdk.errors import InvalidRequest, UnsupportedFeature
from mai_sdk.resources.ask import Ask, check_ask
from mai_sdk.resources.say import Say, speech_route
from mai_sdk.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mai_sdk.config import Modality
    from mai_sdk.resources.core import Core

__all__ = ["CascadeSettings", "Roles"]


class CascadeSettings(Value):
    """What a cascade can be asked for, beside its models: `settings=CascadeSettings(...)`."""

    model_config = ConfigDict(hide_input_in_errors=True)

    language: str | None = None
    """Of the user, such as "en": for the ears. Found out if omitted; fixed with the session."""
    detector: Any = None
    """What finds turns: a `TurnDetector`, or what tells speech from the rest, such as
    `SileroDetector()`. By loudness if omitted; fixed with the session."""
    barge_in_ms: float = Field(default=240.0, ge=0)
    """How much the user has to speak before the agent stops, while no word of it is written down:
    a cough does not do. Fixed with the session."""
    max_output_tokens: int | None = None
    """The most the brain may write in one answer, thoughts included."""
    temperature: float | None = None
    """Of the brain, 0 to 2."""
    extra_body: dict[str, Any] | None = Field(default=None, repr=False)
    """Fields added to each request to the brain."""
    style: str | None = None
    """A way of speaking the voice knows."""
    style_degree: float | None = None
    rate: float | str | None = None
    """How fast: 1.15 is 15 % faster than usual."""
    pitch: float | str | None = None
    """How high, likewise."""
    language_spoken: str | None = None
    """The language of the answers, where it is not the voice's own."""

    def turns(self, *, sample_rate: int) -> TurnDetector:
        """Return what finds turns."""
        if isinstance(self.detector, TurnDetector):
            return self.detector
        return TurnDetector(self.detector, sample_rate=sample_rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Who thinks and who speaks, and how."""

    brain: str | None = None
    voice: str | None = None
    model: str | None = None
    instructions: str | None = field(default=None, repr=False)
    tools: Sequence[Mapping[str, Any]] = ()
    settings: CascadeSettings = field(default_factory=CascadeSettings)
    tags: Mapping[str, str] | None = None
    extra_headers: Mapping[str, str] | None = field(default=None, repr=False)

    def ask(self, messages: list[dict[str, Any]], *, extra: str | None = None) -> dict[str, Any]:
        """Return the arguments of the brain's `stream`."""
        told = [text for text in (self.instructions, extra) if text]
        return {
            "prompt": messages,
            "model": self.brain,
            "instructions": "\n\n".join(told) or None,
            "tools": list(self.tools) or None,
            "max_output_tokens": self.settings.max_output_tokens,
            "temperature": self.settings.temperature,
            "tags": self.tags,
            "extra_body": self.settings.extra_body,
            "extra_headers": self.extra_headers,
        }

    def say(self) -> dict[str, Any]:
        """Return the arguments of the mouth's `stream`, beside the text."""
        settings = self.settings
        return {
            "voice": self.voice,
            "model": self.model,
            "style": settings.style,
            "style_degree": settings.style_degree,
            "rate": settings.rate,
            "pitch": settings.pitch,
            "language": settings.language_spoken,
            "tags": self.tags,
            "extra_headers": self.extra_headers,
        }

    def modality(self, core: Core) -> Modality:
        """Return which of the client's resources the brain is asked through."""
        _, known = core.route(self.brain, "reasoning")
        return "code" if known is not None and known.modality == "code" else "reasoning"

    def check(self, core: Core) -> str | None:
        """Return the brain's name, if both can be reached and asked like this.

        Raises:
            NotConfigured: No route leads to one of them.
            InvalidRequest: A setting is wrong as it stands.
            UnsupportedFeature: What is to think is no model that writes.
        """
        voice: Any = self.voice
        if voice is not None and not isinstance(voice, str):
            raise UnsupportedFeature(
                f"voice is a {type(voice).__name__}, which only Voice Live takes (engine='live'). "
                "In a cascade it is a name, such as 'en-US-Harper'; see CascadeSettings."
            )
        check_ask(Ask(**self.ask([{"role": "user", "content": "text"}])))
        route, known = core.route(self.brain, self.modality(core))
        if known is not None and known.modality not in ("reasoning", "code"):
            raise UnsupportedFeature(
                f"{known.name} does not think: brain is a reasoning or code model, or a "
                "deployment of one."
            )
        say = Say(text="text", **self.say())
        say.manner(say.voice or "en-US-Harper")
        say.check()
        speech_route(core, say)
        return route.model or route.deployment

    def changed(self, changes: Mapping[str, Any]) -> Roles:
        """Return these roles with some changes, by the names of theirs and of the settings.

        Raises:
            InvalidRequest: There is no such setting, or it is fixed with the session.
        """
        own = {"brain", "voice", "model", "instructions", "tools"}
        later = set(CascadeSettings.model_fields) - {"language", "detector", "barge_in_ms"}
        if unknown := sorted(set(changes) - own - later):
            raise InvalidRequest(
                f"{', '.join(unknown)} cannot be changed in a cascade. These can: "
                f"{', '.join(sorted(own | later))}."
            )
        return Roles(
            brain=changes.get("brain", self.brain),
            voice=changes.get("voice", self.voice),
            model=changes.get("model", self.model),
            instructions=changes.get("instructions", self.instructions),
            tools=changes.get("tools", self.tools),
            settings=CascadeSettings(
                **{
                    **{
                        name: getattr(self.settings, name)
                        for name in self.settings.model_fields_set
                    },
                    **{name: changes[name] for name in later & set(changes)},
                }
            ),
            tags=self.tags,
            extra_headers=self.extra_headers,
        )
