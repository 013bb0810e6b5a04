"""What the user has told the emulator to do next: a queue of orders, each for some requests."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from mai_sdk.emulator.request import Request

__all__ = ["Orders"]

T = TypeVar("T")


@dataclass(slots=True)
class _Order(Generic[T]):
    item: T
    left: int | None
    matches: Callable[[Request], bool]


class Orders(Generic[T]):
    """Orders in the sequence they were given. Safe to use from any thread."""

    def __init__(self) -> None:
        self._orders: list[_Order[T]] = []
        self._last: tuple[_Order[T], Request] | None = None
        self._lock = Lock()

    def add(self, item: T, *, times: int | None, matches: Callable[[Request], bool]) -> None:
        """Queue an order for the next `times` requests that match; None means for all of them."""
        if times is not None and times < 1:
            raise ValueError(f"times is {times}; give a number from 1, or None for every request.")
        with self._lock:
            self._orders.append(_Order(item, times, matches))

    def take(self, request: Request, *, fits: Callable[[T], bool] | None = None) -> T | None:
        """Return the first order for this request and use it up once, or None."""
        if not self._orders:
            return None
        with self._lock:
            for order in self._orders:
                if order.matches(request) and (fits is None or fits(order.item)):
                    if order.left is not None:
                        order.left -= 1
                        if order.left == 0:
                            self._orders.remove(order)
                    self._last = order, request
                    return order.item
        return None

    def put_back(self, request: Request) -> None:
        """Undo the last `take`, if it was for this request: it was answered otherwise."""
        with self._lock:
            if self._last is None or self._last[1] is not request:
                return
            order, self._last = self._last[0], None
            if order.left is not None:
                order.left += 1
                if order.left == 1:
                    self._orders.insert(0, order)

    def clear(self) -> None:
        """Forget all orders."""
        with self._lock:
            self._orders.clear()

    def __len__(self) -> int:
        return len(self._orders)
