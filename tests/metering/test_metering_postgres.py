"""What only a server can do to a ledger: be away, say no, come back; and who writes from where.

What it keeps as every ledger does is tested in test_metering_ledger.py, against the same server.
"""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from contextlib import closing
from decimal import Decimal

import pytest
from test_metering_sqlite_faults import OUTCOME, entry

from mai_sdk.errors import ConfigurationError, LedgerError
from mai_sdk.metering import postgres_session
from mai_sdk.metering.cost import Cost
from mai_sdk.metering.ledger import Claim, open_ledger
from mai_sdk.metering.postgres_schema import SCHEMA_VERSION
from mai_sdk.metering.process import Writer
from mai_sdk.metering.usage import Usage

psycopg = pytest.importorskip("psycopg")

SECRET = "hunter2-of-the-ledger"
EXACT = {
    **OUTCOME,
    "state": "settled_exact",
    "cost": Cost(amount=Decimal("0.000000003"), status="exact"),
}


@pytest.fixture
def ledger(postgres):
    made = open_ledger(postgres.address)
    yield made
    made.close()


@pytest.fixture
def admin(postgres):
    """Another session, of somebody who may do anything."""
    with psycopg.connect(postgres.address, autocommit=True) as db:
        db.execute("SET search_path = mai_sdk")
        yield db


@pytest.fixture
def impatient(monkeypatch):
    """Ten seconds are over at once."""
    monkeypatch.setattr(postgres_session, "_PATIENCE_SECONDS", 0.05)


def backend(ledger):
    """The server's process for the ledger's session."""
    return ledger._session.db("look into").info.backend_pid


def end_session(ledger, admin):
    admin.execute("SELECT pg_terminate_backend(%s, 5000)", (backend(ledger),))


def states(ledger):
    return [each.state for each in ledger.entries()]


def claim(nanos, budget="b", limit=100):
    return Claim(budget_id=budget, period="total", limit_nanos=limit, nanos=nanos)


# --- opening --------------------------------------------------------------------------------------


def with_role(admin, name, *more):
    admin.execute(f"DROP ROLE IF EXISTS {name}")
    admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{SECRET}'")
    for each in more:
        admin.execute(each)


def nobody_there(postgres, admin):
    return f"postgresql://u:{SECRET}@/db?host=/nowhere"


def wrong_password(postgres, admin):
    with_role(admin, "locked_out", "ALTER ROLE locked_out PASSWORD 'another'")
    return postgres.address_of("locked_out", password=SECRET)


def wrong_database(postgres, admin):
    return postgres.address_of("postgres", password=SECRET, database="none")


def no_connection_left(postgres, admin):
    with_role(admin, "crowded", "ALTER ROLE crowded CONNECTION LIMIT 0")
    return postgres.address_of("crowded", password=SECRET)


def only_reads(postgres, admin):
    with_role(admin, "reader", "ALTER ROLE reader SET default_transaction_read_only = on")
    return postgres.address_of("reader", password=SECRET)


def may_make_nothing(postgres, admin):
    with_role(admin, "guest")
    return postgres.address_of("guest", password=SECRET)


@pytest.mark.parametrize(
    ("fault", "reason", "says"),
    [
        (nobody_there, "unreachable", "the server runs"),
        (wrong_password, "unreachable", "password authentication failed"),
        (wrong_database, "unreachable", 'database "none" does not exist'),
        (no_connection_left, "unreachable", "too many connections"),
        (only_reads, "read_only", "the primary server"),
        (may_make_nothing, "read_only", "the schema mai_sdk"),
    ],
)
def test_what_cannot_be_opened_says_why_at_once_and_without_the_password(
    postgres, admin, caplog, fault, reason, says
):
    address = fault(postgres, admin)
    began = time.monotonic()
    with caplog.at_level(logging.DEBUG), pytest.raises(LedgerError, match=says) as caught:
        open_ledger(address)
    assert time.monotonic() - began < 5
    assert caught.value.reason == reason
    said = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert SECRET not in said


