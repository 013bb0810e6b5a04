"""Speech as it comes: samples to play at once, and what is left when the line breaks.

Runs against the emulator. For the real service, set MAI_SPEECH_ENDPOINT and MAI_SPEECH_API_KEY.
"""

import os

from mai_sdk import MAI
from mai_sdk.emulator import Emulator
from mai_sdk.errors import ConnectionFailed


def listen(client: MAI) -> None:
    played = 0
    with client.voice.stream("A story that is heard while it is told.", rate=1.2) as audio:
        for samples in audio:
            played += len(samples) // 2  # hand them to your sound card here
    print(f"{played} samples, the first after {audio.speech.timing.first_content:.3f} s")


def main() -> None:
    if os.environ.get("MAI_SPEECH_ENDPOINT"):
        with MAI() as client:
            listen(client)
        return
    with Emulator() as emulator, emulator.client() as client:
        listen(client)
        emulator.fault("reset", after=5)
        try:
            client.voice.synthesize("This will break off in the middle.")
        except ConnectionFailed as error:
            print(f"broke off after {error.partial.audio_seconds:.2f} s:", error.receipt.cost)


if __name__ == "__main__":
    main()
