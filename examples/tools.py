"""Typed functions as tools: the model calls them, their results go back, until it answers.

Runs against the emulator. For the real service, set MAI_FOUNDRY_ENDPOINT and MAI_FOUNDRY_API_KEY.
"""

import os
from typing import Any

from mai_sdk import MAI, Tool, tool_result
from mai_sdk.emulator import Emulator


@Tool
def weather(city: str, days: int = 1) -> dict[str, str | int]:
    """Tell the weather in a city."""
    return {"city": city, "days": days, "forecast": "rain"}


def converse(client: MAI) -> None:
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Oslo?"}]
    while (reply := client.reasoning.create(messages, tools=[weather])).tool_calls:
        results = [tool_result(call, weather.run(call)) for call in reply.tool_calls]
        print([(call.name, call.arguments) for call in reply.tool_calls], "->", results)
        messages += [reply, *results]
    print(reply.text)


def main() -> None:
    if os.environ.get("MAI_FOUNDRY_ENDPOINT"):
        with MAI() as client:
            converse(client)
    else:
        with Emulator() as emulator, emulator.client() as client:
            converse(client)


if __name__ == "__main__":
    main()
