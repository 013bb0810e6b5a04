"""What goes wrong, what is tried again, and what it cost. The emulator makes the trouble.

The real service raises the same errors; there, nobody scripts them.
"""

from mai_sdk import Timeouts
from mai_sdk.emulator import Emulator
from mai_sdk.errors import DeploymentNotFound, RateLimited, StreamTruncated, TimedOut


def main() -> None:
    with Emulator() as emulator, emulator.client() as client:
        emulator.fault("rate_limit", retry_after=0)
        reply = client.reasoning.create("Waited out?")
        print("429, then:", [attempt.state for attempt in reply.receipt.attempts], reply.cost)
        emulator.fault("rate_limit", retry_after=3600)
        try:
            client.reasoning.create("An hour is too long to wait")
        except RateLimited as error:
            print("at once:", error.attempts, "attempt, retry after", error.retry_after, "s")
        emulator.fault("stall", times=2)
        try:
            client.reasoning.create("Anyone there?", timeout=Timeouts(first_byte=0.2))
        except TimedOut as error:
            print(error.phase, "passed, tried", error.attempts, "times:", error.receipt.cost)
        emulator.fault("truncate", after=5)
        try:
            with client.reasoning.stream("A long story") as stream:
                stream.read()
        except StreamTruncated as error:
            print("cut off after", repr(error.partial.text), "at", error.receipt.cost)
        try:
            client.reasoning.create("Who?", model="no-such-deployment")
        except DeploymentNotFound as error:
            print(error.status, error.code, error.receipt.cost)


if __name__ == "__main__":
    main()
