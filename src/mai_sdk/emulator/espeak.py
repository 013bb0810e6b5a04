"""espeak-ng as the emulator's voice, through ctypes, loaded when something is first said.

Optional: the extra `[speech]` brings the library and its data as `espeakng-loader`. espeak-ng is
free software under the GPL, version 3 or later, and is neither part of this package nor needed by
it. The library has one state for the whole process, so one thread at a time may use it.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
from functools import lru_cache
from hashlib import blake2b
from threading import Lock
from typing import Any

__all__ = ["SAMPLE_RATE", "is_installed", "say"]

SAMPLE_RATE = 22_050
"""What it always speaks at."""

# From espeak-ng's speak_lib.h.
_SYNCHRONOUS = 2
_ONLY_RETURN = 0x8000
"""A failure to start is returned; it would end the process otherwise."""
_UTF8 = 1
_RATE, _PITCH = 1, 3
_WORD = 1
_WORDS_A_MINUTE = 165

_OTHER_NAMES = {
    "zh": "cmn",
    "es-mx": "es-419",
    "fr-fr": "fr-fr",
    "en-au": "en-gb",
    "en-in": "en-gb",
}
_SPEAKERS = {"grant": ("adam", 40), "harper": ("benjamin", 75)}
"""The two speakers that most locales share; others are told apart by a hash of the name."""
_VARIANTS = ("adam", "benjamin", "edward2", "mike2")
"""Voices that say the same text the same way each time. Others flutter, and their flutter goes on
from one text to the next."""

_lock = Lock()


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@lru_cache(maxsize=1)
def is_installed() -> bool:
    """Return whether `espeakng-loader` is there; loads nothing."""
    return importlib.util.find_spec("espeakng_loader") is not None


def say(
    text: str, *, locale: str, speaker: str, seed: int, rate: float, max_seconds: float
) -> tuple[bytes, list[tuple[int, float]]]:
    """Return the samples, and for each word heard its place in the text and when it begins."""
    pieces: list[bytes] = []
    starts: list[tuple[int, float]] = []
    most = int(max_seconds * SAMPLE_RATE) * 2
    said = 0

    def heard(samples: Any, count: int, events: Any) -> int:
        nonlocal said
        if samples and count:
            piece = ctypes.string_at(samples, 2 * count)
            pieces.append(piece)
            said += len(piece)
        number = 0
        while events[number].type:
            event = events[number]
            if event.type == _WORD:
                starts.append((event.text_position - 1, event.sample / SAMPLE_RATE))
            number += 1
        return int(said >= most)

    callback = _Callback(heard)
    data = text.replace("\0", " ").encode("utf-8", "replace") + b"\0"
    with _lock:
        library = _library()
        _choose(library, locale, speaker)
        words = min(max(int(_WORDS_A_MINUTE * rate), 80), 450)
        library.espeak_SetParameter(_RATE, words, 0)
        library.espeak_ng_SetRandSeed(ctypes.c_long(seed))
        library.espeak_SetSynthCallback(callback)
        library.espeak_Synth(data, len(data), 0, 0, 0, _UTF8, None, None)
    return b"".join(pieces), sorted(starts)


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    loader = importlib.import_module("espeakng_loader")
    data = str(loader.get_data_path()).encode()
    try:
        library = ctypes.CDLL(loader.get_library_path())
        if library.espeak_Initialize(_SYNCHRONOUS, 0, data, _ONLY_RETURN) == SAMPLE_RATE:
            return library
    except OSError:
        pass
    raise RuntimeError("espeak-ng is installed but does not start: reinstall espeakng-loader.")


def _choose(library: ctypes.CDLL, locale: str, speaker: str) -> None:
    """Select the locale's voice, or failing that its language's, or failing that English."""
    locale, speaker = locale.casefold(), speaker.casefold()
    language = locale.partition("-")[0]
    mark = blake2b(speaker.encode("utf-8", "replace"), digest_size=1).digest()[0]
    variant, pitch = _SPEAKERS.get(speaker, (_VARIANTS[mark % len(_VARIANTS)], 30 + mark % 51))
    for name in (_OTHER_NAMES.get(locale, locale), _OTHER_NAMES.get(language, language), "en-us"):
        wanted = f"{name}+{variant}".encode("ascii", "replace")
        if library.espeak_SetVoiceByName(wanted) == 0:
            break
    library.espeak_SetParameter(_PITCH, pitch, 0)
