"""Whole retry stories, driven by hand: no server, no loop, no clock."""

import time
from email.utils import formatdate

import pytest

from mai_sdk.config import Route, Secret, Timeouts
from mai_sdk.engine.call import Call
from mai_sdk.engine.engine import Engine
from mai_sdk.engine.flow import opened, whole
from mai_sdk.engine.retry import RetryPolicy, RetryQuota
from mai_sdk.engine.steps import Pause, Read, Send, Token, TransportFailed
from mai_sdk.engine.tab import Tab
from mai_sdk.errors import (
    CertificateRejected,
    ConnectionFailed,
    ContentFiltered,
    LedgerError,
    RateLimited,
    RequestRejected,
    ServiceUnavailable,
    TimedOut,
    UnreadableAnswer,
)
from mai_sdk.metering.memory import MemoryLedger
from mai_sdk.metering.prices import PriceBook
from mai_sdk.metering.usage import Usage
from mai_sdk.wire.failures import read_failure

KEY = "key-0123456789"
PROMPT = "a question nobody else may read"


class Answered:
    def __init__(self, status, body=b"{}", **headers):
        self.status = status
        self.body = body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


OK = Answered(200, b"fine")


def story(
    *outcomes,
    credential=None,
    stream=False,
    policy=None,
    total=900.0,
    read=lambda body, headers: body.decode(),
    ledger=None,
    quota=None,
    query="",
    headers=(),
    **more,
):
    """Drive one call through `outcomes`; return what came of it."""
    clock = Clock()
    ledger = ledger if ledger is not None else MemoryLedger()
    engine = Engine(
        ledger=ledger,
        prices=PriceBook.load(),
        retry=policy or RetryPolicy(base_seconds=0.0),
        quota=quota or RetryQuota(),
        clock=clock,
    )
    route = Route(
        surface="foundry",
        endpoint="https://x.example",
        model="MAI-Thinking-1",
        deployment="d",
        headers=(("x-two", "2"),),
        credential=credential if credential is not None else Secret(KEY),
    )
    call = Call(
        route=route,
        url="https://x.example/mai/v1/chat/completions" + query,
        headers=headers,
        body=b"{}",
        read=read,
        usage_of=lambda _: Usage(input_tokens=10, cached_input_tokens=0, output_tokens=5),
        fail=more.pop(
            "fail",
            lambda status, headers, body: read_failure(
                status=status, headers=headers, body=body, surface="foundry"
            ),
        ),
        upper_bound=lambda: Usage(input_tokens=100, output_tokens=1000, basis="estimated"),
        timeouts=Timeouts(total=total),
        stream=stream,
        prompts=(PROMPT,),
        explain_missing=lambda: "It retired; its successor is Y.",
        **more,
    )
    tab = Tab(
        engine, route=route, modality="reasoning", verb="create", tags={}, total_seconds=total
    )
    flow = (opened if stream else whole)(call, tab)
    told = Told(ledger, tab)
    outcomes = list(outcomes)
    tokens = iter(f"token-{number}" for number in range(1, 10))
    send = None
    try:
        step = next(flow)
        while True:
            if isinstance(step, Pause):
                told.waits.append(step.seconds)
                clock.now += step.seconds
                send = None
            elif isinstance(step, Token):
                told.tokens.append(step.rejected)
                send = Secret(next(tokens))
            elif isinstance(step, Send):
                told.sent.append(step)
                send = outcomes.pop(0)
                if isinstance(send, BaseException):
                    step = flow.throw(send)
                    continue
            elif isinstance(step, Read):
                send = step.response.body
                if isinstance(send, BaseException):
                    step = flow.throw(send)
                    continue
            step = flow.send(send)
    except StopIteration as end:
        told.result = end.value
    except BaseException as error:
        told.error = error
    assert not outcomes, "the call gave up early"
    return told