@pytest.mark.parametrize("password", ["a@hunter2", "1/hunter2@x", "1/hunter2", "hunter2%zz"])
def test_a_password_that_is_not_encoded_is_refused_and_not_repeated(password):
    with pytest.raises(ConfigurationError, match="percent-encoded") as caught:
        open_ledger(f"postgresql://user:{password}@host/db")
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_a_ledger_tells_its_place_without_user_and_password(postgres, admin):
    with_role(admin, "owner", "ALTER ROLE owner SUPERUSER")
    address = postgres.address_of("owner", password=SECRET)
    with closing(open_ledger(address)) as ledger:
        assert ledger.place == f"postgresql://{postgres.folder}/postgres"
        assert SECRET not in repr(ledger) + repr(ledger._session) + ledger.place


def test_without_the_extra_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "mai_sdk.metering.postgres", None)
    with pytest.raises(ConfigurationError, match=r"mai-sdk\[postgres\]"):
        open_ledger("postgresql://host/db")


def test_processes_that_open_it_at_once_make_its_tables_once(postgres):
    code = "import sys; from mai_sdk.metering.ledger import open_ledger; open_ledger(sys.argv[1])"
    children = [subprocess.Popen([sys.executable, "-c", code, postgres.address]) for _ in range(3)]
    assert [child.wait(60) for child in children] == [0, 0, 0]


def test_a_newer_schema_is_refused_and_left_alone(postgres, admin):
    open_ledger(postgres.address).close()
    admin.execute("UPDATE schema_version SET version = %s", (SCHEMA_VERSION + 1,))
    with pytest.raises(LedgerError, match="newer mai_sdk"):
        open_ledger(postgres.address)
    assert admin.execute("SELECT version FROM schema_version").fetchone() == (SCHEMA_VERSION + 1,)


def test_a_schema_of_that_name_that_is_something_else_is_left_alone(postgres, admin):
    admin.execute("CREATE SCHEMA mai_sdk")
    admin.execute("CREATE TABLE theirs (x integer)")
    with pytest.raises(LedgerError, match="not a ledger"):
        open_ledger(postgres.address)


def test_a_user_who_was_given_the_schema_needs_no_other_right(postgres, admin):
    with_role(admin, "tenant", "CREATE SCHEMA mai_sdk AUTHORIZATION tenant")
    with closing(open_ledger(postgres.address_of("tenant", password=SECRET))) as ledger:
        ledger.reserve(entry())
        assert states(ledger) == ["reserved"]


def test_the_columns_are_those_of_the_meters(ledger, admin):
    columns = {
        name
        for (name,) in admin.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'attempts'::regclass"
        )
    }
    assert set(Usage.model_fields) <= columns


# --- while it is used -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason", "says"),
    [
        ("53100", "full", "Make room"),
        ("XX001", "damaged", "server's log"),
        ("57014", "locked", "another program"),
        ("40P01", "locked", "another program"),
        ("23514", "refused", "does not fit"),
        ("42501", "read_only", "the right to write"),
        ("P0001", "other", "server's log"),
    ],
)
def test_each_fault_says_which_it_is_and_shows_no_row(ledger, admin, code, reason, says):
    admin.execute(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
        f"'it fails' USING ERRCODE = '{code}', DETAIL = 'row (hunter2)'; END $$"
    )
    admin.execute("CREATE TRIGGER t BEFORE INSERT ON attempts EXECUTE FUNCTION fail()")
    with pytest.raises(LedgerError, match=says) as caught:
        ledger.reserve(entry(), claims=[claim(5)])
    assert caught.value.reason == reason
    assert "it fails" in caught.value.message
    assert "hunter2" not in caught.value.message
    assert ledger.budget_state("b", "total") == (0, 0)
    admin.execute("DROP TRIGGER t ON attempts")
    ledger.reserve(entry())
    assert states(ledger) == ["reserved"]


