"""The receipt hook and the log: told of every operation once, however it ends."""

import asyncio
import gc
import logging

import openai
import pytest

from acts import ASYNC, CANARY, SYNC, run, talk
from mai_sdk.emulator import EMULATOR_KEY
from mai_sdk.errors import ConfigurationError, LedgerError, MAIError, RateLimited
from mai_sdk.metering.memory import MemoryLedger

LONG = "This is a sentence of some words. " * 40


def calls_in(client):
    return {row.operation.call_id for row in client.costs.entries()}


def check(receipts, client):
    """Every operation in the ledger has one receipt, with all its attempts."""
    rows = list(client.costs.entries())
    assert sorted(receipt.call_id for receipt in receipts) == sorted(calls_in(client))
    given = [attempt.id for receipt in receipts for attempt in receipt.attempts]
    assert sorted(given) == sorted(row.attempt_id for row in rows)
    assert all(row.state not in ("reserved", "sent") for row in rows)


@pytest.mark.parametrize("act", SYNC)
def test_every_kind_of_call_gives_its_receipt_once(emulator, act):
    receipts = []
    with emulator.client(on_receipt=receipts.append, tags={"team": "search"}) as client:
        SYNC[act](client)
        check(receipts, client)
    (receipt,) = receipts
    assert receipt.tags == {"team": "search"}
    assert receipt.modality in ("reasoning", "code", "image", "transcribe", "voice")


@pytest.mark.parametrize("act", ASYNC)
def test_every_kind_of_awaited_call_gives_its_receipt_once(emulator, act):
    receipts = []

    async def go():
        async with emulator.async_client(on_receipt=receipts.append) as client:
            await ASYNC[act](client)
            return client

    check(receipts, run(go()))
    assert len(receipts) == 1


def test_every_turn_of_a_session_gives_its_receipt_once(emulator):
    receipts = []

    async def go():
        async with emulator.async_client(on_receipt=receipts.append) as client:
            await talk(client)
            return client

    check(receipts, run(go()))
    assert receipts[0].verb == "session"


@pytest.mark.parametrize("act", sorted(set(SYNC) - {"reasoning.count_tokens", "voice.voices"}))
def test_a_call_that_fails_gives_its_receipt_once(emulator, act):
    emulator.fault("status", code=400, times=None)
    receipts = []
    with emulator.client(on_receipt=receipts.append) as client:
        with pytest.raises((MAIError, openai.OpenAIError)):
            SYNC[act](client)
        check(receipts, client)
    assert receipts[0].attempts[-1].error is not None


def test_tries_of_one_call_are_one_receipt(emulator):
    emulator.fault("rate_limit", times=2, retry_after=None, retry_after_ms=1)
    receipts = []
    with emulator.client(on_receipt=receipts.append) as client:
        client.reasoning.create("Why?")
    assert [len(receipt.attempts) for receipt in receipts] == [3]


def test_tries_of_an_official_client_are_one_receipt_also_if_all_fail(emulator):
    emulator.fault("rate_limit", times=None, retry_after=None, retry_after_ms=1)
    receipts = []
    with emulator.client(on_receipt=receipts.append, max_retries=1) as client:
        with pytest.raises(Exception, match="429"):
            SYNC["openai"](client)
        check(receipts, client)
    assert [len(receipt.attempts) for receipt in receipts] == [2]


def leave(stream):
    with stream as opened:
        for _ in opened:
            break


def forget(stream):
    next(iter(stream.__enter__()))
    del stream
    gc.collect()


def stop_at_the_end(stream):
    with stream as opened:
        for event in opened:
            if type(event).__name__ == "Finished":
                break


@pytest.mark.parametrize("how", [leave, forget, stop_at_the_end])
def test_a_stream_that_is_left_gives_its_receipt_once(emulator, how):
    emulator.reply(LONG)
    receipts = []
    with emulator.client(on_receipt=receipts.append) as client:
        how(client.reasoning.stream("Why?"))
        check(receipts, client)
    assert len(receipts) == 1


def test_a_stream_that_is_cut_gives_its_receipt_once(emulator):
    emulator.fault("truncate", after=3)
    receipts = []
    with emulator.client(on_receipt=receipts.append) as client:
        with pytest.raises(MAIError):
            SYNC["reasoning.stream"](client)
        check(receipts, client)
    assert receipts[0].cost.status == "lower_bound"


def test_a_cancelled_call_gives_its_receipt_once(emulator):
    emulator.fault("stall")
    receipts = []

    async def go():
        async with emulator.async_client(on_receipt=receipts.append) as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await client.reasoning.create("Why?")
            return client

    check(receipts, run(go()))
    assert receipts[0].cost.status == "unknown"


def test_a_stream_that_is_never_opened_gives_none(emulator):
    receipts = []
    with emulator.client(on_receipt=receipts.append) as client:
        client.reasoning.stream("Why?")
        gc.collect()
    assert receipts == []