class Told:
    def __init__(self, ledger, tab):
        self.ledger, self.tab = ledger, tab
        self.waits, self.tokens, self.sent = [], [], []
        self.result = self.error = None

    @property
    def states(self):
        return [entry.state for entry in self.ledger.entries()]


def broken(certainty, **details):
    return TransportFailed("reset", certainty=certainty, **details)


def test_a_good_answer_is_settled_exactly_once():
    told = story(OK)
    assert told.result == "fine"
    assert told.states == ["settled_exact"]
    assert told.tab.receipt().cost.status == "exact"
    assert told.tab.receipt().usage.input_tokens == 10


def test_what_was_never_sent_is_tried_again_freely():
    told = story(broken("not_sent"), broken("not_sent"), OK)
    assert told.states == ["released", "released", "settled_exact"]
    assert len(told.waits) == 2
    assert told.tab.receipt().cost.status == "exact"


def test_after_the_last_retry_the_error_carries_every_attempt():
    told = story(*[broken("not_sent")] * 3)
    assert isinstance(told.error, ConnectionFailed)
    assert told.error.attempts == 3
    assert told.error.receipt.cost.status == "free"


def test_an_unknown_outcome_is_repeated_once_and_stays_on_the_receipt():
    told = story(broken("unknown"), OK)
    assert told.states == ["unknown", "settled_exact"]
    assert told.tab.receipt().cost.status == "unknown"
    assert told.tab.receipt().cost.amount is None


@pytest.mark.parametrize("outcome", [broken("unknown"), Answered(502)])
def test_an_unknown_outcome_is_the_end_where_repeating_it_was_not_allowed(outcome):
    told = story(outcome, repeats_unknown=False)
    assert told.states == ["unknown"]
    assert not told.waits


def test_what_was_not_sent_or_refused_is_repeated_all_the_same():
    told = story(broken("not_sent"), Answered(429), OK, repeats_unknown=False)
    assert told.states == ["released", "released", "settled_exact"]


def test_a_failure_of_the_service_that_blames_the_request_is_neither_repeated_nor_paid_for():
    told = story(Answered(502), fail=lambda status, *_: RequestRejected("no", status=status))
    assert isinstance(told.error, RequestRejected)
    assert told.states == ["released"]


def test_a_second_unknown_outcome_is_the_end():
    told = story(broken("unknown"), broken("unknown"))
    assert isinstance(told.error, ConnectionFailed)
    assert told.states == ["unknown", "unknown"]


def test_a_body_that_breaks_off_counts_as_unknown():
    told = story(Answered(200, broken("unknown")), OK)
    assert told.states == ["unknown", "settled_exact"]


@pytest.mark.parametrize(("status", "kind"), [(500, ServiceUnavailable), (504, ServiceUnavailable)])
def test_a_server_error_may_have_cost_something_and_is_repeated_once(status, kind):
    told = story(Answered(status), Answered(status))
    assert isinstance(told.error, kind)
    assert told.states == ["unknown", "unknown"]
    assert told.error.status == status


def test_too_many_requests_cost_nothing_and_the_wait_asked_for_is_kept():
    told = story(Answered(429, retry_after="7"), Answered(503), OK)
    assert told.waits[0] == 7.0
    assert told.states == ["released", "released", "settled_exact"]


def test_a_date_to_wait_for_is_kept_also_where_the_answer_does_not_say_when_it_came():
    in_ten_seconds = formatdate(time.time() + 10, usegmt=True)
    told = story(Answered(429, retry_after=in_ten_seconds), OK)
    assert 8 <= told.waits[0] <= 10


def test_a_wait_beyond_the_cap_fails_at_once_with_the_hint():
    told = story(Answered(429, retry_after="86400"))
    assert isinstance(told.error, RateLimited)
    assert told.error.retry_after == 86400
    assert told.waits == []


def test_a_wait_that_passes_the_deadline_fails_at_once():
    told = story(Answered(429, retry_after="30"), total=20.0)
    assert isinstance(told.error, RateLimited)


