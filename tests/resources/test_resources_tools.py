import asyncio
import enum
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from mai_sdk import Tool, ToolCall, tool_result
from mai_sdk.errors import InvalidRequest
from mai_sdk.resources.tools import build_tools


class Unit(enum.Enum):
    CELSIUS = "C"
    FAHRENHEIT = "F"


class Place(BaseModel):
    city: str
    country: str | None = None


def weather(
    place: Place,
    unit: Unit = Unit.CELSIUS,
    days: Annotated[int, Field(ge=1, le=7)] = 1,
    detail: Literal["short", "long"] = "short",
) -> str:
    """Tell the weather.

    Never wrong.
    """
    return f"{place.city} {unit.name} {days} {detail}"


def call(arguments, name="weather"):
    return ToolCall("call_1", name, arguments)


def test_a_typed_function_becomes_a_schema():
    function = Tool(weather).schema()["function"]
    assert function["name"] == "weather"
    assert function["description"] == "Tell the weather."
    parameters = function["parameters"]
    assert parameters["required"] == ["place"]
    assert parameters["properties"]["days"] == {
        "default": 1,
        "maximum": 7,
        "minimum": 1,
        "title": "Days",
        "type": "integer",
    }
    assert parameters["additionalProperties"] is False


def test_a_call_runs_with_checked_and_converted_arguments():
    arguments = '{"place": {"city": "Oslo"}, "unit": "F", "days": 3}'
    assert Tool(weather).run(call(arguments)) == "Oslo FAHRENHEIT 3 short"


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "{}",
        '{"place": "Oslo"}',
        '{"place": {"city": "x"}, "days": 9}',
        "not json",
        '{"place": {"city": "x"}, "more": 1}',
    ],
)
def test_arguments_that_do_not_fit_are_told_without_running(arguments):
    with pytest.raises(InvalidRequest, match="arguments for weather do not fit"):
        Tool(weather).run(call(arguments))


def test_a_tool_can_still_be_called_as_a_function():
    @Tool
    def double(number: int) -> int:
        return number * 2

    assert double(4) == 8
    assert double.name == "double"


def test_an_async_tool_gives_its_coroutine():
    async def later(number: int) -> int:
        return number + 1

    assert asyncio.run(Tool(later).run(call('{"number": 1}', "later"))) == 2


def unannotated(city):
    return city


def variadic(*cities: str):
    return cities


def positional(city: str, /):
    return city


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (unannotated, "needs an annotation"),
        (variadic, "no schema"),
        (positional, "positional-only"),
        (lambda callback: callback, "needs an annotation"),
    ],
)
def test_a_function_without_a_schema_is_refused(function, says):
    with pytest.raises(InvalidRequest, match=says):
        Tool(function)


def test_an_annotation_without_a_json_schema_is_refused():
    def odd(stream: asyncio.Queue[int]) -> None: ...

    with pytest.raises(InvalidRequest, match="no JSON schema"):
        Tool(odd)


def test_tools_are_taken_in_every_form():
    schema = {"type": "function", "function": {"name": "x", "parameters": {}}}
    built = build_tools([weather, Tool(weather, name="other"), schema])
    assert [tool["function"]["name"] for tool in built] == ["weather", "other", "x"]
    assert build_tools(None) is None
    assert build_tools([]) is None


@pytest.mark.parametrize("tool", [{"type": "web_search"}, {"function": {}}, 5, "weather"])
def test_what_is_no_tool_is_refused(tool):
    with pytest.raises(InvalidRequest, match="Tool 0"):
        build_tools([tool])


def test_a_result_answers_its_call_as_text_or_json():
    assert tool_result(call("{}"), "sunny") == {
        "role": "tool",
        "tool_call_id": "call_1",
        "content": "sunny",
    }
    assert tool_result(call("{}"), {"t": 1, "ok": True})["content"] == '{"t":1,"ok":true}'
    assert tool_result(call("{}"), Place(city="Oslo"))["content"].startswith('{"city":"Oslo"')
