"""A conversation that is all MAI: MAI-Transcribe hears, MAI-DS-R1 thinks, MAI-Voice speaks.

Runs against the emulator. For real, set MAI_VLLM_BASE_URL (the brain, on GPUs of your own),
MAI_FOUNDRY_ENDPOINT (the ears) and MAI_SPEECH_ENDPOINT (the mouth), with their keys.
"""

import asyncio

from mai_sdk.emulator import Emulator
from mai_sdk.live import AudioChunk, Interrupted, TurnDone, UserTranscript


async def main() -> None:
    loudspeaker = bytearray()
    with Emulator() as emulator:
        emulator.reply(
            "There are eight: two, three, five, seven, and so on. Shall I name them all?",
            reasoning="Primes below twenty: 2, 3, 5, 7, 11, 13, 17, 19.",
        )
        async with (
            emulator.async_client() as client,
            client.voice.session(engine="cascade", brain="MAI-DS-R1", voice="en-US-Harper") as call,
        ):
            await call.send(emulator.spoken("How many primes are below twenty?") + bytes(48_000))
            async for event in call:
                if isinstance(event, AudioChunk):
                    loudspeaker += event.pcm
                    await call.played_bytes(len(event.pcm))
                elif isinstance(event, Interrupted):
                    loudspeaker.clear()
                elif isinstance(event, UserTranscript) and event.final:
                    print("user:", event.text)
                elif isinstance(event, TurnDone):
                    break
    print(f"agent: {event.agent_text} ({len(loudspeaker) / 48_000:.1f} s of voice)")
    print(f"first sound after {event.first_audible_ms:.0f} ms; {call.total.cost}")


asyncio.run(main())