def test_a_text_that_no_database_takes_is_refused(ledger):
    for name in ("nul \0", "half a \ud800 letter"):
        one = entry()
        one.operation.verb = name
        with pytest.raises(LedgerError, match="does not fit") as caught:
            ledger.reserve(one)
        assert caught.value.reason == "refused"
    assert states(ledger) == []


def test_a_locked_table_is_waited_for_and_then_said_to_be_locked(ledger, admin):
    ledger._session.db("look into").execute("SET lock_timeout = '50ms'")
    with admin.transaction():
        admin.execute("LOCK TABLE attempts")
        with pytest.raises(LedgerError, match="held it locked for 10 seconds") as caught:
            ledger.reserve(entry())
    assert caught.value.reason == "locked"
    ledger.reserve(entry())
    assert states(ledger) == ["reserved"]


def test_a_server_that_became_read_only_is_said_to_be(ledger):
    ledger._session.db("look into").execute("SET default_transaction_read_only = on")
    with pytest.raises(LedgerError) as caught:
        ledger.reserve(entry())
    assert caught.value.reason == "read_only"


def test_a_session_that_was_ended_is_replaced_and_nothing_is_noticed(ledger, admin):
    one = entry()
    ledger.reserve(one, claims=[claim(5)])
    end_session(ledger, admin)
    two = entry()
    ledger.reserve(two, claims=[claim(5)])
    end_session(ledger, admin)
    assert ledger.settle(one.attempt_id, **EXACT)
    end_session(ledger, admin)
    ledger.sent(two.attempt_id)
    assert sorted(states(ledger)) == ["sent", "settled_exact"]
    assert ledger.budget_state("b", "total") == (3, 5)
    assert ledger.recover() == (0, 0)


class EndsTheSessionOnce(str):
    """A flush in which the session ends, after the commit and before its word arrives."""

    __slots__ = ()
    ended = False

    def format(self, **more):
        if EndsTheSessionOnce.ended:
            return super().format(**more)
        EndsTheSessionOnce.ended = True
        return "SELECT pg_terminate_backend(pg_backend_pid())"


def test_what_was_committed_without_word_of_it_is_not_written_twice(ledger, monkeypatch):
    EndsTheSessionOnce.ended = False
    monkeypatch.setattr(postgres_session, "_FLUSH", EndsTheSessionOnce(postgres_session._FLUSH))
    one = entry()
    ledger.reserve(one, claims=[claim(5)])
    assert EndsTheSessionOnce.ended
    assert states(ledger) == ["reserved"]
    assert ledger.budget_state("b", "total") == (0, 5)
    with pytest.raises(LedgerError, match="does not fit"):
        ledger.reserve(one)


@pytest.mark.usefixtures("impatient")
def test_a_server_that_is_down_fails_calls_and_is_found_again_when_it_is_back(postgres, ledger):
    one = entry()
    ledger.reserve(one)
    postgres.stop()
    try:
        for _ in range(3):
            with pytest.raises(LedgerError) as caught:
                ledger.reserve(entry())
            assert caught.value.reason == "unreachable"
        tickets = [ledger.reserve_soon(entry()) for _ in range(50)]
        for ticket in tickets:
            ticket.block()
        assert {ticket.failed.reason for ticket in tickets} == {"unreachable"}
        with pytest.raises(LedgerError):
            ledger.settle(one.attempt_id, **OUTCOME)
    finally:
        postgres.start()
    ledger.reserve(entry())
    assert states(ledger) == ["reserved", "reserved"]
    assert ledger.settle(one.attempt_id, **OUTCOME)


def test_a_server_that_comes_back_in_time_is_waited_for(postgres, ledger):
    ledger.reserve(entry())
    postgres.stop()
    soon = ledger.reserve_soon(entry())
    postgres.start()
    soon.wait()
    assert states(ledger) == ["reserved", "reserved"]


