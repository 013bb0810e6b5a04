"""Answers that fit a class: asked for natively where the surface can, checked here in any case."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import to_json

from mai_sdk.errors import InvalidRequest, UnsupportedFeature
from mai_sdk.wire.said import clean
from mai_sdk.wire.shapes import as_object

__all__ = ["Format", "build_format", "problems_of"]

_FENCE = re.compile(r"\A\s*```(?:json)?\s*\n(.*?)\n?```\s*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Format:
    """The shape an answer must have."""

    name: str
    schema: dict[str, Any]
    adapter: TypeAdapter[Any] | None
    """Checks and builds the value; None for a bare JSON schema, which only the service checks."""

    def instruction(self) -> str:
        """Return the words that ask for the shape where the surface has no field for it."""
        return (
            "Answer with one JSON value and nothing else: no prose and no code fence. It must fit "
            f"this JSON schema:\n{to_json(self.schema).decode()}"
        )

    def parse(self, text: str) -> Any:
        """Return the value in `text`.

        Raises:
            ValueError: It does not fit; the text says where, without repeating the answer.
        """
        fenced = _FENCE.match(text)
        source = fenced.group(1) if fenced else text.strip()
        adapter = self.adapter if self.adapter is not None else _ANY_JSON
        try:
            return adapter.validate_json(source)
        except ValidationError as error:
            raise ValueError(problems_of(error, root="the answer")) from None


_ANY_JSON: TypeAdapter[Any] = TypeAdapter(Any)


def problems_of(error: ValidationError, *, root: str) -> str:
    """Return where a value does not fit and why, without the value; `root` names the whole of it.

    The first five places are named: a model mends no more at a time.
    """
    return "; ".join(
        f"{'.'.join(map(str, item['loc'])) or root}: {item['msg']}"
        for item in error.errors(include_input=False, include_url=False)[:5]
    )


def build_format(response_format: Any, *, native: bool, stream: bool, where: str) -> Format | None:
    """Return what `response_format` asks for, or None.

    Args:
        response_format: A pydantic class, another type pydantic knows, or a JSON schema.
        native: Whether the surface has a field for it.
        stream: Whether the answer is streamed, so that it cannot be asked for again.
        where: The surface and model, for the error.

    Raises:
        InvalidRequest: No JSON schema can be made of it.
        UnsupportedFeature: It cannot be honoured there.
    """
    if response_format is None:
        return None
    if isinstance(response_format, Mapping):
        if not native:
            raise UnsupportedFeature(
                f"{where} cannot be held to a bare JSON schema: the service has no field for it. "
                "Pass a pydantic class instead; the answer is then checked here and asked again."
            )
        return _from_schema(dict(cast("Mapping[str, Any]", response_format)))
    if stream and not native:
        raise UnsupportedFeature(
            f"{where} cannot stream a structured answer: the service has no field for a schema, "
            "and a stream cannot be asked again. Use create(...)."
        )
    if isinstance(response_format, str):
        raise InvalidRequest("response_format is a str, no JSON schema. Pass a pydantic class.")
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(response_format)
        schema = adapter.json_schema()
    except Exception as error:  # noqa: BLE001 - pydantic raises several kinds for what is no type
        summary = clean(str(error).partition("\n")[0]).rstrip(".")
        raise InvalidRequest(f"response_format has no JSON schema: {summary}.") from None
    name = getattr(response_format, "__name__", None)
    if native and not (
        isinstance(response_format, type) and issubclass(response_format, BaseModel)
    ):
        _require_object(schema)
    return Format(_schema_name(name), schema, adapter)


def _from_schema(schema: dict[str, Any]) -> Format:
    name = schema.get("title")
    if schema.get("type") == "json_schema":
        inner = as_object(schema.get("json_schema"))
        name, schema = inner.get("name"), as_object(inner.get("schema"))
    _require_object(schema)
    return Format(_schema_name(name), schema, None)


def _schema_name(name: object) -> str:
    """Return the name in the letters and the length that OpenAI's API takes."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64] if isinstance(name, str) and name else "answer"


def _require_object(schema: Mapping[str, Any]) -> None:
    if schema.get("type") != "object" and "$ref" not in schema:
        raise UnsupportedFeature(
            "The schema's root is not an object, which the service refuses. Wrap it in a pydantic "
            "class with one field."
        )
