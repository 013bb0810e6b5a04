"""The page of a report: whole, safe, readable by everyone, and the same in a real browser."""

from __future__ import annotations

import os
import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mai_sdk
from browser import Browser, find_browser
from entries import BOOK, CALLS, MIDNIGHT, write
from mai_sdk.metering.cost import Cost
from mai_sdk.metering.ledger import Entry, Operation
from mai_sdk.metering.memory import MemoryLedger
from mai_sdk.metering.report import build_report
from mai_sdk.metering.usage import Usage

EMPTY = {"meta", "br", "wbr", "img", "link"}
CSS = (Path(mai_sdk.__file__).parent / "metering" / "report.css").read_text()


class Reader(HTMLParser):
    """What a page is made of; refuses tags that are not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def entry(place: int, *, model: str, modality: str = "reasoning", days: int = 30, **more) -> Entry:
    at = MIDNIGHT + place * days * 864
    usage = Usage(input_tokens=1000 + place, output_tokens=700 + place % 50)
    operation = Operation(
        call_id=f"c{place}", modality=modality, verb="create", model=model, deployment=model,
        surface="foundry", started_at=at, tags={"team": "a"},
    )  # fmt: skip
    fields = {
        "attempt_id": f"c{place}-1", "number": 1, "operation": operation, "state": "settled_exact",
        "reserved_at": at, "upper_bound": None, "settled_at": at + 2 + place % 7, "usage": usage,
        "cost": BOOK.price(model, usage, surface="foundry", on=date(2026, 11, 22)),
        "status": 200,
    }  # fmt: skip
    return Entry(**fields | more)


def sample(**more):
    entries = [entry(n, model=("MAI-Thinking-1", "MAI-Code-1-Flash")[n % 2]) for n in range(100)]
    entries += [
        entry(7, model="MAI-Thinking-1", error="TimedOut"),
        entry(8, model="<b>&\"'mine"),
        entry(9, model="Euro"),
        entry(11, model="MAI-Thinking-1", cost=Cost.unknown("x"), state="unknown"),
    ]
    return build_report(entries, **more)


def test_a_page_needs_nothing_else_and_runs_nothing():
    page = sample().to_html(made_at=datetime(2026, 11, 25, 14, tzinfo=UTC))
    reader = Reader(page)
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in reader.tags}
    assert not any(name.startswith("on") for _, attrs in reader.tags for name in attrs)
    assert not re.search(r"(src|href|url)\s*[=(]\s*[\"']?(?!#)", page)
    assert "default-src 'none'" in page
    assert "Made 2026-11-25 14:00 UTC" in reader.text


def test_names_are_text_whatever_they_are():
    page = sample(by=["model"], tags={"team": "a"}).to_html(title="<i>Costs</i> & more")
    assert "<b>&\"'mine" in Reader(page).text
    assert "<b>" not in page
    assert "<i>" not in page


def test_it_has_its_title_its_period_and_all_its_sections():
    text = Reader(sample(by=["surface"]).to_html(title="October")).text
    for words in (
        "October",
        "2026-11-22 to 2026-12-",
        "Total in USD",
        "Total in EUR",
        "Spend by day, in USD",
        "Spend by surface",
        "Spend by model",
        "Spend by modality",
        "Spend by meter",
        "Wasted spend",
        "How long answers took",
        "Prices used",
        "and 2 attempts of unknown cost",
    ):
        assert words in text, words


def test_every_chart_has_words_and_a_table_behind_it():
    reader = Reader(sample().to_html())
    assert {attrs["lang"] for attrs in reader.all("html")} == {"en"}
    for chart in reader.all("svg"):
        assert chart.get("aria-label") if chart.get("role") == "img" else chart["aria-hidden"]
    assert len(reader.all("caption")) == len(reader.all("table")) > 8
    assert all(attrs.get("scope") for attrs in reader.all("th"))
    regions = [attrs for attrs in reader.all("div") if attrs.get("role") == "region"]
    assert all(attrs["tabindex"] == "0" and attrs["aria-label"] for attrs in regions)
    headings = [tag for tag, _ in reader.tags if re.fullmatch(r"h\d", tag)]
    assert headings[0] == "h1"
    assert set(headings[1:]) == {"h2"}


def test_a_report_over_nothing_says_so():
    assert "Nothing is recorded." in Reader(build_report([]).to_html()).text


def test_a_report_of_many_rows_stays_small_and_says_what_it_leaves_out():
    entries = [entry(n, model=f"model-{n}", days=900) for n in range(700)]
    page = build_report(entries, by=["model", "day"]).to_html()
    assert len(page.encode()) < 1_000_000
    assert "And 660 more" in Reader(page).text


@settings(max_examples=20)
@given(st.lists(CALLS, max_size=6))
def test_any_ledger_makes_a_page(calls):
    ledger = MemoryLedger()
    write(ledger, calls)
    for by in ["model"], ["meter", "session"]:
        Reader(build_report(ledger.entries(), by=by).to_html())


def palettes():
    light, dark = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[:2]
    for palette in light, dark:
        yield dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", palette))


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colours", list(palettes()), ids=["light", "dark"])
def test_all_that_is_read_has_the_contrast_of_wcag_aa(colours):
    for ink, ground, least in (
        ("ink", "page", 4.5),
        ("ink", "panel", 4.5),
        ("soft", "page", 4.5),
        ("soft", "panel", 4.5),
        ("accent", "page", 4.5),
        ("warn", "page", 4.5),
        ("focus", "page", 3),
        ("accent", "accent-soft", 3),
    ):
        high, low = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= least, (ink, ground)


LOOKS = {
    "light": (1200, "light", "screen"),
    "dark": (1200, "dark", "screen"),
    "phone": (390, "light", "screen"),
    "phone-dark": (390, "dark", "screen"),
    "print": (794, "dark", "print"),
}


@pytest.fixture(scope="module")
def shown():
    if find_browser() is None:
        pytest.skip("no Chromium here: make look installs one")
    with Browser() as running:
        yield running


@pytest.mark.parametrize("look", LOOKS)
def test_a_browser_shows_it_in_every_light_and_width(shown, look):
    width, scheme, media = LOOKS[look]
    shown.show(sample(by=["model", "day"]).to_html(), width=width, scheme=scheme, media=media)
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    red = int(
        shown.evaluate("getComputedStyle(document.body).backgroundColor")
        .split("(")[1]
        .split(",")[0]
    )
    assert red < 40 if scheme == "dark" and media == "screen" else red == 255
    heights = (
        "[...document.querySelectorAll('svg[role=img]')].map(e => e.getBoundingClientRect().height)"
    )
    assert min(shown.evaluate(heights)) > 10
    assert shown.evaluate("[...document.querySelectorAll('rect.estimated')].length") > 0
    if folder := os.environ.get("MAI_LOOK"):
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        (target / f"{look}.png").write_bytes(shown.picture())
