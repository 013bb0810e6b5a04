"""A conversation in which the model keeps its thoughts: sealed by the service, carried back unread.

Runs against the emulator. For the real service, set MAI_FOUNDRY_ENDPOINT and MAI_FOUNDRY_API_KEY.
"""

import os
from typing import Any

from mai_sdk import MAI
from mai_sdk.emulator import Emulator


def converse(client: MAI) -> None:
    turns: list[Any] = []
    for question in ("Pick a number between 1 and 100", "Why that one?", "And its square?"):
        turns.append({"role": "user", "content": question})
        reply = client.reasoning.create(
            turns, model="MAI-Thinking-1", reasoning_display="encrypted"
        )
        turns.append(reply)  # goes back exactly as it came, with its sealed thoughts
        sealed = reply.message["reasoning"]["encrypted_content"]
        cached = reply.usage.cached_input_tokens
        print(f"{question}: {len(sealed)} sealed characters, {cached} tokens cached, {reply.cost}")


def main() -> None:
    if os.environ.get("MAI_FOUNDRY_ENDPOINT"):
        with MAI() as client:
            converse(client)
    else:
        with Emulator() as emulator, emulator.client() as client:
            converse(client)


if __name__ == "__main__":
    main()
