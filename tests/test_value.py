"""A value that our own code makes unchecked is the very value the constructor makes."""

import copy
import pickle

import pytest
from pydantic import ValidationError

from mai_sdk.emulator import Emulator
from mai_sdk.metering.receipt import Receipt, Timing
from mai_sdk.metering.usage import Usage
from mai_sdk.value import Value

FIELDS = {"queued": 0.5, "first_byte": None, "first_content": 1.25, "total": 2.0}


def every_value(thing):
    """Yield every Value in `thing`, the innermost first."""
    if isinstance(thing, Value):
        for name in type(thing).model_fields:
            yield from every_value(getattr(thing, name))
        yield thing
    elif isinstance(thing, (tuple, list)):
        for each in thing:
            yield from every_value(each)


def test_a_trusted_value_is_like_one_that_was_checked():
    trusted, checked = Timing.trusted(**FIELDS), Timing(**FIELDS)
    assert trusted == checked
    assert hash(trusted) == hash(checked)
    assert repr(trusted) == repr(checked)
    assert trusted.model_dump() == checked.model_dump()
    assert trusted.model_dump_json() == checked.model_dump_json()
    assert trusted.model_fields_set == checked.model_fields_set
    assert copy.deepcopy(trusted) == pickle.loads(pickle.dumps(trusted)) == checked  # noqa: S301


def test_a_trusted_value_is_frozen():
    timing = Timing.trusted(**FIELDS)
    with pytest.raises(ValidationError):
        timing.total = 3.0
    later = timing.model_copy(update={"total": 3.0})
    assert (timing.total, later.total) == (2.0, 3.0)


@pytest.mark.parametrize("model", ["MAI-Thinking-1", "MAI-DS-R1"])
def test_every_value_of_a_reply_would_pass_the_checks_that_were_left_out(model):
    with Emulator() as emulator, emulator.client() as client:
        emulator.fault("rate_limit", retry_after=0)
        reply = client.reasoning.create("Why?", model=model)
        with client.reasoning.stream("Why?", model=model) as stream:
            streamed = stream.read()
    values = [*every_value(reply), *every_value(streamed)]
    assert {type(value).__name__ for value in values} >= {
        "Reply", "Receipt", "Attempt", "Timing", "Usage", "Cost",
    }  # fmt: skip
    for value in values:
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        assert value.__dict__ == fields, "each field is there, and nothing else"
        assert list(value.__dict__) == list(fields), "in the order they are printed"
        assert value == type(value)(**fields)


def test_the_receipt_of_a_call_survives_json():
    with Emulator() as emulator, emulator.client() as client:
        receipt = client.reasoning.create("Why?").receipt
    assert receipt.model_dump(mode="json")["usage"] == receipt.usage.model_dump()
    assert Receipt.model_validate(receipt.model_dump()) == receipt


def test_a_usage_from_meters_names_every_field():
    usage = Usage.from_meters({"output_tokens": 3})
    assert usage == Usage(output_tokens=3)
    assert list(usage.__dict__) == list(Usage.model_fields)
    with pytest.raises(ValueError, match="input_tokens=True"):
        Usage.from_meters({"input_tokens": True})
