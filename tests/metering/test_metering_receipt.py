"""A receipt explains itself."""

from __future__ import annotations

from datetime import date

from mai_sdk.metering.cost import Cost
from mai_sdk.metering.prices import PriceBook
from mai_sdk.metering.receipt import Attempt, Receipt
from mai_sdk.metering.usage import Usage

USAGE = Usage(input_tokens=1000, cached_input_tokens=200, output_tokens=50)


def receipt(*attempts: Attempt, model: str | None = "MAI-Thinking-1") -> Receipt:
    return Receipt(
        call_id="our-id",
        model=model,
        deployment="prod",
        surface="foundry",
        attempts=attempts,
        usage=Usage.sum(attempt.usage for attempt in attempts),
        cost=Cost.sum(attempt.cost for attempt in attempts),
    )


def test_an_explanation_has_every_attempt_meter_rate_source_and_the_rounding() -> None:
    cost = PriceBook.load().price("MAI-Thinking-1", USAGE, surface="foundry", on=date(2026, 11, 22))
    text = receipt(
        Attempt(
            id="a",
            number=1,
            state="released",
            usage=Usage.zero(),
            cost=Cost.free("Nothing ran."),
            error="ConnectionFailed",
        ),
        Attempt(id="b", number=2, state="settled_exact", usage=USAGE, cost=cost, status=200),
    ).explain()
    assert text.splitlines()[:2] == [
        "Call our-id: MAI-Thinking-1 on foundry, deployment prod",
        "2 attempts, $0.00204",
    ]
    assert "Attempt 1: released, ConnectionFailed, free\n  Nothing ran." in text
    assert "Attempt 2: settled_exact, HTTP 200, $0.00204" in text
    assert "  200 cached_input_tokens at $0.20 per 1M tokens = $0.00004" in text
    assert "  800 input_tokens at $2.00 per 1M tokens = $0.0016" in text
    assert "LiteLLM" in text
    assert "checked 2026-11-22" in text
    assert "half to even" in text


def test_an_explanation_without_prices_says_what_would_make_the_cost_known() -> None:
    cost = PriceBook.load().price(None, USAGE, surface="foundry", on=date(2026, 11, 22))
    attempt = Attempt(id="b", number=1, state="settled_exact", usage=USAGE, cost=cost, status=200)
    text = receipt(attempt, model=None).explain()
    assert "a model the route does not name" in text
    assert "1 attempt, unknown" in text
    assert "set model=" in text
    assert "half to even" not in text


def test_a_meter_without_a_price_is_named() -> None:
    cost = PriceBook.load().price("X", USAGE, surface="foundry", on=date(2026, 11, 22))
    attempt = Attempt(id="b", number=1, state="settled_exact", usage=USAGE, cost=cost)
    text = receipt(attempt, model="X").explain()
    assert "  1,000 input_tokens: no price is known" in text
    assert "settled_exact, no answer, unknown" in text
