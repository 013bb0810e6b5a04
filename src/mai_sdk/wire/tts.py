"""Text to speech over REST: where it is asked for, what comes back, and what its errors mean. Pure.

From Microsoft's rest-text-to-speech page, and from what MAI-Voice was seen to answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mai_sdk.errors import RequestRejected, StreamTruncated, UnreadableAnswer
from mai_sdk.wire.failures import read_failure
from mai_sdk.wire.headers import request_id
from mai_sdk.wire.shapes import as_list, as_object, parsed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mai_sdk.errors import ServiceError

__all__ = [
    "CONTENT_TYPE",
    "AudioReader",
    "is_regional",
    "read_tts_failure",
    "read_voices",
    "socket_path",
    "speech_path",
    "voices_path",
]

CONTENT_TYPE = "application/ssml+xml"
_REGIONAL = ".tts.speech.microsoft.com"
_NO_VOICE = b"protocol error"


def is_regional(endpoint: str) -> bool:
    """Return whether the endpoint is a region's, shared by all resources in it."""
    return (urlsplit(endpoint).hostname or "").endswith(_REGIONAL)


def speech_path(endpoint: str) -> str:
    """Return the path under which that endpoint speaks."""
    return "/cognitiveservices/v1" if is_regional(endpoint) else "/tts/cognitiveservices/v1"


def socket_path(endpoint: str, *, version: int) -> str:
    """Return the path of its WebSocket: version 1 takes SSML, 2 also text while it is written."""
    return speech_path(endpoint).removesuffix("/v1") + f"/websocket/v{version}"


def voices_path(endpoint: str) -> str:
    """Return the path under which that endpoint lists its voices."""
    path = "/cognitiveservices/voices/list"
    return path if is_regional(endpoint) else f"/tts{path}"


class AudioReader:
    """Turns the bytes of an answer, cut anywhere, into audio cut only between samples."""

    __slots__ = ("_frame", "_parts", "_rest", "size")

    def __init__(self, *, frame_bytes: int) -> None:
        self._frame = frame_bytes
        self._rest: bytes = b""
        self._parts: list[bytes] = []
        self.size = 0
        """Bytes given so far."""

    @property
    def audio(self) -> bytes:
        """All that was given so far."""
        if len(self._parts) > 1:
            self._parts = [b"".join(self._parts)]
        return self._parts[0] if self._parts else b""

    def feed(self, data: bytes) -> list[bytes]:
        """Return what is whole, in one piece or none; the rest waits for what follows."""
        if self._rest:
            data = self._rest + data
        cut = len(data) - len(data) % self._frame
        self._rest = data[cut:]
        if not cut:
            return []
        whole = data[:cut] if self._rest else data
        self._parts.append(whole)
        self.size += cut
        return [whole]

    def close(self) -> None:
        """Note that the answer has ended.

        Raises:
            StreamTruncated: It ended inside a sample.
            UnreadableAnswer: There was no audio in it.
        """
        if self._rest:
            raise StreamTruncated(
                "The audio broke off inside a sample, so more was meant to come; what came is on "
                "`partial`."
            )
        if not self.size:
            raise UnreadableAnswer(
                "The service answered 200 without any audio. Check that the text has something in "
                "it to be said, and that the voice speaks its language."
            )


def read_tts_failure(
    *, status: int, headers: Mapping[str, str], body: bytes
) -> ServiceError | UnreadableAnswer:
    """Return the error that an answer without audio is.

    Two answers say less than they mean. A 400 with an empty body is a style or an output format
    that does not exist; a 502 of the gateway that speaks of a protocol error is a voice that
    does not, or a style it cannot do. Neither is cured by trying again.
    """
    known: dict[str, Any] = {"status": status, "request_id": request_id(headers)}
    if status == 400 and not body.strip():
        return RequestRejected(
            "The service refused the request with status 400 and gave no reason, as it does for a "
            "style or an output format it does not know, or SSML it cannot use. Try without a "
            'style, and with format="wav".',
            **known,
        )
    if status == 502 and _NO_VOICE in body.lower():
        return RequestRejected(
            'The service failed with status 502 and a "protocol error", as it does for a voice it '
            "does not have here, or a style this voice cannot do; some voices that are listed "
            "answer so, too. Check both with client.voice.voices(); sending it again will fail "
            "again.",
            **known,
        )
    return read_failure(status=status, headers=headers, body=body, surface="speech")


def read_voices(body: bytes, headers: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the voices in the answer to a list, each as the service has it.

    Raises:
        UnreadableAnswer: It is no list of voices.
    """
    voices = [voice for voice in map(as_object, as_list(parsed(body))) if voice.get("ShortName")]
    if not voices:
        raise UnreadableAnswer(
            "The answer is no list of voices. Check the speech endpoint: a proxy or a login page "
            "may stand in between.",
            request_id=request_id(headers),
        )
    return voices
