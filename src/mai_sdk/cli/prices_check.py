"""`mai prices check`: asks the Azure Retail Prices API, and shows what differs from our rows."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote, urlsplit

from mai_sdk.cli.exits import FAILED, OK
from mai_sdk.cli.layout import paragraph
from mai_sdk.cli.terminal import columns
from mai_sdk.engine.steps import Limits, Request, TransportFailed
from mai_sdk.engine.transport import sync_transport
from mai_sdk.errors import ConnectionFailed, InvalidRequest, ServiceError, UnreadableAnswer
from mai_sdk.metering.price_check import Comparison, compare
from mai_sdk.metering.retail import RetailItem, retail_items

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from datetime import date

    from mai_sdk.engine.steps import Transport
    from mai_sdk.metering.cost import Price
    from mai_sdk.metering.price_check import Compared
    from mai_sdk.metering.prices import PriceBook

__all__ = ["check_prices"]

ENDPOINT: Final = "https://prices.azure.com/api/retail/prices"
FILTER: Final = "serviceName eq 'Foundry Models'"
_MOST_PAGES: Final = 500
_MOST_BYTES: Final = 16 * 1024 * 1024
_OFFLINE: Final = (
    "Open {url} in a browser that can, save the answer (and each page its NextPageLink leads to), "
    "and give it with --file; or name a mirror with --endpoint."
)


def check_prices(
    book: PriceBook, args: argparse.Namespace, *, model: str | None, on: date, today: date
) -> int:
    """Print the comparison, or JSON; 1 if anything differs.

    Raises:
        ConnectionFailed: The API cannot be reached from here.
        ServiceError: It refused.
        UnreadableAnswer: What it said is no answer of this API.
        InvalidRequest: A file cannot be read, or the address is none.
    """
    items = list(_read(args.file) if args.file else _ask(args))
    found = compare(book, items, on=on, model=model)
    if args.json:
        said = {**found.model_dump(mode="json"), "items": len(items), "overlay": found.overlay}
        print(json.dumps(said, indent=2, ensure_ascii=False))
    else:
        print("\n".join(_text(found, items=len(items))))
    return FAILED if found.differ else OK


def _read(files: list[str]) -> Iterator[RetailItem]:
    for name in files:
        try:
            text = Path(name).expanduser().read_bytes()
        except OSError as error:
            raise InvalidRequest(f"{name} could not be read ({error.strerror}).") from None
        yield from _items(text, where=name)[0]


def _ask(args: argparse.Namespace) -> Iterator[RetailItem]:
    endpoint = args.endpoint or ENDPOINT
    url: str | None = f"{endpoint}?$filter={quote(args.filter or FILTER)}"
    home = _origin(endpoint)
    if home is None:
        raise InvalidRequest(f"--endpoint {endpoint!r} is no address: write https://host/path.")
    limits = Limits(connect=args.timeout, first_byte=args.timeout, between_reads=args.timeout)
    seen: set[str] = set()
    transport = sync_transport(None)
    try:
        while url is not None:
            if url in seen or len(seen) >= _MOST_PAGES or _origin(url) != home:
                raise UnreadableAnswer(
                    f"The pages of {endpoint} do not end, or lead elsewhere (to {url[:200]!r}): "
                    "nothing was compared. Name fewer meters with --filter."
                )
            seen.add(url)
            items, url = _items(_get(transport, url, limits), where=endpoint)
            yield from items
    finally:
        transport.close()


def _get(transport: Transport, url: str, limits: Limits) -> bytes:
    headers = [("accept", "application/json"), ("user-agent", "mai-sdk")]
    try:
        response = transport.send(Request("GET", url, headers), limits)
        try:
            body = b""
            while (piece := response.read(within=None)) is not None:
                body += piece
                if len(body) > _MOST_BYTES:
                    raise UnreadableAnswer(f"The answer of {url} is far too long.")
        finally:
            response.close()
    except TransportFailed as error:
        raise ConnectionFailed(
            f"The price list could not be asked: {error.detail.rstrip('.')}. "
            + _OFFLINE.format(url=url)
        ) from None
    if response.status != 200:
        raise ServiceError(
            f"{url} answered HTTP {response.status}, so nothing was compared. Try again later, or "
            "another --filter: its values tell capitals apart.",
            status=response.status,
        )
    return body


def _items(body: bytes, *, where: str) -> tuple[list[RetailItem], str | None]:
    """Return the items of one page, and where the next is."""
    try:
        page: Any = json.loads(body, parse_float=Decimal)
        if not isinstance(page, dict):
            raise ValueError("it is no object")  # noqa: TRY004 - said as the other faults are
        fields = cast("dict[str, Any]", page)
        link = fields.get("NextPageLink")
        return retail_items(fields), link if isinstance(link, str) and link else None
    except (ValueError, RecursionError) as error:
        raise UnreadableAnswer(
            f"What {where} holds is no answer of the Azure Retail Prices API: {error}. Nothing was "
            "compared."
        ) from None


def _origin(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None


def _text(found: Comparison, *, items: int) -> list[str]:
    text: list[str] = []
    for title, compared in (
        ("Differ", found.differ),
        ("Only there", found.only_there),
        ("Agree", found.agree),
    ):
        if compared:
            text += [title, *(line for each in compared for line in _compared(each)), ""]
    if found.only_here:
        rows = (_wrapped(f"{row.model} {row.meter}: {row}") for row in found.only_here)
        text += ["Only here", *rows, ""]
    if found.unplaced:
        rows = (
            _wrapped(f"{each.item.name}, {each.item.amount:f} per {each.item.unit}: {each.reason}")
            for each in found.unplaced
        )
        text += ["Not placed: named after the family, but not compared", *rows, ""]
    if found.overlay:
        text += [
            "To believe the API, put this into your price overlay (nothing was changed):",
            "",
            found.overlay,
        ]
    counts = (
        f"{len(found.agree)} agree, {len(found.differ)} differ, {len(found.only_there)} only "
        f"there, {len(found.only_here)} only here, {len(found.unplaced)} not placed; of {items:,} "
        "items. Which name the API gives the meters of MAI models was never confirmed, so "
        "'only here' does not mean that a price is wrong."
    )
    return [*text, paragraph(counts, width=columns())]


def _compared(each: Compared) -> list[str]:
    ours = " and ".join(_side(row) for row in each.ours) or "no row"
    theirs = " and ".join(str(offer.price) for offer in each.theirs)
    names = dict.fromkeys(offer.item.name for offer in each.theirs)
    return [
        _wrapped(f"{each.model} {each.meter}: there {theirs}, here {ours}"),
        *(_wrapped(name, indent="    ") for name in names),
    ]


def _side(row: Price) -> str:
    return f"{row}" + (f" on {row.surface}" if row.surface else "")


def _wrapped(text: str, *, indent: str = "  ") -> str:
    return paragraph(text, width=columns(), indent=indent, hanging=indent + "  ")
