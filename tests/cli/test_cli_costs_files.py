"""The files of `mai costs`: a page, Parquet, and FOCUS that adds up to the ledger."""

import asyncio
import csv
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from mai_sdk.live import TurnDone
from mai_sdk.metering.focus_rules import problems
from mai_sdk.metering.ledger import open_ledger

PRICES = {
    "prices": [
        {"model": "gpt-realtime", "meter": meter, "price": "0.0000031", "unit": "1 token"}
        for meter in ("input_tokens", "output_tokens")
    ]
}


async def talk(emulator, ledger):
    async with (
        emulator.async_client(ledger=ledger, prices=PRICES) as client,
        client.voice.session(instructions="Be brief.") as call,
    ):
        await call.send_text("Hello")
        async for event in call:
            if isinstance(event, TurnDone):
                break


@pytest.fixture
def mixed(emulator):
    """A ledger with every kind of work, one of it without a price."""
    with emulator.client(ledger="mai.db", tags={"team": "search"}) as client:
        client.reasoning.create("Why?", model="MAI-Thinking-1")
        client.code.create("Sum a list", model="MAI-Code-1-Flash")
        client.image.generate("a lake", model="MAI-Image-2.5")
        client.transcribe.create(wav(), model="MAI-Transcribe-1.5")
        client.voice.synthesize("Hello", voice="en-US-Harper", model="MAI-Voice-2")
        client.reasoning.create("Why?", model="MAI-DS-R1")
    asyncio.run(talk(emulator, "mai.db"))
    return "mai.db"


def wav():
    import io
    import wave

    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(32_000))
    return made.getvalue()


def read(name):
    with Path(name).open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        return reader.fieldnames, list(reader)


def test_focus_of_a_mixed_run_adds_up_to_the_ledger_and_lists_the_unknown_apart(mai, mixed):
    code, out, err = mai("costs", "--ledger", mixed, "--focus", "bill.csv", "--account", "sub-7")
    assert (code, err) == (0, "")
    header, rows = read("bill.csv")
    assert list(problems(header, rows)) == []
    ledger = open_ledger(mixed)
    entries = list(ledger.entries())
    ledger.close()
    modalities = {entry.operation.modality for entry in entries}
    assert {"reasoning", "code", "image", "transcribe", "voice"} <= modalities
    assert any(entry.operation.verb == "session" and entry.cost.at_least for entry in entries)
    billed = Counter()
    for row in rows:
        billed[row["x_CallId"], int(row["x_Attempt"])] += Decimal(row["BilledCost"])
    known = {(e.operation.call_id, e.number): e.cost.at_least for e in entries}
    assert billed == {key: amount for key, amount in known.items() if amount}
    assert sum(billed.values()) == sum(known.values())
    assert f"${sum(known.values()):f}".rstrip("0") in out
    assert {row["BillingAccountId"] for row in rows} == {"sub-7"}
    assert {"Input Tokens", "Output Tokens", "Audio Input", "Characters"} <= {
        row["SkuMeter"] for row in rows
    }
    by_session = {e.operation.session or "" for e in entries if e.cost.at_least}
    assert {row["x_SessionId"] for row in rows} == by_session
    _, apart = read("bill.unpriced.csv")
    assert {row["model"] for row in apart} == {"MAI-DS-R1"}
    assert {row["meter"] for row in apart} == {"input_tokens", "output_tokens"}
    assert not {row["x_CallId"] for row in rows} & {row["call_id"] for row in apart}


def test_a_page_and_parquet_are_written_whole(mai, mixed):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    code, out, err = mai(
        "costs",
        "--ledger",
        mixed,
        "--html",
        "a.html",
        "--parquet",
        "a.parquet",
        "--by",
        "day,model",
    )
    assert (code, err) == (0, "")
    assert "a.html" in out
    page = Path("a.html").read_text(encoding="utf-8")
    assert "MAI-Image-2.5" in page
    assert "<script" not in page
    table = parquet.read_table("a.parquet")
    assert table.schema.field("cost").type == pyarrow.decimal128(38, 9)
    by_model = dict(zip(table["model"].to_pylist(), table["cost"].to_pylist(), strict=True))
    assert by_model["MAI-DS-R1"] is None
    ledger = open_ledger(mixed)
    cost = next(e.cost.amount for e in ledger.entries() if e.operation.model == "MAI-Thinking-1")
    ledger.close()
    assert by_model["MAI-Thinking-1"] == cost
    assert set(Path().glob(".*.part")) == set()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--html", "none/a.html"], "no folder"),
        (["--parquet", "."], "is a folder"),
        (["--focus", "a.csv", "--html", "a.csv"], "same name"),
        (["--account", "me"], "goes with --focus"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is(mai, mixed, options, words):
    before = set(Path().iterdir())
    code, out, err = mai("costs", "--ledger", mixed, "--html", "ok.html", *options)
    assert (code, out) == (2, "")
    assert words in err
    assert set(Path().iterdir()) == before


def test_parquet_without_pyarrow_says_what_to_install(mai, mixed, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    code, _, err = mai("costs", "--ledger", mixed, "--parquet", "a.parquet")
    assert code == 3
    assert "mai-sdk[parquet]" in err
    assert not Path("a.parquet").exists()
