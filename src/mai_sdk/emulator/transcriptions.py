"""`/speechtotext/transcriptions:transcribe`: transcription of files, by MAI models and without.

From Microsoft's page (learn.microsoft.com, speech-service/mai-transcribe, 2026-09-05), the API
description behind azure-ai-transcription 1.0.0, and its own requests. What a model is not
documented to take is refused; without `enhancedMode.enabled` the older service answers, silently.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from mai_sdk.emulator import azure
from mai_sdk.emulator.phrases import Listened, phrases_of, scripted
from mai_sdk.emulator.request import Answer, Request, bearer, json_answer
from mai_sdk.emulator.sounds import read_sound
from mai_sdk.emulator.untyped import to_object
from mai_sdk.emulator.world import EMULATOR_TOKEN

if TYPE_CHECKING:
    from mai_sdk.emulator.world import World

__all__ = ["Transcriptions"]

_PATH: Final = "/speechtotext/transcriptions:transcribe"
_VERSIONS: Final = ("2025-10-15", "2024-11-15")
_FIELDS: Final = frozenset({
    "enhancedMode", "locales", "phraseList", "diarization", "profanityFilterMode", "channels",
    "audioUrl", "models",
})  # fmt: skip
_ENHANCED: Final = frozenset({
    "enabled", "model", "modelOptions", "task", "targetLanguage", "prompt",
})  # fmt: skip
_NOT_FOR_MAI: Final = ("profanityFilterMode", "channels", "models")
_NOT_FOR_MAI_ENHANCED: Final = ("task", "targetLanguage", "prompt")
_UNFETCHED: Final = "The emulator fetches no audio: script what it hears with emulator.reply(...)."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Abilities:
    """What one model takes."""

    options: frozenset[str] = frozenset()
    """Of `modelOptions`."""
    diarization: bool = False
    phrases: bool = True


_MODELS: Final = {
    "mai-transcribe-2": _Abilities(
        options=frozenset({"timestamps", "transcribeStyle"}), diarization=True
    ),
    "mai-transcribe-1.5": _Abilities(),
    "mai-transcribe-1": _Abilities(phrases=False),
}
_VALUES: Final = {
    "timestamps": ("none", "segment", "word"),
    "transcribeStyle": ("verbatim", "clean"),
}


class _Refused(Exception):
    """Why a request is not answered."""

    def __init__(self, message: str, *, status: int = 400, code: str = "InvalidArgument") -> None:
        super().__init__(message)
        self.message, self.status, self.code = message, status, code


class Transcriptions:
    """Transcription of files, as the Speech service serves it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> dict[tuple[str, str], Any]:
        """Return method and path of everything served here."""
        return {("POST", _PATH): self.transcribe}

    def transcribe(self, request: Request) -> Answer:
        """Return the transcript of what was uploaded."""
        if not self._allowed(request):
            return azure.identified(azure.unauthorized(), request, self._world)
        try:
            answer = self._transcribe(request)
        except _Refused as no:
            answer = azure.error(no.status, no.code, no.message)
        return azure.identified(answer, request, self._world)

    def _allowed(self, request: Request) -> bool:
        """The key counts first: official clients send an empty bearer token beside it."""
        key = request.headers.get("ocp-apim-subscription-key")
        return key == self._world.key if key is not None else bearer(request) == EMULATOR_TOKEN

    def _transcribe(self, request: Request) -> Answer:
        if request.parameters.get("api-version") not in _VERSIONS:
            raise _Refused(f"api-version must be one of {', '.join(_VERSIONS)}.")
        try:
            parts = request.form
        except ValueError as error:
            raise _Refused(f"The request cannot be read: {error}.") from None
        named = {part.name: part for part in parts}
        if len(named) < len(parts) or not set(named) <= {"audio", "definition"}:
            raise _Refused("The form has the parts audio and definition, once each.")
        if "definition" not in named:
            raise _Refused("The form has no part definition.")
        asked = _Asked.read(request.data_of(named["definition"]), self._world)
        request.named = asked.model
        audio = named.get("audio")
        script = self._world.replies.take(request)
        if audio is None:
            if not isinstance(asked.said.get("audioUrl"), str):
                raise _Refused("The form has no part audio, and its definition no audioUrl.")
            text = _UNFETCHED if script is None else script.text or ""
            return json_answer(asked.answer(scripted(text, duration_ms=None)))
        data = memoryview(request.content)[audio.start : audio.end]
        heard = self._heard(data, None if script is None else script.text or "")
        return json_answer(asked.answer(heard))

    def _heard(self, data: memoryview, script: str | None) -> Listened:
        if not data:
            raise _Refused("The audio is empty.")
        try:
            sound = read_sound(data)
        except ValueError as error:
            raise _Refused(
                f"The audio cannot be read: {error}.", status=422, code="InvalidAudioFormat"
            ) from None
        if sound.duration_ms == 0:
            raise _Refused("The audio is empty.", status=422, code="EmptyAudioFile")
        if script is not None or sound.pcm is None:
            return scripted(script, duration_ms=sound.duration_ms)
        heard = self._world.ears.hear(sound.pcm, sound.sample_rate)
        return Listened(text=heard.text, words=heard.words, duration_ms=sound.duration_ms)


