"""Reports with plans: covered calls are free and say why, the plan stands beside the totals."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from entries import DAY, MIDNIGHT, Outcome, write
from mai_sdk.metering.memory import MemoryLedger
from mai_sdk.metering.prices import PriceBook
from mai_sdk.metering.report import Report, build_report
from mai_sdk.metering.sqlite import SQLiteLedger
from mai_sdk.metering.usage import Usage
from mai_sdk.resources.costs import Costs

USED = Usage(input_tokens=1000, cached_input_tokens=0, output_tokens=100)  # $0.0028 by the list
PTU = {
    "name": "PTU",
    "hourly": "1.50",
    "valid_from": "2026-11-22",  # MIDNIGHT's day
    "models": ["MAI-Thinking-1"],
}
PLANS = PriceBook.load(overlay={"plans": [PTU]}).plans
NOW = MIDNIGHT + 1.5 * DAY


@pytest.fixture(params=["memory", "sqlite"])
def ledger(request, tmp_path):
    made = MemoryLedger() if request.param == "memory" else SQLiteLedger(tmp_path / "mai.db")
    write(
        made,
        [
            ("MAI-Thinking-1", {"team": "a"}, 5.0, [Outcome("settled_exact", USED)] * 2),
            ("MAI-Thinking-1", {}, -5.0, [Outcome("settled_exact", USED)]),  # the day before
            ("Euro", {}, 5.0, [Outcome("settled_exact", USED)]),
        ],
    )
    yield made
    made.close()


def report(ledger, **asked):
    return build_report(ledger.entries(), plans=PLANS, now=NOW, **asked)


def test_covered_calls_are_free_and_the_plan_stands_beside(ledger):
    made = report(ledger, by=["model", "day"])
    (plan,) = made.plans
    assert (plan.days, plan.cost.amount) == (2, Decimal(72))  # 1.50 x 24 x 2, today counts whole
    assert (plan.calls, plan.attempts) == (1, 2)
    assert plan.at_list == (("USD", Decimal("0.0056")),)
    (covered,) = (row for row in made.rows if row.cost.status == "free")
    assert covered.keys == {"model": "MAI-Thinking-1", "day": "2026-11-22"}
    assert covered.cost.reason == "Paid by the plan PTU."
    assert covered.usage.input_tokens == 2000
    dollars = next(total for total in made.totals if total.cost.currency == "USD")
    assert dollars.cost.amount == Decimal("0.0028")
    words = "eside this, plan PTU: $72.00 for 2 days; it paid for 2 attempts, $0.0056 without it"
    assert words in " ".join(made.to_table().split())
    assert words in made.to_html()
    assert Report.model_validate_json(made.to_json()) == made


@pytest.mark.parametrize(
    ("since", "until", "days"),
    [
        (MIDNIGHT + DAY, None, 1),
        (None, MIDNIGHT + DAY, 1),
        (None, MIDNIGHT + 1, 1),
        (None, MIDNIGHT + 9 * DAY, 2),  # not paid ahead
        (MIDNIGHT + 9 * DAY, None, 0),
    ],
)
def test_the_plan_costs_what_falls_into_the_time_of_the_report(ledger, since, until, days):
    plans = report(ledger, since=since, until=until).plans
    assert sum(plan.days for plan in plans) == days


def test_tags_choose_what_it_paid_for_but_not_what_it_costs(ledger):
    (plan,) = report(ledger, tags={"team": "none"}).plans
    assert (plan.attempts, plan.at_list, plan.cost.amount) == (0, (), Decimal(72))


def test_sums_and_entries_say_the_same(tmp_path, ledger):
    if not isinstance(ledger, SQLiteLedger):
        return
    for by in ["model"], ["meter"], []:
        kept = Report.of_cells(ledger.sums(), by=by, plans=PLANS, now=NOW)
        assert kept.to_json() == report(ledger, by=by).to_json()


def test_a_client_with_plans_reports_them(ledger):
    prices = PriceBook.load(overlay={"plans": [PTU]})
    made = Costs(ledger, prices=prices).report(since=datetime(2026, 11, 22, tzinfo=UTC))
    assert [plan.name for plan in made.plans] == ["PTU"]
    assert Costs(ledger).report().plans == ()