def test_what_the_service_will_never_accept_is_not_repeated():
    told = story(Answered(400, b'{"error":{"message":"no","code":"bad"}}', x_ms_request_id="r1"))
    assert isinstance(told.error, RequestRejected)
    assert (told.error.code, told.error.request_id) == ("bad", "r1")
    assert told.states == ["released"]


def test_a_filtered_answer_may_be_billed():
    told = story(Answered(400, b'{"error":{"message":"no","code":"content_filter"}}'))
    assert isinstance(told.error, ContentFiltered)
    assert told.states == ["unknown"]


def test_a_missing_deployment_is_explained_by_the_catalog():
    told = story(Answered(404, b'{"error":{"code":"DeploymentNotFound","message":"none"}}'))
    assert "its successor is Y" in str(told.error)


def test_a_redirect_is_never_followed():
    told = story(Answered(307, b"", location="https://evil.example/"))
    assert isinstance(told.error, UnreadableAnswer)
    assert len(told.sent) == 1
    assert told.states == ["released"]


def test_an_untrusted_certificate_is_not_tried_again():
    told = story(broken("not_sent", certificate=True))
    assert isinstance(told.error, CertificateRejected)
    assert told.states == ["released"]


@pytest.mark.parametrize("phase", ["connect", "first_byte", "between_chunks", "total"])
def test_a_limit_that_passed_is_named(phase):
    failures = [broken("unknown", phase=phase)] * 2
    told = story(*failures)
    assert isinstance(told.error, TimedOut)
    assert told.error.phase == phase
    assert phase in str(told.error)


class Credential:
    def get_token(self, *scopes):
        raise AssertionError("the driver asks, not the flow")


def test_a_refused_token_is_replaced_once():
    told = story(Answered(401), OK, credential=Credential())
    assert told.tokens == [None, Secret("token-1")]
    assert told.waits == []
    assert told.states == ["released", "settled_exact"]
    assert ("authorization", "Bearer token-2") in told.sent[1].request.headers


def test_a_token_refused_twice_is_an_error():
    told = story(Answered(401), Answered(401), credential=Credential())
    assert told.error.status == 401
    assert told.tokens == [None, Secret("token-1")]


def test_a_refused_key_is_not_tried_again():
    told = story(Answered(401))
    assert told.error.status == 401


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GeneratorExit(), ValueError("x")])
def test_whatever_interrupts_a_call_leaves_its_row(error):
    told = story(error)
    assert told.error is error
    assert told.states == ["unknown"]
    (entry,) = told.ledger.entries()
    assert entry.error == type(error).__name__


def test_nothing_goes_out_when_the_ledger_cannot_be_written():
    ledger = MemoryLedger()
    ledger.close()
    engine = Engine(ledger=ledger, prices=PriceBook.load())
    route = Route(surface="foundry", endpoint="https://x.example", credential=Secret(KEY))
    tab = Tab(engine, route=route, modality="code", verb="create", tags={}, total_seconds=None)
    with pytest.raises(LedgerError):
        tab.reserve(Usage)


def test_neither_key_nor_prompt_is_in_the_error_though_the_service_repeats_them():
    body = b'{"error":{"message":"bad key %s for: %s"}}' % (KEY.encode(), PROMPT.encode())
    told = story(Answered(400, body))
    shown = repr(told.error) + str(told.error) + repr(vars(told.error))
    assert KEY not in shown
    assert PROMPT not in shown
    assert KEY not in repr(told.sent)


def test_every_attempt_carries_the_same_call_id():
    told = story(broken("not_sent"), OK)
    ids = {dict(step.request.headers)["x-ms-client-request-id"] for step in told.sent}
    assert ids == {told.tab.call_id}


