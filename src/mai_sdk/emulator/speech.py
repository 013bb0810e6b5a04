"""The Speech service over REST: text to speech, and the list of voices.

On both hosts' paths: a region's (`/cognitiveservices/v1`) and a resource's own (`/tts/...`). From
Microsoft's rest-text-to-speech page; the errors of MAI voices as clients have seen them. Where the
service gives an empty body, the header `x-mai-emulator-reason` says what was wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mai_sdk.catalog.voice import known_styles, known_voices
from mai_sdk.emulator import azure
from mai_sdk.emulator.request import Answer, Request, bearer, json_answer, text_answer
from mai_sdk.emulator.sound import CannotEncode, content_type, encode
from mai_sdk.emulator.speaking import BadDocument, BadVoice, utter
from mai_sdk.emulator.world import EMULATOR_TOKEN
from mai_sdk.errors import InvalidRequest
from mai_sdk.wire.formats import audio_format

if TYPE_CHECKING:
    from mai_sdk.catalog.voice import KnownVoice
    from mai_sdk.emulator.world import World
    from mai_sdk.wire.formats import AudioFormat

__all__ = ["REASON_HEADER", "Speech", "speech_allowed"]

REASON_HEADER: Final = "x-mai-emulator-reason"
_PIECE: Final = 4095
"""Bytes of one piece of the body: odd, so that samples do lie across its borders."""
_NO_VOICE: Final = (
    "upstream connect error or disconnect/reset before headers. reset reason: protocol error"
)


def speech_allowed(request: Request, world: World) -> bool:
    """Return whether the request carries the key or the emulator's Entra token.

    The key is looked at first: the official SDK sends an empty bearer token beside it.
    """
    if "ocp-apim-subscription-key" in request.headers:
        return request.headers["ocp-apim-subscription-key"] == world.key
    return bearer(request) == EMULATOR_TOKEN


class Speech:
    """Text to speech over REST."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> dict[tuple[str, str], Any]:
        """Return method and path of everything served here."""
        served: dict[tuple[str, str], Any] = {}
        for base in ("/cognitiveservices", "/tts/cognitiveservices"):
            served["POST", f"{base}/v1"] = self.speak
            served["GET", f"{base}/voices/list"] = self.voices
        return served

    def voices(self, request: Request) -> Answer:
        """Return the list of voices."""
        if not speech_allowed(request, self._world):
            return azure.identified(azure.unauthorized(), request, self._world)
        listed = [_listed(voice, model) for voice in known_voices() for model in voice.models]
        return azure.identified(json_answer(listed), request, self._world)

    def speak(self, request: Request) -> Answer:
        """Return the answer to a text to be spoken."""
        if not speech_allowed(request, self._world):
            return azure.identified(azure.unauthorized(), request, self._world)
        return azure.identified(self._speak(request), request, self._world)

    def _speak(self, request: Request) -> Answer:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/ssml+xml":
            return _refused(415, f"the content type is {kind or 'missing'}")
        if not request.headers.get("user-agent"):
            return _refused(400, "there is no User-Agent")
        try:
            asked = audio_format(request.headers.get("x-microsoft-outputformat", ""))
            rate = asked.sample_rate or 24_000
            spoken = utter(request.body.decode("utf-8-sig"), self._world.mouth, sample_rate=rate)
            data = encode(spoken.pcm, asked)
        except BadVoice as error:
            answer = text_answer(_NO_VOICE, status=502, content_type="text/plain")
            answer.headers[REASON_HEADER] = _ascii(str(error))
            return answer
        except (BadDocument, CannotEncode, InvalidRequest, UnicodeDecodeError) as error:
            return _refused(400, str(error))
        self._world.ears.remember(spoken)
        return _streamed(data if spoken.pcm else b"", asked)


def _streamed(data: bytes, kind: AudioFormat) -> Answer:
    pieces = [data[at : at + _PIECE] for at in range(0, len(data), _PIECE)]
    return Answer(headers={"content-type": content_type(kind)}, pieces=pieces, stream=True)


def _refused(status: int, reason: str) -> Answer:
    return text_answer("", status=status, headers={REASON_HEADER: _ascii(reason)})


def _ascii(text: str) -> str:
    return " ".join(text.encode("ascii", "replace").decode().split())[:400]


def _listed(voice: KnownVoice, model: str) -> dict[str, Any]:
    name = f"{voice.name}:{model}"
    return {
        "Name": f"Microsoft Server Speech Text to Speech Voice ({voice.locale}, {name})",
        "DisplayName": voice.speaker,
        "LocalName": voice.speaker,
        "ShortName": name,
        "Gender": voice.gender or "Neutral",
        "Locale": voice.locale,
        "LocaleName": voice.locale,
        "StyleList": list(known_styles(model)),
        "SampleRateHertz": "24000",
        "VoiceType": "Neural",
        "Status": "Preview",
    }