def test_a_call_that_could_not_be_reserved_gives_an_empty_receipt(emulator):
    class Full(MemoryLedger):
        def reserve(self, entry, **more):
            raise LedgerError("The disk is full.")

    receipts = []
    full = emulator.client(on_receipt=receipts.append, ledger=Full())
    with full as client, pytest.raises(LedgerError):
        client.reasoning.create("Why?")
    assert [receipt.attempts for receipt in receipts] == [()]


def test_a_hook_that_fails_harms_no_call_and_is_logged(emulator, caplog):
    def hook(receipt):
        raise ZeroDivisionError

    with emulator.client(on_receipt=hook) as client:
        assert client.reasoning.create("Why?").text
        emulator.fault("status", code=400)
        with pytest.raises(MAIError):
            client.reasoning.create("Why?")
    assert caplog.text.count("ZeroDivisionError") >= 2


def test_a_hook_that_would_have_to_be_awaited_is_refused(emulator):
    async def hook(receipt):
        pass

    with pytest.raises(ConfigurationError, match="plain function"):
        emulator.async_client(on_receipt=hook)


def test_at_info_each_call_is_one_line(emulator, caplog):
    caplog.set_level(logging.INFO, logger="mai_sdk")
    with emulator.client() as client:
        reply = client.reasoning.create("Why?")
        emulator.fault("rate_limit", times=None)
        with pytest.raises(RateLimited):
            client.reasoning.create("Why?", timeout=0.5)
    first, second = (record.getMessage() for record in caplog.records)
    assert first.startswith(f"MAI-Thinking-1 create: done, 1 attempt, {reply.cost}, ")
    assert first.endswith(f" ms (call {reply.call_id})")
    assert "RateLimited" in second
    assert caplog.records[0].receipt == reply.receipt


def test_at_debug_each_attempt_is_a_line_too(emulator, caplog):
    caplog.set_level(logging.DEBUG, logger="mai_sdk")
    emulator.fault("rate_limit", retry_after=None, retry_after_ms=1)
    with emulator.client() as client:
        client.reasoning.create("Why?")
    said = [record.getMessage() for record in caplog.records if record.name == "mai_sdk"]
    assert "attempt 1: 429, RateLimited" in said[0]
    assert "attempt 2: 200, settled_exact" in said[1]
    assert "done, 2 attempts" in said[2]


def test_nothing_is_said_unless_it_is_asked_for(emulator, caplog):
    caplog.set_level(logging.WARNING, logger="mai_sdk")
    with emulator.client() as client:
        client.reasoning.create("Why?")
    assert caplog.records == []


def everything(record):
    """A record's message, and whatever hangs on it."""
    return f"{record.getMessage()} {record.__dict__!r} {record.exc_text}"


@pytest.mark.parametrize("fault", [None, "key_echo", "status"])
def test_no_prompt_answer_or_key_is_ever_logged(emulator, caplog, fault):
    caplog.set_level(logging.DEBUG, logger="mai_sdk")
    with emulator.client() as client:
        for act in SYNC.values():
            if fault is not None:
                emulator.reset()
                emulator.fault(fault, times=None, **({"code": 400} if fault == "status" else {}))
            try:
                act(client)
            except Exception:
                assert fault is not None
    if fault is None:
        run_all(emulator)
    ours = [record for record in caplog.records if record.name.startswith("mai_sdk")]
    assert len(ours) > len(SYNC)
    for record in ours:
        said = everything(record)
        assert CANARY not in said
        assert EMULATOR_KEY not in said
        assert "midnight" not in said


def run_all(emulator):
    async def go():
        async with emulator.async_client() as client:
            for act in ASYNC.values():
                await act(client)
            await talk(client)

    run(go())


def test_requests_below_an_official_client_are_a_call_each(emulator):
    """Its HTTP client, taken out and used by itself, says nowhere where a call ends."""
    emulator.fault("status", code=503, model="MAI-Thinking-1")
    receipts = []
    with emulator.client(on_receipt=receipts.append) as client:
        official = client.openai("MAI-Thinking-1")
        for _ in range(2):
            official._client.post(
                f"{official.base_url}chat/completions",
                json={"model": "x", "messages": [{"role": "user", "content": "Why?"}]},
            )
        check(receipts, client)
    assert [receipt.attempts[0].status for receipt in receipts] == [503, 200]


@pytest.mark.parametrize("act", ["reasoning.create", "reasoning.stream", "openai"])
def test_a_ledger_in_a_file_changes_nothing(emulator, tmp_path, act):
    receipts = []
    ledger = str(tmp_path / "costs.db")
    with emulator.client(on_receipt=receipts.append, ledger=ledger) as client:
        SYNC[act](client)
        check(receipts, client)
    assert receipts[0].unrecorded is None
