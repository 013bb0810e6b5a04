"""Deployments with names of their own: a route says what each is, so that prices and limits fit.

Runs against the emulator. For the real service, set MAI_FOUNDRY_ENDPOINT and MAI_FOUNDRY_API_KEY,
and put the names of your deployments in; the same tables can stand in mai.toml.
"""

import os

from mai_sdk import MAI
from mai_sdk.emulator import Emulator

ROUTES = {
    "thinker": {"surface": "foundry", "deployment": "think-prod", "model": "MAI-Thinking-1"},
    "coder": {
        "surface": "openai-v1", "api": "responses",
        "deployment": "code-eu", "model": "MAI-Code-1.1-Flash",
    },
}  # fmt: skip


def ask(client: MAI) -> None:
    for name in ROUTES:
        reply = client.reasoning.create("Explain recursion", model=name)
        print(f"{name}: {reply.deployment} is {reply.model}, {reply.receipt.surface}, {reply.cost}")


def main() -> None:
    if os.environ.get("MAI_FOUNDRY_ENDPOINT"):
        with MAI(routes=ROUTES) as client:
            ask(client)
    else:
        mine = {route["deployment"]: route["model"] for route in ROUTES.values()}
        with Emulator(deployments=mine) as emulator, emulator.client(routes=ROUTES) as client:
            ask(client)


if __name__ == "__main__":
    main()