def test_a_server_that_does_not_answer_is_left_for_another_session(postgres, ledger):
    stuck = backend(ledger)
    ledger._session.db("look into").patience = 0.2
    os.kill(stuck, signal.SIGSTOP)
    try:
        ledger.reserve(entry())
        assert backend(ledger) != stuck
    finally:
        os.kill(stuck, signal.SIGCONT)
    assert states(ledger) == ["reserved"]


def test_what_is_reserved_outlives_the_crash_of_the_server(postgres, ledger):
    """Its outcome may be lost with it: the row is then as it was before."""
    one = entry()
    ledger.reserve(one, claims=[claim(5)])
    ledger.settle(one.attempt_id, **EXACT)
    two = entry()
    ledger.reserve(two, claims=[claim(7)])
    postgres.crash()
    postgres.start()
    assert states(ledger) == ["settled_exact", "reserved"]
    assert ledger.budget_state("b", "total") == (3, 7)


def test_waiting_for_the_disk_is_as_the_database_says_but_never_not_at_all(postgres, admin):
    for asked, kept in (("off", "on"), ("remote_write", "remote_write")):
        admin.execute(f"ALTER ROLE postgres SET synchronous_commit = {asked}")
        with closing(open_ledger(postgres.address)) as ledger:
            assert ledger._session._level == kept
    admin.execute("ALTER ROLE postgres RESET synchronous_commit")


# --- budgets --------------------------------------------------------------------------------------


def test_claims_of_two_budgets_in_any_order_do_not_wait_in_a_circle(postgres, ledger):
    other = open_ledger(postgres.address)
    pair = [claim(1, "a", 10**6), claim(1, "z", 10**6)]

    def spend(where, claims):
        for _ in range(30):
            ones = [entry() for _ in range(5)]
            kept = [where.reserve_soon(one, claims=[c]) for one in ones for c in claims[:1]]
            more = entry()
            where.reserve(more, claims=claims)
            for ticket in kept:
                ticket.wait()
            done = [where.settle_soon(one.attempt_id, **EXACT) for one in [more, *ones]]
            assert all(ticket.wait() for ticket in done)

    threads = [
        threading.Thread(target=spend, args=(where, claims))
        for where, claims in ((ledger, pair), (other, pair[::-1]))
    ]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began < 20
    for name in "az":
        assert ledger.budget_state(name, "total") == (3 * 210, 0)
    other.close()


# --- who writes -----------------------------------------------------------------------------------


def test_a_writer_of_another_host_lives_as_long_as_its_session(
    postgres, ledger, admin, monkeypatch
):
    there = Writer("another-host", "its boot", 1, "then")
    with monkeypatch.context() as patch:
        patch.setattr(postgres_session, "this_writer", lambda: there)
        elsewhere = open_ledger(postgres.address)
    one = entry()
    elsewhere.reserve(one, claims=[claim(5)])
    assert ledger.recover() == (0, 0)
    end_session(elsewhere, admin)
    assert ledger.recover() == (1, None)
    assert states(ledger) == ["unknown"]
    assert ledger.budget_state("b", "total") == (5, 0)
    # it was only cut off, and comes back with what it knows
    assert elsewhere.settle(one.attempt_id, **EXACT)
    assert states(ledger) == ["settled_exact"]
    assert ledger.budget_state("b", "total") == (3, 0)
    elsewhere.close()


def test_a_writer_that_closed_with_nothing_under_way_is_not_looked_at_again(postgres, admin):
    with closing(open_ledger(postgres.address)) as ledger:
        one = entry()
        ledger.reserve(one)
        ledger.settle(one.attempt_id, **OUTCOME)
    with closing(open_ledger(postgres.address)) as ledger:
        ledger.reserve(entry())
    assert admin.execute("SELECT gone FROM writers ORDER BY writer").fetchall() == [
        (True,),
        (False,),
    ]


