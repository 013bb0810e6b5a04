"""MAI-DS-R1 on your own vLLM server: an exact token count before, thoughts in the open, own prices.

Runs against the emulator. For your server, set MAI_VLLM_BASE_URL (and MAI_VLLM_API_KEY).
"""

import os

from mai_sdk import MAI, ReasoningDelta, TextDelta
from mai_sdk.emulator import Emulator

# What a token costs on your GPUs, only you can know.
ROW = {"model": "MAI-DS-R1", "surface": "vllm", "unit": "1M tokens"}
PRICES = {"prices": [
    {**ROW, "meter": "input_tokens", "price": "0.40"},
    {**ROW, "meter": "output_tokens", "price": "1.60"},
]}  # fmt: skip


def ask(client: MAI, question: str = "How many primes are below 20?") -> None:
    count = client.reasoning.count_tokens(question, model="MAI-DS-R1")
    print(f"{count.tokens} tokens ({count.basis}, {count.method})")
    with client.reasoning.stream(question, model="MAI-DS-R1") as stream:
        for event in stream:
            if isinstance(event, (ReasoningDelta, TextDelta)):
                print(event.text, end="", flush=True)
    print("\n", stream.reply.cost, stream.reply.cost.status)


def main() -> None:
    if os.environ.get("MAI_VLLM_BASE_URL"):
        with MAI(prices=PRICES) as client:
            ask(client)
    else:
        with Emulator() as emulator, emulator.client(prices=PRICES) as client:
            ask(client)


if __name__ == "__main__":
    main()
