"""Speech for tests: each word is a noise of its own, with silence after it."""

from hashlib import shake_256

from mai_sdk.emulator.utterance import SpokenWord, Utterance


def noise(name, length):
    """Bytes that are the same for the same name and nothing else."""
    return shake_256(name.encode()).digest(length)


def spoken(text, *, rate=16_000, word_ms=200, gap_ms=100, seed=0):
    """An utterance of `text`; the same word always sounds the same, as a machine says it."""
    words, pcm, at = [], b"", 0
    for word in text.split():
        offset = text.index(word, at)
        at = offset + len(word)
        words.append(
            SpokenWord(
                text=word.strip('.,!?"'),
                offset_ms=len(pcm) * 500 / rate,
                duration_ms=word_ms,
                text_offset=offset + (len(word) - len(word.lstrip('"'))),
            )
        )
        pcm += noise(f"{word}{seed}", 2 * rate * word_ms // 1000)
        pcm += bytes(2 * rate * gap_ms // 1000)
    return Utterance(text=text, pcm=pcm, sample_rate=rate, words=tuple(words))