def test_a_stream_is_open_once_its_head_is_there():
    answer = Answered(200, content_type="text/event-stream")
    told = story(answer, stream=True)
    assert told.result is answer
    assert told.states == ["sent"]


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/json"])
def test_a_page_where_a_stream_was_due_is_an_error(kind):
    def read(body, headers):
        raise read_failure(status=200, headers=headers, body=body, surface="foundry")

    told = story(Answered(200, b"<html>sign in</html>", content_type=kind), stream=True, read=read)
    assert isinstance(told.error, UnreadableAnswer)
    assert told.states == ["unknown"]


def test_a_whole_answer_where_a_stream_was_due_is_paid_for_and_on_the_error():
    told = story(Answered(200, b"{}", content_type="application/json"), stream=True)
    assert isinstance(told.error, UnreadableAnswer)
    assert told.error.partial == "{}"
    assert told.states == ["settled_exact"]


def test_the_quota_ends_retries_in_an_outage():
    told = story(broken("not_sent"), policy=RetryPolicy(max_retries=0))
    assert isinstance(told.error, ConnectionFailed)


@pytest.mark.parametrize("status", [408, 424, 499, 500, 501, 505, 507, 530, 599])
def test_a_refusal_that_may_have_done_work_is_never_booked_as_free(status):
    answers = [Answered(status)] * (2 if status in (408, 500) else 1)
    told = story(*answers)
    assert set(told.states) == {"unknown"}


@pytest.mark.parametrize("body", [broken("unknown"), UnreadableAnswer("compressed as 'br'")])
def test_a_refusal_keeps_its_status_where_its_body_cannot_be_read(body):
    told = story(Answered(400, body))
    assert isinstance(told.error, RequestRejected)
    assert told.states == ["released"]
    told = story(Answered(429, body, retry_after="0"), OK)
    assert told.states == ["released", "settled_exact"]


def test_a_refused_token_is_replaced_also_where_the_refusal_cannot_be_read():
    told = story(Answered(401, broken("unknown")), OK, credential=Credential())
    assert told.result == "fine"


class FullDisk(MemoryLedger):
    def settle(self, attempt_id, **outcome):
        raise LedgerError("disk full")

    def sent(self, attempt_id):
        raise LedgerError("disk full")


@pytest.mark.parametrize("outcome", [OK, Answered(400), KeyboardInterrupt()])
def test_a_ledger_that_fails_takes_neither_the_answer_nor_the_error_with_it(outcome, caplog):
    told = story(outcome, ledger=FullDisk())
    assert told.result == "fine" or isinstance(told.error, (RequestRejected, KeyboardInterrupt))
    assert told.tab.receipt().unrecorded == "disk full"
    assert "disk full" in caplog.text


def test_a_stream_is_handed_over_also_where_the_ledger_cannot_note_it():
    answer = Answered(200, content_type="text/event-stream")
    assert story(answer, stream=True, ledger=FullDisk()).result is answer


def test_a_failure_that_would_only_repeat_itself_is_not_tried_again():
    told = story(broken("not_sent", hopeless=True))
    assert isinstance(told.error, ConnectionFailed)
    assert told.states == ["released"]


def test_nothing_is_sent_when_the_time_is_over():
    told = story(total=1e-300)
    assert isinstance(told.error, TimedOut)
    assert told.error.phase == "total"
    assert told.states == []


def test_an_empty_quota_stops_retries_and_success_fills_it():
    quota = RetryQuota(capacity=20)
    told = story(broken("not_sent"), OK, quota=quota)
    assert told.states == ["released", "settled_exact"]
    assert quota.left == 20 - 14 + 1
    told = story(broken("not_sent"), quota=quota)
    assert isinstance(told.error, ConnectionFailed)


def test_a_query_is_not_shown():
    told = story(Answered(307), query="?code=FUNCTIONKEY")
    assert "FUNCTIONKEY" not in str(told.error)


def test_the_headers_of_a_route_and_of_a_call_are_sent():
    told = story(OK, headers=(("x-one", "1"),))
    assert ("x-one", "1") in told.sent[0].request.headers
    assert ("x-two", "2") in told.sent[0].request.headers
