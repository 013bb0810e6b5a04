"""Ledgers of any content: strategies for calls, and what writes them down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from mai_sdk.metering.cost import Cost, CostLine, Price
from mai_sdk.metering.ids import uuid7
from mai_sdk.metering.ledger import Entry, Ledger, Operation
from mai_sdk.metering.prices import PriceBook
from mai_sdk.metering.usage import Usage

MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC).timestamp()
DAY = 86_400
EUROS = {
    "prices": [
        {
            "model": "Euro",
            "meter": meter,
            "price": "0.0000037",
            "unit": "1 token",
            "currency": "EUR",
        }
        for meter in ("input_tokens", "output_tokens")
    ]
}
BOOK = PriceBook.load(overlay=EUROS)


@dataclass(frozen=True)
class Outcome:
    """One attempt as it ends, or does not."""

    state: str
    usage: Usage | None = None
    error: str | None = None
    seconds: float = 1.0
    by_hand: Cost | None = None


def tokens(most: int) -> st.SearchStrategy[Usage]:
    some = st.integers(0, most)
    return st.builds(
        lambda given, cached, made, basis: Usage.from_meters(
            {"input_tokens": given, "output_tokens": made}
            | ({} if cached is None else {"cached_input_tokens": min(cached, given)}),
            basis=basis,
        ),
        some,
        st.none() | some,
        some,
        st.sampled_from(["reported", "estimated", "lower_bound"]),
    )


USAGES = (
    tokens(10_000)
    | tokens(10**14)
    | st.builds(lambda n: Usage(characters=n), st.integers(0, 10**6) | st.just(5 * 10**18))
    | st.builds(
        lambda spoken, unheard: Usage(
            audio_output_tokens=spoken * 20,
            input_tokens=5,
            output_tokens=spoken * 20 + 3,
            spoken_seconds=spoken,
            unheard_seconds=min(spoken, unheard),
        ),
        st.integers(0, 60),
        st.integers(0, 60),
    )
    | st.just(Usage.zero())
)
PRICE = Price(
    model="V",
    meter="audio_output_tokens",
    amount=Decimal("24"),
    per=10**6,
    valid_from="2026-01-01",
    source="a test",
    checked="2026-11-22",
)
BY_HAND = st.sampled_from(["0", "3", "0.1", "0.000000001", "123.456", "12345678.9"]).map(
    lambda digits: Cost(amount=Decimal(digits), status="exact")
) | st.sampled_from([(0, "0"), (125_000, "3"), (50_000, "1.2"), (1, "0.000024")]).map(
    lambda line: Cost(
        amount=Decimal(line[1]),
        status="exact",
        lines=(
            CostLine(
                meter="audio_output_tokens",
                quantity=line[0],
                amount=Decimal(line[1]),
                price=PRICE,
            ),
        ),
    )
)
ERRORS = st.none() | st.sampled_from(["TimedOut", "Abandoned", "StreamTruncated"])
SECONDS = st.floats(0, 1e5) | st.sampled_from([0.05, 99.9995, 1e13])
OUTCOMES = (
    st.builds(Outcome, st.sampled_from(["reserved", "sent", "unknown"]))
    | st.builds(Outcome, st.just("unknown"), error=ERRORS)
    | st.builds(Outcome, st.just("released"), error=ERRORS)
    | st.builds(Outcome, st.just("settled_exact"), USAGES, ERRORS, SECONDS)
    | st.builds(Outcome, st.just("settled_estimated"), USAGES, ERRORS, SECONDS, BY_HAND)
)
CALLS = st.tuples(
    st.sampled_from(["MAI-Thinking-1", "MAI-Code-1-Flash", "Euro", "nobody's", None]),
    st.sampled_from([{}, {"team": "a"}, {"team": "b", "ünï": "x\u2028"}]),
    st.floats(-1.5 * DAY, 1.5 * DAY),
    st.lists(OUTCOMES, min_size=1, max_size=3),
)


def write(ledger: Ledger, calls: list[Any]) -> None:
    for model, tags, moment, outcomes in calls:
        operation = Operation(
            call_id=uuid7(),
            modality="voice" if model is None else "reasoning",
            verb="create",
            model=model,
            deployment=model and f"{model}-1",
            surface="foundry",
            started_at=MIDNIGHT + moment,
            tags=tags,
            session="s" if model is None else None,
        )
        for number, outcome in enumerate(outcomes, 1):
            reserved_at = operation.started_at + (number - 1) * 40_000
            on = datetime.fromtimestamp(reserved_at, UTC).date()
            entry = Entry(
                attempt_id=f"{operation.call_id}-{number}",
                number=number,
                operation=operation,
                state="reserved",
                reserved_at=reserved_at,
                upper_bound=price(model, Usage(input_tokens=9, output_tokens=9), on),
            )
            ledger.reserve(entry)
            end(ledger, entry, outcome, price(model, outcome.usage, on))


def price(model: str | None, usage: Usage | None, on: date) -> Cost:
    return (
        Cost.unknown("No.") if usage is None else BOOK.price(model, usage, surface="foundry", on=on)
    )


def end(ledger: Ledger, entry: Entry, outcome: Outcome, cost: Cost) -> None:
    if outcome.state == "reserved":
        return
    if outcome.state == "sent":
        ledger.sent(entry.attempt_id)
        return
    if outcome.state == "released":
        cost = Cost.free("Nothing ran.")
    ledger.settle(
        entry.attempt_id,
        state=outcome.state,  # type: ignore[arg-type]
        usage=outcome.usage
        or (Usage.zero() if outcome.state == "released" else Usage(basis="unknown")),
        cost=outcome.by_hand or cost,
        settled_at=entry.reserved_at + outcome.seconds,
        status=None if outcome.error else 200,
        error=outcome.error,
    )
