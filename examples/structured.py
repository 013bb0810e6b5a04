"""An answer that fits a pydantic class, asked for again where it does not, and what each ask cost.

Runs against the emulator. For the real service, set MAI_FOUNDRY_ENDPOINT and MAI_FOUNDRY_API_KEY.
"""

import os

from pydantic import BaseModel

from mai_sdk import MAI
from mai_sdk.emulator import Emulator


class City(BaseModel):  # noqa: D101 - its fields say it
    name: str
    country: str
    population: int


def ask(client: MAI) -> None:
    reply = client.reasoning.create("Name a city", model="MAI-Thinking-1", response_format=City)
    print(f"{reply.parsed.name}, {reply.parsed.country}: {reply.parsed.population:,} people")
    for attempt in reply.receipt.attempts:
        print(f"ask {attempt.number}: {attempt.usage.output_tokens} tokens, {attempt.cost}")


def main() -> None:
    if os.environ.get("MAI_FOUNDRY_ENDPOINT"):
        with MAI() as client:
            ask(client)
    else:
        with Emulator() as emulator, emulator.client() as client:
            emulator.reply("That would be Oslo, I think.")  # does not fit, so it is asked again
            emulator.reply('{"name": "Oslo", "country": "Norway", "population": 724290}')
            ask(client)


if __name__ == "__main__":
    main()