@dataclass(slots=True, kw_only=True)
class _Asked:
    """A definition that will be answered."""

    said: dict[str, Any]
    enhanced: dict[str, Any] | None
    """None where the older service answers."""
    model: str | None

    @classmethod
    def read(cls, data: bytes, world: World) -> _Asked:
        try:
            said = to_object(from_json(data))
        except ValueError:
            said = None
        if said is None:
            raise _Refused("The definition is not a JSON object.")
        _known("definition", said, _FIELDS)
        locales = said.get("locales")
        if locales is not None and not _texts(locales):
            raise _Refused("locales must be a list of texts.")
        most = (to_object(said.get("diarization")) or {}).get("maxSpeakers", 2)
        if not isinstance(most, int) or not 2 <= most <= 35:
            raise _Refused("diarization.maxSpeakers must be from 2 to 35.")
        enhanced = to_object(said.get("enhancedMode"))
        if enhanced is None or enhanced.get("enabled") is not True:
            return cls(said=said, enhanced=None, model=None)
        _known("enhancedMode", enhanced, _ENHANCED)
        name = enhanced.get("model")
        if name is None:
            return cls(said=said, enhanced=enhanced, model=None)
        able = _MODELS.get(world.deployments.get(str(name), str(name)).lower())
        if able is None:
            raise _Refused(f"The model {name!r} is not supported.", code="InvalidModel")
        _check(said, enhanced, able)
        return cls(said=said, enhanced=enhanced, model=str(name))

    def answer(self, heard: Listened) -> dict[str, Any]:
        """Return the body for what was heard."""
        options = to_object((self.enhanced or {}).get("modelOptions")) or {}
        times = options.get("timestamps", "none")
        if self.enhanced is None:
            times = "word"
        elif self.model is None or not _MODELS.get(self.model.lower(), _NO_TIMES).options:
            times = "segment"
        diarization = to_object(self.said.get("diarization")) or {}
        speakers = diarization.get("maxSpeakers", 2) if _tells_speakers(self.said) else None
        locale = (self.said.get("locales") or ["en-US"])[0]
        if options.get("transcribeStyle") == "clean":
            heard = heard.cleaned()
        phrases = phrases_of(
            heard,
            locale=locale if self.enhanced is None else locale.lower(),
            times=times,
            speakers=speakers,
            confidence=0.92 if self.enhanced is None else 0,
        )
        combined = [{"text": heard.text}] if heard.text else []
        made: dict[str, Any] = {"combinedPhrases": combined, "phrases": phrases}
        if heard.duration_ms is None:
            return made
        return {"durationMilliseconds": round(heard.duration_ms), **made}


_NO_TIMES: Final = _Abilities()


def _known(where: str, said: dict[str, Any], names: frozenset[str]) -> None:
    for name in said:
        if name not in names:
            raise _Refused(f"{where} has a field that is not known: {name}.")


def _texts(value: Any) -> bool:
    return value.__class__ is list and all(isinstance(each, str) for each in value)


def _tells_speakers(said: dict[str, Any]) -> bool:
    """The official client says only how many, which implies that they are told apart."""
    asked = to_object(said.get("diarization")) or {}
    return bool(asked.get("enabled", "maxSpeakers" in asked))


def _check(said: dict[str, Any], enhanced: dict[str, Any], able: _Abilities) -> None:
    """Refuse what is not documented for the model."""
    if said.get("locales") is not None and len(said["locales"]) != 1:
        raise _Refused("MAI models take exactly one locale; leave locales out to have it found.")
    options = to_object(enhanced.get("modelOptions") or {})
    if options is None:
        raise _Refused("modelOptions must be an object.")
    for name, value in options.items():
        if name not in able.options:
            raise _Refused(f"modelOptions.{name} is not supported by this model.")
        if value not in _VALUES[name]:
            raise _Refused(f"modelOptions.{name} must be one of {', '.join(_VALUES[name])}.")
    refused: list[str] = [name for name in _NOT_FOR_MAI if name in said]
    refused += [name for name in _NOT_FOR_MAI_ENHANCED if name in enhanced]
    if not able.diarization and _tells_speakers(said):
        refused.append("diarization")
    if not able.phrases and "phraseList" in said:
        refused.append("phraseList")
    if refused:
        raise _Refused(f"{refused[0]} is not supported by this model.")
