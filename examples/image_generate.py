"""A picture from words, the same one edited, and a question about it, each with its cost.

Runs against the emulator. For the real service, set MAI_FOUNDRY_ENDPOINT and MAI_FOUNDRY_API_KEY.
"""

import os
import tempfile
from pathlib import Path

from mai_sdk import MAI
from mai_sdk.emulator import Emulator


def draw(client: MAI, folder: Path) -> None:
    lake = client.image.generate("a lake at dawn", model="MAI-Image-2.5", width=1024, height=1024)
    lake.images[0].save(folder / "lake.png")
    print("drawn:", lake.cost)

    night = client.image.edit("make it night", images=folder / "lake.png", model="MAI-Image-2.5")
    night.images[0].save(folder / "night.png")
    print("edited:", night.cost)

    reply = client.image.ask("What is in this picture?", images=night)  # a model that sees
    print(reply.model, "says:", reply.text, reply.cost)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        if os.environ.get("MAI_FOUNDRY_ENDPOINT"):
            with MAI() as client:
                draw(client, Path(folder))
        else:
            with Emulator() as emulator, emulator.client() as client:
                draw(client, Path(folder))


if __name__ == "__main__":
    main()
