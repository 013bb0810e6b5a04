"""A long recording, cut in its pauses, its pieces side by side; and what a failed one leaves.

Runs against the emulator. For the real service, set MAI_SPEECH_ENDPOINT and MAI_SPEECH_API_KEY,
and take the emulator away.
"""

import asyncio
import math
from array import array

from mai_sdk.emulator import Emulator
from mai_sdk.errors import CallFailed
from mai_sdk.wire.wav import wav_header

RATE = 8000


def recording(seconds: int) -> bytes:
    tone = array("h", (round(9000 * math.sin(n / 3)) for n in range(RATE * 4))).tobytes()
    samples = b"".join(tone + bytes(RATE * 2) for _ in range(seconds // 5))
    return wav_header(len(samples), sample_rate=RATE) + samples


async def main() -> None:
    with Emulator() as emulator:
        async with emulator.async_client() as client:
            emulator.reply("One piece.", times=None)
            long = await client.transcribe.create(recording(30), chunks=11)
            print(f"{len(long.pieces)} pieces: {long.text} {long.cost}")
            emulator.fault("status", code=400)
            try:
                await client.transcribe.create(recording(30), chunks=11)
            except CallFailed as error:
                print(error.message, "| kept:", error.partial.text, error.receipt.cost)


asyncio.run(main())
