"""What a Postgres ledger adds up says what adding up its entries says, whatever is in it."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entries import BOOK, CALLS, DAY, MIDNIGHT, PRICE, Outcome, write
from mai_sdk.metering.cells import fold
from mai_sdk.metering.cost import Cost, CostLine
from mai_sdk.metering.ledger import open_ledger
from mai_sdk.metering.usage import Usage
from mai_sdk.resources.costs import Costs

psycopg = pytest.importorskip("psycopg")

EDGES = st.none() | st.floats(-2 * DAY, 2 * DAY) | st.sampled_from([-DAY, 0, DAY])
ODD = 'a"b\\c\x01\x7f {"meter":"x","quantity":7,"amount":"9","price":null}]} ü\u2028\U0001f600'


@pytest.fixture
def ledger(postgres):
    with closing(open_ledger(postgres.address)) as made:
        yield made


def assert_adds_up(ledger, since=None, until=None):
    found = ledger.sums(since=since, until=until)
    folded = fold(ledger.entries(since=since, until=until))
    assert len({cell.group for cell in found}) == len(found)
    assert {cell.group: cell for cell in found} == {cell.group: cell for cell in folded}


def by_hand(*lines, amount="1", **more):
    return Cost(amount=Decimal(amount), status="estimated", lines=lines, **more)


def line(quantity=3, amount="0.5", row=PRICE, meter="audio_output_tokens"):
    return CostLine(
        meter=meter,
        quantity=quantity,
        amount=None if amount is None else Decimal(amount),
        price=row,
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CALLS, max_size=8), EDGES, EDGES, st.data())
def test_the_server_adds_up_what_fold_does(ledger, calls, since, until, data):
    with ledger.reading() as db:
        db.execute("SET default_transaction_read_only = off")
        db.execute("TRUNCATE attempts")
    write(ledger, calls * 2)  # of one time, so that the server has something to add up
    for entry in list(ledger.entries()):
        if entry.cost is not None and data.draw(st.sampled_from([False, False, True])):
            euros = data.draw(st.booleans())
            model = "Euro" if euros else "MAI-Thinking-1"
            again = BOOK.price(
                model,
                entry.usage or Usage.zero(),
                surface="foundry",
                on=datetime.fromtimestamp(entry.reserved_at, UTC).date(),
            )
            ledger.reprice(entry.attempt_id, data.draw(st.sampled_from([again, entry.cost])))
    assert_adds_up(ledger)
    assert_adds_up(ledger, *(None if edge is None else MIDNIGHT + edge for edge in (since, until)))


@pytest.mark.parametrize(
    "cost",
    [
        by_hand(),
        by_hand(reason=ODD, currency=ODD),
        by_hand(line(meter=ODD), line(row=None), line(amount=None), reason=ODD),
        by_hand(line(row=PRICE.model_copy(update={"source": ODD, "note": "\0"})), reason="\0"),
        by_hand(line(), line(), line(amount="123456789012345678901234567890.000000001")),
        by_hand(line(amount="0.0000000005"), line(amount="1")),
        by_hand(line(amount="3"), line(amount="0.1"), line(amount="1E+3")),
        by_hand(line(Decimal("2.5")), line(10**30)),
        by_hand(*(line(meter=f"m{n}") for n in range(6))),
        by_hand(*(line(meter=f"m{n}") for n in range(7))),
        Cost.sum([by_hand(line()), Cost.unknown(ODD)]),
        Cost.sum([by_hand(amount="2"), Cost.unknown("No.")]),
        Cost(amount=None, known=Decimal("0.25"), status="unknown", lines=(line(row=None),)),
    ],
)
def test_a_cost_made_by_hand_adds_up(ledger, cost):
    spoken = Usage(audio_output_tokens=60, output_tokens=63, spoken_seconds=7, unheard_seconds=3)
    silent = Usage(audio_output_tokens=60, output_tokens=63, spoken_seconds=0, unheard_seconds=3)
    much = Usage(input_tokens=2**62)
    outcomes = [
        Outcome("settled_estimated", used, by_hand=cost)
        for used in (spoken, spoken, silent, much, much)
    ]
    write(ledger, [("MAI-Thinking-1", {"a": ODD, ODD: ""}, 5.0, outcomes)] * 3)
    assert_adds_up(ledger)


def test_the_order_in_which_tags_were_given_tells_cells_apart(ledger):
    for tags in {"a": "1", "b": "2"}, {"b": "2", "a": "1"}:
        write(ledger, [("MAI-Code-1-Flash", tags, 5.0, [Outcome("settled_exact", Usage.zero())])])
    assert len(ledger.sums()) == 2
    assert_adds_up(ledger)


def test_sessions_are_told_apart_by_the_entries_and_added_up_otherwise(ledger):
    usage = Usage(input_tokens=4)
    write(ledger, [(None, {}, 5.0, [Outcome("settled_exact", usage)])] * 3)
    costs = Costs(ledger)
    (row,) = costs.report(by=["session"]).rows
    assert (row.keys, row.calls) == ({"session": "s"}, 3)
    assert costs.report(by=["model"]).rows[0].calls == 3
    assert_adds_up(ledger)


def test_a_report_asks_the_server_to_add_up(ledger, monkeypatch):
    write(ledger, [("MAI-Thinking-1", {}, 5.0, [Outcome("settled_exact", Usage(input_tokens=4))])])
    expected = Costs(ledger).report()
    monkeypatch.setattr(ledger, "entries", None)
    assert Costs(ledger).report().rows == expected.rows
