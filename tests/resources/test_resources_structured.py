import dataclasses
from collections.abc import Callable

import pytest
from pydantic import BaseModel

from mai_sdk.errors import InvalidRequest, UnsupportedFeature
from mai_sdk.resources.structured import build_format


class City(BaseModel):
    name: str
    population: int


@dataclasses.dataclass
class Point:
    x: int


def build(kind, *, native=False, stream=False):
    return build_format(kind, native=native, stream=stream, where="X on the foundry surface")


def test_without_a_format_there_is_none():
    assert build(None) is None


@pytest.mark.parametrize("kind", [City, Point, list[int], dict[str, int]])
def test_any_type_pydantic_knows_can_be_asked_for_where_we_check_it(kind):
    assert build(kind).schema
    assert "JSON schema" in build(kind).instruction()


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "Oslo", "population": 700000}',
        '```json\n{"name": "Oslo", "population": 700000}\n```',
        '\n  {"name": "Oslo", "population": 700000}  \n',
    ],
)
def test_an_answer_that_fits_becomes_the_value(text):
    assert build(City).parse(text) == City(name="Oslo", population=700000)


@pytest.mark.parametrize(
    "text", ["", "Oslo", '{"name": "Secretville"}', '{"name":"x","population":"many"}']
)
def test_an_answer_that_does_not_fit_is_told_without_repeating_it(text):
    with pytest.raises(ValueError, match=r"\w") as caught:
        build(City).parse(text)
    assert "Secretville" not in str(caught.value)


def test_a_bare_schema_needs_a_service_that_takes_one():
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    with pytest.raises(UnsupportedFeature, match="pydantic class"):
        build(schema)
    assert build(schema, native=True).parse('{"a": "b"}') == {"a": "b"}


def test_a_schema_in_the_openai_wrapping_is_unwrapped():
    inner = {"type": "object", "properties": {}}
    shape = build(
        {"type": "json_schema", "json_schema": {"name": "n", "schema": inner}}, native=True
    )
    assert (shape.name, shape.schema) == ("n", inner)


def test_a_schema_whose_root_is_no_object_is_refused_before_the_service_does():
    with pytest.raises(UnsupportedFeature, match="root is not an object"):
        build({"type": "array", "items": {}}, native=True)
    with pytest.raises(UnsupportedFeature, match="root is not an object"):
        build(list[int], native=True)


def test_a_stream_cannot_be_asked_again():
    with pytest.raises(UnsupportedFeature, match="Use create"):
        build(City, stream=True)
    assert build(City, stream=True, native=True) is not None


@pytest.mark.parametrize("kind", [Callable[[], int], 5, object()])
def test_what_has_no_schema_is_refused(kind):
    with pytest.raises(InvalidRequest, match="no JSON schema"):
        build(kind)
