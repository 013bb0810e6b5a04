"""Budgets through the whole client: nothing is sent that does not fit, and what fits is exact."""

from __future__ import annotations

import asyncio
import threading
from decimal import Decimal

import pytest

from mai_sdk import Budget
from mai_sdk.errors import (
    BudgetExceeded,
    ConfigurationError,
    LedgerError,
    ServiceUnavailable,
)
from mai_sdk.metering.ledger import open_ledger
from mai_sdk.metering.memory import MemoryLedger
from mai_sdk.metering.sqlite import SQLiteLedger
from mai_sdk.resources import transcribe_session

THINKING = "MAI-Thinking-1"


@pytest.fixture(params=["sync", "async"])
def call(request, emulator):
    """`call(resource, verb, *words, client={...}, **arguments)` in both worlds."""

    def run(resource, verb, *words, client, **arguments):
        if request.param == "sync":
            with emulator.client(**client) as sync:
                return getattr(getattr(sync, resource), verb)(*words, **arguments)

        async def main():
            async with emulator.async_client(**client) as client_:
                return await getattr(getattr(client_, resource), verb)(*words, **arguments)

        return asyncio.run(main())

    return run


PAID = [
    ("reasoning", "create", ("Why?",), {"model": THINKING}),
    ("image", "generate", ("a lake",), {"model": "MAI-Image-2.5"}),
    ("voice", "synthesize", ("Hello there.",), {"model": "MAI-Voice-2"}),
]


@pytest.mark.parametrize(("resource", "verb", "words", "arguments"), PAID)
def test_what_does_not_fit_is_never_sent_and_leaves_no_row(
    call, emulator, resource, verb, words, arguments
):
    ledger = MemoryLedger()
    client = {"ledger": ledger, "budget": Budget(limit="0.000000001", per="day")}
    with pytest.raises(BudgetExceeded, match=r"\$0\.000000001 per day.*was not sent"):
        call(resource, verb, *words, client=client, **arguments)
    assert len(emulator.journal) == 0
    assert list(ledger.entries()) == []


@pytest.mark.parametrize(("resource", "verb", "words", "arguments"), PAID)
def test_what_fits_is_sent_and_what_it_cost_is_spent(
    call, emulator, resource, verb, words, arguments
):
    ledger, budget = MemoryLedger(), Budget(limit="5.00", per="total")
    done = call(resource, verb, *words, client={"ledger": ledger, "budget": budget}, **arguments)
    state = ledger.budget_state(budget.key(""), "total")
    assert (state.spent_nanos, state.reserved_nanos) == (done.cost.nanodollars, 0)
    assert done.cost.nanodollars > 0


def test_a_recording_of_known_length_is_bounded_by_its_seconds(call, emulator, tmp_path):
    with emulator.client() as plain:
        plain.voice.synthesize("A short sentence.").save(tmp_path / "a.wav")
    emulator.journal.clear()
    with pytest.raises(BudgetExceeded):
        call(
            "transcribe",
            "create",
            tmp_path / "a.wav",
            client={"budget": Budget(limit="0.000000001")},
        )
    assert len(emulator.journal) == 0
    assert call("transcribe", "create", tmp_path / "a.wav", client={"budget": Budget(limit=1)})


def test_a_stream_is_refused_before_it_opens(emulator):
    budget = Budget(limit="0.000000001")
    with emulator.client(budget=budget) as client:
        with pytest.raises(BudgetExceeded), client.reasoning.stream("Why?", model=THINKING):
            pytest.fail("it was opened")
        with pytest.raises(BudgetExceeded), client.voice.stream("Hello.") as audio:
            list(audio)
    assert len(emulator.journal) == 0


def test_a_model_without_a_price_is_refused_unless_the_budget_allows_it(call, emulator):
    with pytest.raises(BudgetExceeded, match="on_unknown"):
        call("reasoning", "create", "Why?", client={"budget": Budget(limit=5)}, model="MAI-DS-R1")
    assert len(emulator.journal) == 0
    allowed = Budget(limit=5, on_unknown="allow")
    call("reasoning", "create", "Why?", client={"budget": allowed}, model="MAI-DS-R1")


