"""A recording to text and subtitles, with the cost of each second.

Runs against the emulator. For the real service, set MAI_SPEECH_ENDPOINT and MAI_SPEECH_API_KEY,
and pass the path of a recording.
"""

import io
import os
import sys
import wave

from mai_sdk import MAI
from mai_sdk.emulator import Emulator


def ten_seconds() -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(320_000))
    return made.getvalue()


def listen(client: MAI, audio: str | bytes) -> None:
    transcript = client.transcribe.create(audio, timestamps="segment", diarize=True)
    print(transcript.to_srt())
    print(f"{transcript.usage.audio_seconds} seconds, {transcript.cost}")


if __name__ == "__main__":
    if os.environ.get("MAI_SPEECH_ENDPOINT") and len(sys.argv) > 1:
        with MAI() as mai:
            listen(mai, sys.argv[1])
    else:
        with Emulator() as emulator, emulator.client() as mai:
            emulator.reply("Good afternoon. Sales rose by a fifth. Any questions?")
            listen(mai, ten_seconds())
