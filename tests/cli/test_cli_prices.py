"""`mai prices`: rows with their sources, and how they compare with Azure's price list."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

OVERLAY = """
[[prices]]
model = "MAI-Image-2.5-Flash"
meter = "image_output_tokens"
price = "19.50"
unit = "1M tokens"
source = "our invoice of October"

[[plans]]
name = "PTU east"
hourly = "1.50"
units = 10
valid_from = 2026-11-01
models = ["MAI-Thinking-1"]
"""


@pytest.fixture
def overlay(monkeypatch):
    Path("prices.toml").write_text(OVERLAY)
    monkeypatch.setenv("MAI_PRICES", "prices.toml")


def item(name, price, **fields):
    return {
        "currencyCode": "USD",
        "tierMinimumUnits": 0.0,
        "retailPrice": price,
        "effectiveStartDate": "2026-09-01T00:00:00Z",
        "meterName": f"{name} Tokens",
        "productName": "MAI Models",
        "skuName": name,
        "serviceName": "Foundry Models",
        "unitOfMeasure": "1K",
        "type": "Consumption",
        **fields,
    }


PAGES = [
    [
        item("MAI-Thinking-1 Inp glbl", 0.002),
        item("gpt-5 Inp glbl", 0.00125, productName="Azure OpenAI"),
    ],
    [item("MAI-Thinking-1 Outp glbl", 0.0075), item("MAI-Voice-9 Chars", 1)],
]


class PriceList(HTTPServer):
    """Answers as the price list does, a page at a time."""

    pages = PAGES
    status = 200
    asked: list[str]
    body: bytes | None = None
    elsewhere: str | None = None


class Answer(BaseHTTPRequestHandler):
    server: PriceList

    def do_GET(self):
        self.server.asked.append(self.path)
        skip = int(parse_qs(urlsplit(self.path).query).get("$skip", ["0"])[0])
        home = f"http://127.0.0.1:{self.server.server_port}/api/retail/prices"
        more = skip + 1 < len(self.server.pages)
        link = self.server.elsewhere or (f"{home}?$skip={skip + 1}" if more else None)
        page = {"Items": self.server.pages[skip], "NextPageLink": link, "Count": 2}
        body = self.server.body or json.dumps(page).encode()
        self.send_response(self.server.status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def price_list():
    server = PriceList(("127.0.0.1", 0), Answer)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def address(server):
    return f"http://127.0.0.1:{server.server_port}/api/retail/prices"


def test_every_row_is_shown_with_its_source_in_80_columns(mai):
    code, out, err = mai("prices")
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    for word in ("MAI-Thinking-1", "cached_input_tokens", "checked 2026-11-22", "a claim", "vllm"):
        assert word in out


@pytest.mark.parametrize("width", ["60", "100"])
def test_it_wraps_to_the_terminal(mai, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", width)
    assert max(map(len, mai("prices")[1].splitlines())) <= int(width)


def test_a_conflict_says_which_row_is_used(mai):
    out = " ".join(mai("prices", "mai-image-2.5-flash")[1].split())
    assert "CONFLICT: used, as the dearest; others say $19.50 per 1M tokens" in out
    assert "CONFLICT: not used, others say $33.00 per 1M tokens" in out
    assert "MAI-Thinking-1" not in out


def test_the_users_own_prices_come_first(mai, overlay):
    out = mai("prices", "MAI-Image-2.5-Flash")[1]
    assert out.startswith("Your prices, which win\n")
    assert out.index("our invoice of October") < out.index("Packaged prices")
    assert "CONFLICT" not in out


def test_a_day_leaves_out_what_does_not_hold_then(mai):
    rows = json.loads(mai("prices", "--on", "2025-06-01", "--json")[1])
    assert {(row["model"], row["standing"]) for row in rows} == {("MAI-DS-R1", "used")}
    assert all(isinstance(row["amount"], str) for row in rows)
    assert mai("prices", "MAI-Thinking-1", "--on", "2025-06-01")[1].startswith("No price holds")


def test_a_name_without_rows_is_wrong_usage(mai):
    assert mai("prices", "MAI-Thinking-7")[0] == 2
    assert mai("prices", "MAI-Thinking-1", "MAI-DS-R1")[0] == 2


def test_plans_say_what_they_cost_and_when_they_pay(mai, overlay):
    code, out, _ = mai("prices", "--plans")
    assert code == 0
    assert "$1.50 an hour x 10 units x 24 hours = $360.00 a day, from 2026-11-01" in out
    text = " ".join(out.split())
    assert "cheaper than the list from 180,000,000 input_tokens a day of MAI-Thinking-1" in text
    assert max(map(len, out.splitlines())) <= 80
    (plan,) = json.loads(mai("prices", "--plans", "--json")[1])
    assert (plan["hourly"], plan["a_day"]) == ("1.50", "360.000000000")


def test_without_plans_it_says_how_to_write_one(mai):
    code, _, err = mai("prices", "--plans")
    assert code == 3
    assert "[[plans]]" in err


def test_check_reads_every_page_and_shows_what_differs(mai, price_list):
    before = sorted(Path().iterdir())
    code, out, err = mai("prices", "check", "--endpoint", address(price_list))
    assert (code, err) == (1, "")
    assert len(price_list.asked) == 2
    query = parse_qs(urlsplit(price_list.asked[0]).query)
    assert query == {"$filter": ["serviceName eq 'Foundry Models'"]}
    text = " ".join(out.split())
    assert "output_tokens: there $7.50 per 1M tokens, here $8.00 per 1M tokens" in text
    assert 'price = "7.50"' in out
    assert "MAI-Voice-9" in out
    assert "gpt-5" not in out
    assert "1 agree, 1 differ, 0 only there" in text
    prose, _, _table = out.partition("[[prices]]")
    assert max(map(len, prose.splitlines())) <= 80
    assert sorted(Path().iterdir()) == before  # nothing was changed


def test_check_of_a_saved_answer_needs_no_network(mai):
    Path("page.json").write_text(json.dumps({"Items": PAGES[0], "NextPageLink": None}))
    code, out, _ = mai("prices", "check", "MAI-Thinking-1", "--file", "page.json", "--json")
    found = json.loads(out)
    assert code == 0
    assert [each["meter"] for each in found["agree"]] == ["input_tokens"]
    assert {row["model"] for row in found["only_here"]} == {"MAI-Thinking-1"}
    assert (found["items"], found["overlay"]) == (2, "")


def test_offline_it_says_what_to_do(mai, price_list):
    gone = address(price_list)
    price_list.shutdown()
    price_list.server_close()
    code, out, err = mai("prices", "check", "--endpoint", gone, "--timeout", "5")
    assert (code, out) == (1, "")
    assert "could not be asked" in err
    assert "--file" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"status": 503}, "HTTP 503"),
        ({"body": b"<html>"}, "no answer of the Azure Retail Prices API"),
        ({"body": b"{}"}, "it has no Items"),
        ({"elsewhere": "http://127.0.0.2:1/"}, "lead elsewhere"),
        ({"elsewhere": "here"}, "lead elsewhere"),
    ],
)
def test_an_answer_that_cannot_be_used_is_a_sentence(mai, price_list, how, said):
    vars(price_list).update(how)
    code, out, err = mai("prices", "check", "--endpoint", address(price_list))
    assert (code, out) == (1, "")
    assert said in err


def test_pages_that_lead_back_are_not_read_for_ever(mai, price_list):
    price_list.elsewhere = f"{address(price_list)}?$skip=1"
    code, _, err = mai("prices", "check", "--endpoint", address(price_list))
    assert code == 1
    assert "do not end" in err
    assert len(price_list.asked) == 2


@pytest.mark.parametrize("words", [["--endpoint", "prices"], ["--file", "none.json"]])
def test_what_cannot_be_asked_is_wrong_usage(mai, words):
    assert mai("prices", "check", *words)[0] == 2
