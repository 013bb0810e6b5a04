"""An answer as it comes, and what is left when the reader stops early.

Runs against the emulator. For the real service, set MAI_FOUNDRY_ENDPOINT and MAI_FOUNDRY_API_KEY.
"""

import os

from mai_sdk import MAI, Finished, TextDelta
from mai_sdk.emulator import Emulator


def ask(client: MAI) -> None:
    with client.reasoning.stream("Tell me about tides", model="MAI-Thinking-1") as stream:
        for event in stream:
            if isinstance(event, TextDelta):
                print(event.text, end="", flush=True)
            elif isinstance(event, Finished):
                print(f"\n({event.reason})")
    print("cost:", stream.reply.cost, "first words after", stream.reply.timing.first_content, "s")

    with client.reasoning.stream("Tell me a long story", model="MAI-Thinking-1") as stream:
        next(iter(stream))  # the first event is enough: the block's end closes the connection
    left = [entry for entry in client.costs.entries() if entry.operation.call_id == stream.call_id]
    print("left early:", left[0].cost, "-", left[0].state)


def main() -> None:
    if os.environ.get("MAI_FOUNDRY_ENDPOINT"):
        with MAI() as client:
            ask(client)
    else:
        with Emulator(tokens_per_second=400) as emulator, emulator.client() as client:
            ask(client)


if __name__ == "__main__":
    main()