def test_a_second_try_that_does_not_fit_is_not_made_and_the_first_failure_is_told(call, emulator):
    ledger = MemoryLedger()
    emulator.fault("status", code=500, times=None)
    bound = _bound(emulator)
    client = {"ledger": ledger, "budget": Budget(limit=bound * Decimal("1.5"))}
    with pytest.raises(ServiceUnavailable) as caught:
        call("reasoning", "create", "Why?", client=client, model=THINKING, max_output_tokens=100)
    assert "It was not tried again" in caught.value.__notes__[0]
    assert len(emulator.journal) == 1
    assert [entry.state for entry in ledger.entries()] == ["unknown"]


def _bound(emulator):
    """Return what the call of these tests may cost at most."""
    ledger = MemoryLedger()
    budget = Budget(limit="0.000000001")
    with (
        emulator.client(ledger=ledger, budget=budget) as client,
        pytest.raises(BudgetExceeded) as caught,
    ):
        client.reasoning.create("Why?", model=THINKING, max_output_tokens=100)
    return Decimal(caught.value.claim.nanos).scaleb(-9)


def test_threads_side_by_side_never_pass_the_limit(emulator):
    bound = _bound(emulator)
    budget = Budget(limit=bound * 3)
    outcomes = []

    def work(client):
        for _ in range(5):
            try:
                reply = client.reasoning.create("Why?", model=THINKING, max_output_tokens=100)
                outcomes.append(reply.cost.amount)
            except BudgetExceeded:
                outcomes.append(Decimal(0))

    with emulator.client(budget=budget) as client:
        threads = [threading.Thread(target=work, args=(client,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (status,) = client.costs.budgets()
    assert status.spent == sum(outcomes) <= budget.limit
    assert status.held == 0
    assert len(outcomes) == 40


def test_each_model_and_each_tag_can_have_a_limit_for_itself(emulator):
    budgets = [Budget(limit=5, scope="model"), Budget(limit=5, scope={"team": "search"})]
    with emulator.client(budget=budgets) as client:
        client.reasoning.create("Why?", model=THINKING, tags={"team": "search"})
        client.code.create("Why?", model="MAI-Code-1-Flash")
        rows = client.costs.budgets()
        spent = {row.whose: row.spent for row in rows}
        assert set(spent) == {THINKING, "MAI-Code-1-Flash", ""}
        assert spent[""] == spent[THINKING] > 0


def test_a_limit_that_only_warns_does_so_once_and_sends(emulator, caplog):
    budget = Budget(limit="0.000000001", on_limit="warn")
    with emulator.client(budget=budget) as client:
        client.reasoning.create("Why?", model=THINKING)
        client.reasoning.create("Why?", model=THINKING)
    passed = [record for record in caplog.records if "is passed" in record.message]
    assert len(passed) == 1
    assert len(emulator.journal) == 2


@pytest.mark.parametrize("world", ["sync", "async"])
def test_a_ledger_that_cannot_say_whether_a_limit_is_passed_takes_no_granted_call_with_it(
    emulator, tmp_path, monkeypatch, caplog, world
):
    asked_by = []

    def unreadable(*_):
        asked_by.append(threading.current_thread())
        raise LedgerError("It cannot be read.")

    monkeypatch.setattr(SQLiteLedger, "budget_state", unreadable)
    client = {"ledger": tmp_path / "mai.db", "budget": Budget(limit="0.01", on_limit="warn")}

    async def main():
        async with emulator.async_client(**client) as used:
            return await used.reasoning.create("Why?", model=THINKING)

    if world == "sync":
        with emulator.client(**client) as used:
            assert used.reasoning.create("Why?", model=THINKING).receipt.unrecorded is None
    else:
        assert asyncio.run(main()).receipt.unrecorded is None
        assert threading.main_thread() not in asked_by, "the event loop waits for no ledger"
    assert len(asked_by) == 1
    assert "could not be read" in caplog.text
    ledger = open_ledger(tmp_path / "mai.db")
    assert [entry.state for entry in ledger.entries()] == ["settled_exact"]
    ledger.close()


def test_an_official_client_is_refused_before_anything_is_sent_and_does_not_try_again(
    emulator, tmp_path
):
    asked = {"model": THINKING, "messages": [{"role": "user", "content": "Why?"}]}
    client = {"budget": Budget(limit="0.000000001"), "ledger": tmp_path / "mai.db"}
    with emulator.client(**client) as ours, ours.openai(THINKING) as official:
        for streams in False, True:
            with pytest.raises(BudgetExceeded, match="was not sent"):
                official.chat.completions.create(**asked, stream=streams)
        with pytest.raises(BudgetExceeded, match="was not sent"):
            official.chat.completions.with_raw_response.create(**asked)
        with pytest.raises(BudgetExceeded, match="Nobody can say"):
            official.embeddings.create(model=THINKING, input="Why?")
        assert list(ours.costs.entries()) == []

    async def main():
        async with (
            emulator.async_client(**client) as ours,
            ours.openai_async(THINKING) as official,
        ):
            with pytest.raises(BudgetExceeded, match="was not sent"):
                await official.chat.completions.create(**asked)

    asyncio.run(main())
    assert len(emulator.journal) == 0


def test_what_an_official_client_spends_is_spent_of_the_budget(emulator):
    ask = [{"role": "user", "content": "Why?"}]
    with emulator.client(budget=Budget(limit=5)) as ours, ours.openai(THINKING) as official:
        official.chat.completions.create(model=THINKING, messages=ask)
        list(official.chat.completions.create(model=THINKING, messages=ask, stream=True))
        (status,) = ours.costs.budgets()
        spent = sum(entry.cost.amount for entry in ours.costs.entries())
    assert (status.spent, status.held) == (spent, 0)
    assert spent > 0


def test_a_budget_can_stand_in_mai_toml(emulator, tmp_path):
    file = tmp_path / "mai.toml"
    file.write_text('budget = { limit = "0.000000001", per = "day" }\n')
    with emulator.client(config_file=file) as client, pytest.raises(BudgetExceeded):
        client.reasoning.create("Why?", model=THINKING)
    file.write_text("budget = { limit = 5.0 }\n")
    with pytest.raises(ConfigurationError, match="as text"):
        emulator.client(config_file=file)


def test_a_transcription_session_claims_the_longest_turn_and_spends_what_was_said(emulator):
    budget = Budget(limit="5.00", scope="session")
    spoken = emulator.spoken("Good morning.", sample_rate=16_000) + bytes(48_000)

    async def main():
        async with emulator.async_client(budget=budget) as client:
            async with client.transcribe.session() as live:
                await live.send(spoken)
            (row,) = client.costs.budgets()
            return live.total.cost, row

    cost, row = asyncio.run(main())
    assert row.spent == cost.amount > 0
    assert row.held == 0


def test_a_session_that_does_not_fit_sends_no_audio(emulator):
    async def main():
        async with (
            emulator.async_client(budget=Budget(limit="0.000000001")) as client,
            client.transcribe.session() as live,
        ):
            with pytest.raises(BudgetExceeded):
                await live.send(bytes(3_200))
            return live.total

    total = asyncio.run(main())
    assert total.attempts == ()


def test_text_that_is_still_being_written_has_no_worst_case(emulator):
    pieces = ["Hello there. ", "And then " * 500]
    with emulator.client(budget=Budget(limit=5)) as client:
        with (
            pytest.raises(BudgetExceeded, match="Nobody can say"),
            client.voice.stream(iter(pieces), text_streaming=True) as audio,
        ):
            list(audio)
        with client.voice.stream(iter(pieces)) as audio:
            list(audio)
        entries = list(client.costs.entries())
        assert all(entry.upper_bound.amount >= entry.cost.amount > 0 for entry in entries)


@pytest.mark.parametrize("push_to_talk", [True, False])
def test_silence_and_a_turn_without_an_end_cost_no_more_than_was_claimed(
    emulator, monkeypatch, push_to_talk
):
    monkeypatch.setattr(transcribe_session, "_LONGEST_TURN", 4)

    async def fill(live):
        for second in range(100):
            await live.send(bytes(32_000))
            while live._streamed() <= second:  # noqa: ASYNC110 - the line sends on its own
                await asyncio.sleep(0)

    budget = Budget(limit="0.001")

    async def main():
        async with emulator.async_client(budget=budget) as client:
            live = client.transcribe.session(push_to_talk=push_to_talk)
            async with live:
                with pytest.raises(BudgetExceeded):
                    await fill(live)
            (row,) = client.costs.budgets()
            return list(client.costs.entries()), live.total, row

    entries, total, row = asyncio.run(main())
    assert len(entries) > 1
    assert all(entry.usage.audio_seconds <= 4 for entry in entries)
    assert total.usage.audio_seconds == sum(entry.usage.audio_seconds for entry in entries)
    assert 0 < row.spent == total.cost.amount <= budget.limit
    assert row.held == 0
