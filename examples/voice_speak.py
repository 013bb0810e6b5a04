"""A text spoken into a WAV file, what it cost, and what is known of the voices.

Runs against the emulator. For the real service, set MAI_SPEECH_ENDPOINT and MAI_SPEECH_API_KEY.
"""

import os
import tempfile
from pathlib import Path

from mai_sdk import MAI
from mai_sdk.emulator import Emulator


def speak(client: MAI) -> None:
    speech = client.voice.synthesize(
        "Good morning. The train to Oslo leaves at nine.",
        voice="en-US-Harper",
        model="MAI-Voice-2",
        rate=1.1,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = speech.save(Path(folder) / "morning.wav")
        print(f"{path.name}: {speech.audio_seconds:.1f} s, {path.stat().st_size} bytes")
    print(f"{speech.usage.characters} characters, {speech.cost}: {speech.cost.reason}")
    print("voices known for German:", *(v.name for v in client.models.voices(locale="de")))


def main() -> None:
    if os.environ.get("MAI_SPEECH_ENDPOINT"):
        with MAI() as client:
            speak(client)
    else:
        with Emulator() as emulator, emulator.client() as client:
            speak(client)


if __name__ == "__main__":
    main()
