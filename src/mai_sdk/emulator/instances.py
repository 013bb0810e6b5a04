"""A plausible value for a JSON schema, made the same way every time.

Covers what pydantic and the function-calling schemas of the official clients write: objects,
arrays, tuples, enums, constants, bounds, formats, patterns, `$ref`/`$defs`, `anyOf`, `oneOf`,
`allOf`, nullable and recursive types.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from mai_sdk.emulator.patterns import matching
from mai_sdk.emulator.untyped import to_object

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

__all__ = ["Schema", "instance"]

Schema: TypeAlias = "dict[str, Any]"

_DEPTH = 5
"""From here on what is optional is left out, so recursive types come to an end."""

_WORDS = ("amber", "birch", "cobalt", "delta", "ember", "fjord", "grove", "harbor")

_FORMATS = {
    "date": "2026-11-22",
    "date-time": "2026-11-22T09:30:00Z",
    "time": "09:30:00Z",
    "duration": "P1DT2H",
    "email": "someone@example.com",
    "idn-email": "someone@example.com",
    "hostname": "example.com",
    "uri": "https://example.com/{n}",
    "uri-reference": "/{n}",
    "url": "https://example.com/{n}",
    "ipv4": "192.0.2.{n}",
    "ipv6": "2001:db8::{n}",
    "ipv4network": "192.0.2.0/24",
    "ipv6network": "2001:db8::/32",
    "ipvanyaddress": "192.0.2.{n}",
    "uuid": "3f2504e0-4f89-41d3-9a0c-0305e82c33{n:02d}",
    "uuid4": "3f2504e0-4f89-41d3-9a0c-0305e82c33{n:02d}",
    "json-string": "{{}}",
    "byte": "bWFp",
    "base64url": "bWFp",
}


def instance(schema: Schema, rng: Random, *, hints: Sequence[str] = ()) -> Any:
    """Return a value the schema accepts.

    Args:
        schema: A JSON schema.
        rng: Where every choice comes from, so that a seed decides them all.
        hints: Words to prefer for free text, for example the names in the prompt.
    """
    return _Maker(schema, rng, tuple(hints)).make(schema, 0)


class _Maker:
    def __init__(self, root: Schema, rng: Random, hints: tuple[str, ...]) -> None:
        self._root = root
        self._rng = rng
        self._hints = hints
        self._used = 0

    def make(self, schema: Any, depth: int) -> Any:
        schema = self._resolved(schema, depth)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self._rng.choice(schema["enum"])
        kind = self._kind(schema, depth)
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, depth)
        if kind in ("integer", "number"):
            return self._number(schema, whole=kind == "integer")
        if kind == "boolean":
            return self._rng.random() < 0.5
        return None if kind == "null" else self._string(schema)

    def _resolved(self, schema: Any, depth: int) -> Schema:
        """Follow references and choose among alternatives until a plain schema is left."""
        for _ in range(64):
            node = to_object(schema)
            if node is None:
                return {}
            if "$ref" in node:
                rest = {key: value for key, value in node.items() if key != "$ref"}
                schema = {**self._target(str(node["$ref"])), **rest}
            elif node.get("allOf"):
                schema = self._merged(node, depth)
            elif node.get("anyOf") or node.get("oneOf"):
                key = "anyOf" if node.get("anyOf") else "oneOf"
                rest = {name: value for name, value in node.items() if name != key}
                schema = {**rest, **self._resolved(self._choice(node[key], depth), depth)}
            else:
                return node
        return {}

    def _target(self, reference: str) -> Schema:
        node: Any = self._root
        for part in reference.removeprefix("#").strip("/").split("/"):
            if part:
                node = node.get(part.replace("~1", "/").replace("~0", "~"), {})
        return to_object(node) or {}

    def _merged(self, schema: Schema, depth: int) -> Schema:
        merged: Schema = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema["allOf"]:
            resolved = self._resolved(part, depth)
            properties = {**merged.get("properties", {}), **resolved.get("properties", {})}
            required = [*merged.get("required", ()), *resolved.get("required", ())]
            merged = {**merged, **resolved}
            if properties:
                merged["properties"] = properties
            if required:
                merged["required"] = list(dict.fromkeys(required))
        return merged

    def _choice(self, options: list[Any], depth: int) -> Any:
        nothing = [option for option in options if option == {"type": "null"}]
        if depth >= _DEPTH and nothing:
            return nothing[0]
        return next((option for option in options if option not in nothing), options[0])

    def _kind(self, schema: Schema, depth: int) -> str:
        kind = schema.get("type")
        if isinstance(kind, list):
            names = cast("list[str]", kind)
            if depth >= _DEPTH and "null" in names:
                return "null"
            return next((name for name in names if name != "null"), "null")
        if isinstance(kind, str):
            return kind
        if "properties" in schema or "additionalProperties" in schema:
            return "object"
        if "items" in schema or "prefixItems" in schema:
            return "array"
        return "number" if "minimum" in schema or "maximum" in schema else "string"

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        properties: dict[str, Any] = schema.get("properties", {})
        required: list[str] = schema.get("required", [])
        made = {
            name: self.make(inner, depth + 1)
            for name, inner in properties.items()
            if depth < _DEPTH or name in required
        }
        extra: Any = schema.get("additionalProperties")
        wanted = max(int(schema.get("minProperties", 0)), int(bool(extra) and not properties))
        if depth >= _DEPTH and not schema.get("minProperties"):
            wanted = 0
        names: Any = schema.get("propertyNames")
        if extra is None or extra is True:
            extra = {"type": "string"}
        while len(made) < wanted:
            key = self.make(names, depth) if names else f"{self._word()}_{len(made)}"
            made[str(key)] = self.make(extra, depth + 1)
            if names and "enum" in names and len(made) >= len(names["enum"]):
                break
        return made

    def _array(self, schema: Schema, depth: int) -> list[Any]:
        made = [self.make(inner, depth + 1) for inner in schema.get("prefixItems", ())]
        inner: Any = schema.get("items", {} if not made else None)
        low, high = int(schema.get("minItems", 0)), int(schema.get("maxItems", 1_000_000))
        wanted = low if depth >= _DEPTH else min(max(low, 2), high)
        for _ in range(wanted * 20):
            if len(made) >= wanted or not isinstance(inner, dict):
                break
            item = self.make(inner, depth + 1)
            if not (schema.get("uniqueItems") and item in made):
                made.append(item)
        return made

    def _number(self, schema: Schema, *, whole: bool) -> int | float:
        step = schema.get("multipleOf") or (1 if whole else 0.5)
        low, high = self._bounds(schema, step)
        first, last = math.ceil(low / step), math.floor(high / step)
        if first > last:  # no multiple fits: any number between the bounds will do
            return int((low + high) // 2) if whole else (low + high) / 2
        made = self._rng.randint(first, last) * step
        return int(made) if whole else round(float(made), 9)

    @staticmethod
    def _bounds(schema: Schema, step: float) -> tuple[float, float]:
        low, high = schema.get("minimum"), schema.get("maximum")
        above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
        margin = step
        if above is not None and below is not None:
            margin = min(step, (below - above) / 4)
        if above is not None:
            low = max(above + margin, low if low is not None else -math.inf)
        if below is not None:
            high = min(below - margin, high if high is not None else math.inf)
        if low is None:
            return (1, 100) if high is None else (high - 100 * step, high)
        return low, high if high is not None else low + 100 * step

    def _string(self, schema: Schema) -> str:
        if "pattern" in schema:
            return matching(schema["pattern"], self._rng)
        form = _FORMATS.get(schema.get("format", ""))
        if form is not None:
            return form.format(n=self._rng.randint(1, 99))
        text = self._hint() if self._hints else self._word()
        low, high = int(schema.get("minLength", 0)), schema.get("maxLength")
        while len(text) < low:
            text += f" {self._word()}"
        return text if high is None else text[: int(high)]

    def _hint(self) -> str:
        self._used += 1
        return self._hints[(self._used - 1) % len(self._hints)]

    def _word(self) -> str:
        return self._rng.choice(_WORDS)
