"""Live captions: speech written down while it is spoken, as WebVTT.

Runs against the emulator. For the real service: AsyncMAI(), and MAI_FOUNDRY_ENDPOINT and _API_KEY.
"""

import asyncio

from mai_sdk.emulator import Emulator
from mai_sdk.live import SpeechEnded, SpeechStarted, TurnDone


def clock(ms: float | None) -> str:
    """Return a time as WebVTT has it."""
    seconds, rest = divmod(round(ms or 0), 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"


async def main() -> None:
    starts, ends = [], []
    with Emulator() as emulator:
        lines = [emulator.spoken(text, sample_rate=16_000) for text in ("Welcome.", "The news.")]
        audio = bytes(32_000).join([b"", *lines, b""])
        async with emulator.async_client() as client:
            async with client.transcribe.session(language="en") as live:
                for at in range(0, len(audio), 640):
                    await live.send(audio[at : at + 640])
            print("WEBVTT\n")  # a real program reads while another task sends
            async for event in live:
                if isinstance(event, SpeechStarted):
                    starts.append(event.offset_ms)
                elif isinstance(event, SpeechEnded):
                    ends.append(event.offset_ms)
                elif isinstance(event, TurnDone) and event.user_text:
                    print(f"{clock(starts.pop(0))} --> {clock(ends.pop(0))}\n{event.user_text}\n")
            print(f"NOTE {live.total.usage.audio_seconds} s, {live.total.cost}")


asyncio.run(main())