def test_a_writer_that_closed_with_a_row_it_could_not_settle_is_looked_at(postgres, admin):
    with closing(open_ledger(postgres.address)) as ledger:
        one = entry()
        ledger.reserve(one)
        admin.execute("ALTER TABLE attempts ADD CHECK (state <> 'released') NOT VALID")
        with pytest.raises(LedgerError, match="does not fit"):
            ledger.settle(one.attempt_id, **OUTCOME)
    assert admin.execute("SELECT gone FROM writers").fetchall() == [(False,)]


CHILD = """
import sys
sys.path[:0] = sys.argv[2:]
from test_metering_postgres import claim, entry, open_ledger
ledger = open_ledger(sys.argv[1])
ledger.reserve(entry(), claims=[claim(5)])
print("reserved", flush=True)
sys.stdin.read()
"""


def test_a_process_killed_before_it_settles_leaves_a_row_that_is_found_unknown(postgres, ledger):
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", CHILD, postgres.address, *sys.path]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as child:
        assert child.stdout.readline() == "reserved\n"
        assert ledger.recover() == (0, 0)
        child.kill()
        child.wait(60)
        assert ledger.recover() == (1, None)
    (left,) = ledger.entries()
    assert (left.state, left.error) == ("unknown", "ProcessDied")
    assert ledger.budget_state("b", "total") == (5, 0)


def test_after_a_fork_both_processes_go_on_and_the_session_stays_with_the_parent(ledger):
    ledger.reserve(entry())
    session = backend(ledger)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            for _ in range(20):
                ledger.reserve(entry())
            ledger.close()
            code = 0
        finally:
            os._exit(code)
    for _ in range(20):
        ledger.reserve(entry())
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert backend(ledger) == session
    assert len(states(ledger)) == 41
    assert ledger.recover().attempts == 20


# --- calls ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("impatient")
def test_nothing_is_sent_where_it_cannot_be_written_down(postgres, emulator, ledger):
    async def run():
        async with emulator.async_client(ledger=ledger) as client:
            with pytest.raises(LedgerError):
                await client.code.create("Add.", model="MAI-Code-1-Flash")

    postgres.stop()
    try:
        with emulator.client(ledger=ledger) as client, pytest.raises(LedgerError):
            client.code.create("Add.", model="MAI-Code-1-Flash")
        asyncio.run(run())
    finally:
        postgres.start()
    assert list(emulator.journal) == []


def test_an_answer_that_could_not_be_settled_is_given_and_says_so(emulator, ledger, admin):
    admin.execute(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
        "'it fails'; END $$"
    )
    admin.execute("CREATE TRIGGER t BEFORE UPDATE ON attempts EXECUTE FUNCTION fail()")

    async def run():
        async with emulator.async_client(ledger=ledger) as client:
            return await client.code.create("Add.", model="MAI-Code-1-Flash")

    with emulator.client(ledger=ledger) as client:
        replies = [client.code.create("Add.", model="MAI-Code-1-Flash"), asyncio.run(run())]
    for reply in replies:
        assert reply.text
        assert "it fails" in reply.receipt.unrecorded
    assert set(states(ledger)) == {"reserved"}


def test_a_server_that_makes_wait_does_not_hold_up_the_event_loop(emulator, ledger, admin):
    async def run():
        async with emulator.async_client(ledger=ledger) as client:
            with admin.transaction():
                admin.execute("LOCK TABLE attempts")
                call = asyncio.create_task(client.code.create("Add.", model="MAI-Code-1-Flash"))
                for _ in range(20):
                    await asyncio.sleep(0.005)
                assert list(emulator.journal) == []
            return await call

    assert asyncio.run(run()).text
    assert states(ledger) == ["settled_exact"]


def test_a_client_is_given_the_address_and_closes_what_it_opened(postgres, emulator):
    with emulator.client(ledger=postgres.address) as client:
        client.code.create("Add.", model="MAI-Code-1-Flash")
        assert [row.calls for row in client.costs.report().rows] == [1]
    with closing(open_ledger(postgres.address)) as ledger:
        assert states(ledger) == ["settled_exact"]
