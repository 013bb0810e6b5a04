"""A phone-like assistant: it listens, calls a function, answers aloud, and can be interrupted.

Runs against the emulator. For the real service: AsyncMAI(), and MAI_FOUNDRY_ENDPOINT and _API_KEY.
"""

import asyncio

from mai_sdk.emulator import Emulator
from mai_sdk.live import AudioChunk, Interrupted, ToolAnswered, TurnDone, UserTranscript


def hours(day: str) -> str:
    """Tell when the shop is open on a day of the week."""
    return f"On {day} from 9 to 18."


async def main() -> None:
    loudspeaker = bytearray()
    with Emulator() as emulator:
        emulator.reply(tool_calls=[{"name": "hours", "arguments": {"day": "Friday"}}])
        emulator.reply("On Friday we are open from nine to six.")
        async with emulator.async_client() as client, client.voice.session(tools=[hours]) as call:
            await call.send(emulator.spoken("When are you open on Friday?") + bytes(48_000))
            async for event in call:
                if isinstance(event, AudioChunk):
                    loudspeaker += event.pcm
                    await call.played_bytes(len(event.pcm))
                elif isinstance(event, Interrupted):
                    loudspeaker.clear()
                elif isinstance(event, UserTranscript) and event.final:
                    print("caller:", event.text)
                elif isinstance(event, ToolAnswered):
                    print("looked up:", event.output)
                elif isinstance(event, TurnDone) and event.agent_text:
                    break
    print(f"agent: {event.agent_text} ({len(loudspeaker)} bytes, {len(call.receipts)} turns)")


asyncio.run(main())
