"""One question, answered whole: the text, what it used, and how its cost came about.

Runs against the emulator. For the real service, set MAI_FOUNDRY_ENDPOINT and MAI_FOUNDRY_API_KEY.
"""

import os

from mai_sdk import MAI
from mai_sdk.emulator import Emulator


def ask(client: MAI) -> None:
    reply = client.reasoning.create(
        "Why is the sky blue?",
        model="MAI-Thinking-1",
        instructions="Answer in two sentences.",
        max_output_tokens=2000,
    )
    print(reply.text)
    print(f"{reply.usage.input_tokens} tokens in, {reply.usage.output_tokens} out: {reply.cost}")
    print(reply.receipt.explain())


def main() -> None:
    if os.environ.get("MAI_FOUNDRY_ENDPOINT"):
        with MAI() as client:
            ask(client)
    else:
        with Emulator() as emulator, emulator.client() as client:
            ask(client)


if __name__ == "__main__":
    main()
