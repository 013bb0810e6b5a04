import re
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from random import Random
from typing import Annotated, Literal, Optional
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AnyUrl, BaseModel, Field, TypeAdapter

from mai_sdk.emulator.instances import instance
from mai_sdk.emulator.patterns import matching


def rng(seed):
    return Random(seed)  # noqa: S311 - repeatable, not secret


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Address(BaseModel):
    street: Annotated[str, Field(min_length=12, max_length=20)]
    zip: Annotated[str, Field(pattern=r"^[A-Z]{2}-\d{4,6}$")]
    country: Literal["NO", "SE"] = "NO"


class Person(BaseModel):
    name: str
    age: Annotated[int, Field(ge=18, lt=67)]
    height: Annotated[float, Field(gt=1.2, lt=1.4)]
    step: Annotated[int, Field(multiple_of=7, ge=10, le=40)]
    colour: Colour
    email: Annotated[str, Field(json_schema_extra={"format": "email"})]
    born: date
    seen: datetime
    at: time
    site: AnyUrl
    key: UUID
    address: Address
    previous: list[Address] = Field(min_length=1, max_length=3)
    nickname: str | None = None
    money: Decimal
    tags: set[Colour]
    pair: tuple[int, str]
    scores: dict[str, Annotated[int, Field(ge=0, le=5)]]
    by_colour: dict[Colour, bool]


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str]


class Node(BaseModel):
    value: int
    left: Optional["Node"] = None
    right: Optional["Node"] = None
    children: list["Node"] = []


class Zoo(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    loose: Cat | Dog | None
    tree: Node
    anything: object = None


@pytest.mark.parametrize("kind", [Person, Zoo, Node, Address, Cat, list[Person], dict[str, Node]])
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_pydantic_takes_what_was_made_from_its_schema(kind, seed):
    adapter = TypeAdapter(kind)
    made = instance(adapter.json_schema(), rng(seed))
    adapter.validate_python(made, strict=False)
    assert made == instance(adapter.json_schema(), rng(seed))


BOUNDS = st.integers(-1000, 1000)


@settings(max_examples=200, deadline=None)
@given(low=BOUNDS, size=st.integers(0, 50), seed=st.integers(0, 100), whole=st.booleans())
def test_a_number_stays_within_its_bounds(low, size, seed, whole):
    schema = {"type": "integer" if whole else "number", "minimum": low, "maximum": low + size}
    made = instance(schema, rng(seed))
    assert low <= made <= low + size
    assert isinstance(made, int) or not whole


@settings(max_examples=200, deadline=None)
@given(low=BOUNDS, size=st.integers(2, 50), seed=st.integers(0, 100), whole=st.booleans())
def test_an_exclusive_bound_is_never_reached(low, size, seed, whole):
    kind = {"type": "integer" if whole else "number"}
    bounds = {"exclusiveMinimum": low, "exclusiveMaximum": low + size}
    assert low < instance({**kind, **bounds}, rng(seed)) < low + size
    for name, value in bounds.items():
        made = instance({**kind, name: value}, rng(seed))
        assert made > low if name == "exclusiveMinimum" else made < low + size


@settings(max_examples=100, deadline=None)
@given(low=st.integers(0, 20), size=st.integers(0, 20), seed=st.integers(0, 100))
def test_a_text_keeps_to_its_length(low, size, seed):
    schema = {"type": "string", "minLength": low, "maxLength": low + size}
    assert low <= len(instance(schema, rng(seed), hints=["Oslo"])) <= low + size


PATTERNS = [
    r"^\d{4}-\d{2}$", r"[A-Z]\w+@(foo|bar)\.com", r"(?:ab)+c?", r"^[^a-z]{3}\S$", r"(x|y)\1",
    r".{2,}", r"\bword\b", r"^$", r"a{2}|b{3,5}",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_made_text_matches_its_pattern(pattern, seed):
    assert re.search(pattern, matching(pattern, rng(seed)))


def test_an_unreadable_pattern_is_named():
    with pytest.raises(ValueError, match="cannot be read"):
        matching("(", rng(0))


def test_merged_and_referenced_schemas_are_followed():
    schema = {
        "allOf": [{"$ref": "#/$defs/a"}, {"properties": {"y": {"const": 2}}, "required": ["y"]}],
        "$defs": {"a": {"type": "object", "properties": {"x": {"enum": [1]}}, "required": ["x"]}},
    }
    assert instance(schema, rng(0)) == {"x": 1, "y": 2}


def test_hints_are_used_for_free_text_in_turn():
    schema = {"type": "array", "items": {"type": "string"}, "minItems": 2}
    assert instance(schema, rng(0), hints=["Oslo", "Bergen"]) == ["Oslo", "Bergen"]
