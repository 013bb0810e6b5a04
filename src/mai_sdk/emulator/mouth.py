"""The emulator's mouth: text to an utterance.

With the extra `[speech]` it is espeak-ng's voice (`espeak.py`); without, one tone a word
(`tones.py`). Both say the same text the same way each time.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING

from mai_sdk.emulator import espeak, tones
from mai_sdk.emulator.pcm import resampled
from mai_sdk.emulator.utterance import SpokenWord, Utterance

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LONGEST_SECONDS", "Mouth", "Token", "tokens_of"]

LONGEST_SECONDS = 600.0
"""The service says no more than ten minutes at once, and stops without a word."""

_TOKEN = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"  # no spaces are written between these
    r"|\w+(?:['\u2019.,:\u00b7-]\w+)*"
    r"|[^\w\s]+"
)
_MAX_TEXT = 100_000

Token = tuple[int, str]
"""Where a word or run of punctuation marks begins in the text, and what it is."""


def tokens_of(text: str) -> list[Token]:
    """Return the words and punctuation marks of the text, in order."""
    return [(found.start(), found[0]) for found in _TOKEN.finditer(text)]


class Mouth:
    """Speaks. Safe from any thread.

    Args:
        seed: Decides what is random in a voice.
        real: Whether to speak with espeak-ng; None: if it is installed.

    Raises:
        RuntimeError: `real` was asked for and espeak-ng is not installed.
    """

    def __init__(self, seed: int = 0, *, real: bool | None = None) -> None:
        self.seed = seed
        self.is_real = espeak.is_installed() if real is None else real
        """Whether it speaks words rather than tones."""
        if real and not espeak.is_installed():
            raise RuntimeError("espeak-ng is not installed: pip install 'mai-sdk[speech]'.")

    def speak(
        self,
        text: str,
        *,
        voice: str | None = None,
        sample_rate: int = 24_000,
        rate: float = 1.0,
        max_seconds: float = LONGEST_SECONDS,
    ) -> Utterance:
        """Return the text spoken: the same samples for the same seed and arguments.

        Args:
            text: Plain text; markup would be read out.
            voice: `<locale>-<Speaker>`, with or without `:<Model>`; the locale decides the
                language, the speaker how it sounds.
            sample_rate: Samples a second.
            rate: 1.0 is ordinary, 2.0 twice as fast.
            max_seconds: What would come later is not said.
        """
        text = text[:_MAX_TEXT]
        tokens = tokens_of(text)
        locale, speaker = _name(voice)
        if not any(word[0].isalnum() for _, word in tokens):
            return Utterance(text=text, pcm=b"", sample_rate=sample_rate)
        if not self.is_real:
            pcm, starts = tones.say(
                tokens,
                pitch=_number(speaker, self.seed),
                sample_rate=sample_rate,
                rate=rate,
                max_seconds=max_seconds,
            )
        else:
            spoken, starts = espeak.say(
                text, locale=locale, speaker=speaker, seed=self.seed, rate=rate,
                max_seconds=max_seconds,
            )  # fmt: skip
            pcm = resampled(spoken, espeak.SAMPLE_RATE, sample_rate)
        longest = int(max_seconds * sample_rate) * 2
        pcm = pcm[:longest]
        seconds = len(pcm) / (2 * sample_rate)
        return Utterance(
            text=text, pcm=pcm, sample_rate=sample_rate, words=_words(tokens, starts, seconds)
        )


def _words(
    tokens: Sequence[Token], starts: Sequence[tuple[int, float]], seconds: float
) -> tuple[SpokenWord, ...]:
    """Return each token said, with when it is heard; one not heard apart lasts no time.

    Args:
        tokens: What is in the text.
        starts: Characters' places in the text, and the seconds at which they begin; ascending.
        seconds: When all is over.
    """
    begins: list[float | None] = []
    at, last = 0, starts[-1][0] if starts else -1
    said = [token for token in tokens if token[0] <= last]
    if len(said) < len(tokens) and not tokens[len(said)][1][0].isalnum():
        said.append(tokens[len(said)])
    for place, word in said:
        while at < len(starts) and starts[at][0] < place:
            at += 1
        heard = at < len(starts) and starts[at][0] < place + len(word)
        begins.append(starts[at][1] if heard else None)
    words: list[SpokenWord] = []
    following = seconds
    for (place, word), begin in zip(reversed(said), reversed(begins), strict=True):
        start = min(following if begin is None else begin, following)
        words.append(
            SpokenWord(
                text=word,
                offset_ms=round(start * 1000, 3),
                duration_ms=round((following - start) * 1000, 3),
                text_offset=place,
            )
        )
        following = start
    return tuple(reversed(words))


def _name(voice: str | None) -> tuple[str, str]:
    """Return locale and speaker of a voice's name."""
    locale, _, speaker = (voice or "en-US-Harper").partition(":")[0].rpartition("-")
    return locale or "en-US", speaker


def _number(speaker: str, seed: int) -> int:
    return blake2b(f"{seed}:{speaker.casefold()}".encode(), digest_size=2).digest()[0]
