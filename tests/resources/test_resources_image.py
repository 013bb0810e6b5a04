"""`client.image` through the emulator: sync and async must tell the same story."""

import asyncio
import base64
import io
import json
import pickle
import sys
import threading
from decimal import Decimal

import pytest
from PIL import Image as Pillow

from forms import parts_of
from mai_sdk import Images, Timeouts
from mai_sdk.config import Route, Secret
from mai_sdk.emulator.painting import paint, scene_in
from mai_sdk.emulator.scene import Scene
from mai_sdk.errors import (
    AuthenticationFailed,
    CallFailed,
    ContentFiltered,
    DeploymentNotFound,
    InvalidRequest,
    LedgerError,
    NotConfigured,
    RateLimited,
    ServiceUnavailable,
    TimedOut,
    UnreadableAnswer,
    UnsupportedFeature,
)
from mai_sdk.metering.memory import MemoryLedger
from mai_sdk.resources.drawing import Drawing
from mai_sdk.wire.png import png_size

LAKE = paint(Scene(7, "day"), width=768, height=768)
JPEG = b"\xff\xd8\xff\xe0" + b"a photograph"
M25 = "MAI-Image-2.5"


@pytest.fixture(params=["sync", "async"])
def do(request, emulator):
    """`do(verb, *words, **arguments)` on a fresh client, in both worlds; `do.client` after."""

    def call(verb, *words, client=None, **arguments):
        if request.param == "sync":
            with emulator.client(**(client or {})) as sync:
                call.client = sync
                return getattr(sync.image, verb)(*words, **arguments)

        async def main():
            async with emulator.async_client(**(client or {})) as client_:
                call.client = client_
                return await getattr(client_.image, verb)(*words, **arguments)

        return asyncio.run(main())

    return call


@pytest.fixture
def refused(do, emulator):
    """Expects an error before anything is sent; returns its text."""

    def call(verb, *words, kind=InvalidRequest, **arguments):
        with pytest.raises(kind) as caught:
            do(verb, *words, **arguments)
        assert len(emulator.journal) == 0
        assert list(do.client.costs.entries()) == []
        return caught.value.message

    return call


def states(do):
    return [entry.state for entry in do.client.costs.entries()]


def test_a_picture_says_what_it_is_and_what_it_took(do, tmp_path):
    emulated = do("generate", "a lake", model=M25, width=1024, height=1024, tags={"team": "a"})
    (picture,) = emulated.images
    assert (picture.width, picture.height) == png_size(picture.data) == (1024, 1024)
    assert picture.save(tmp_path / "lake.png").read_bytes() == picture.data
    assert picture._repr_png_() == picture.data
    assert emulated.notes == ()
    assert (emulated.model, emulated.deployment, emulated.attempts) == (M25, M25, 1)
    assert emulated.request_id == picture.request_id is not None
    assert 0 < emulated.timing.first_byte <= emulated.timing.total
    assert emulated.raw[0]["size"] == "1024x1024"
    (entry,) = do.client.costs.entries()
    assert (entry.operation.modality, entry.operation.verb) == ("image", "generate")
    assert entry.operation.tags == {"team": "a"}
    assert entry.operation.call_id == emulated.call_id
    assert entry.cost == emulated.cost


def test_a_picture_of_1024x1024_costs_so_many_nano_dollars(do, emulator):
    emulator.fault("status", code=503, retry_after=0)
    made = do("generate", "A red fox", model=M25, width=1024, height=1024)
    text = made.usage.text_input_tokens
    assert made.usage.meters() == {
        "input_tokens": text,
        "text_input_tokens": text,
        "image_input_tokens": 0,
        "output_tokens": 1024,
        "image_output_tokens": 1024,
        "images": 1,
    }
    # $5 and $47 for a million tokens.
    assert (text, made.cost.nanodollars) == (3, 3 * 5_000 + 1024 * 47_000)
    assert made.cost.nanodollars == 48_143_000
    assert made.cost.status == "exact"
    assert states(do) == ["released", "settled_exact"]


def test_both_worlds_ask_the_same_of_the_service_and_only_what_was_given(emulator):
    with emulator.client() as client:
        client.image.generate("a lake", model="MAI-Image-2.6", web_grounding=False)

    async def main():
        async with emulator.async_client() as client:
            await client.image.generate("a lake", model="MAI-Image-2.6", web_grounding=False)

    asyncio.run(main())
    one, two = emulator.journal
    assert one.body == two.body
    assert one.json == {"model": "MAI-Image-2.6", "prompt": "a lake", "web_grounding": False}
    assert set(one.headers) == set(two.headers)


@pytest.mark.parametrize("transport", ["httpx2", "pyreqwest"])
def test_a_picture_comes_over_either_transport(do, transport):
    client = {"transport": transport}
    made = do("generate", "a lake", client=client, width=768, height=768, n=2)
    assert [picture.width for picture in made.images] == [768, 768]
    edited = do("edit", "night", client=client, images=made)
    assert scene_in(edited.images[0].data).light == "night"


def test_the_repr_and_the_error_show_no_bytes_and_json_has_them_all(do):
    made = do("generate", "a lake", width=768, height=768)
    assert len(repr(made)) < 3000
    assert "PNG" not in repr(made)
    back = Images.model_validate_json(made.model_dump_json())
    assert back.images[0].data == made.images[0].data
    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301 - our own


def test_a_picture_opens_in_pillow_or_says_what_to_install(do, monkeypatch):
    made = do("generate", "a lake", width=768, height=768).images[0]
    with made.open() as picture:
        assert isinstance(picture, Pillow.Image)
        assert picture.size == (768, 768)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(UnsupportedFeature, match=r"mai-sdk\[pillow\]"):
        made.open()


# ---------------------------------------------------------------- sizes


def test_a_size_is_rounded_down_and_says_so(do, emulator):
    made = do("generate", "x", model="MAI-Image-2.6", width=1366, height=768)
    assert (made.images[0].width, made.images[0].height) == (1360, 768)
    (note,) = made.notes
    assert "1366x768 was asked for" in note
    assert "1360x768" in note
    assert (emulator.journal[0].json["width"], emulator.journal[0].json["height"]) == (1360, 768)


def test_a_picture_of_another_size_than_was_asked_for_says_so(do, emulator):
    emulator.reply(image=LAKE)
    made = do("generate", "x", width=1024, height=1024)
    assert made.notes == ("1024x1024 was requested, and the service made 768x768.",)


@pytest.mark.parametrize("model", [M25, "MAI-Image-2.6", "MAI-Image-2.7"])
def test_767_pixels_are_too_few_for_every_generation(refused, model):
    assert "at least 768" in refused("generate", "x", model=model, width=767, height=1024)
    assert "at least 768" in refused("edit", "x", model=model, width=1024, height=767, images=LAKE)


def test_1536x1024_is_too_large_for_the_first_generation_only(do, refused):
    for model in (M25, "MAI-Image-2.5-Flash", "MAI-Image-2.5-Pro"):
        said = refused("generate", "x", model=model, width=1536, height=1024)
        assert "1,572,864 pixels" in said
        assert "Ask for 1248x832, or use MAI-Image-2.6" in said
    for model in ("MAI-Image-2.6", "MAI-Image-2.7"):
        made = do("generate", "x", model=model, width=1536, height=1024)
        assert made.usage.output_tokens == 1536


def test_2048_pixels_a_side_are_for_the_last_generation_only(do, refused):
    for model in (M25, "MAI-Image-2.6"):
        assert "MAI-Image-2.7" in refused("generate", "x", model=model, width=2048, height=2048)
    assert "draws at most" in refused(
        "generate", "x", model="MAI-Image-2.7", width=2064, height=2048
    )
    made = do("generate", "x", model="MAI-Image-2.7", width=2048, height=2048)
    assert made.images[0].height == 2048
    assert made.usage.output_tokens == 4096


def test_one_side_alone_is_refused_and_none_is_the_service_s_choice(do, emulator, refused):
    assert "Only width" in refused("generate", "x", width=1024)
    assert "Only height" in refused("generate", "x", height=1024)
    for side in (0, -1, 1024.0, True, "1024"):
        refused("generate", "x", width=side, height=1024)
    assert do("generate", "x").images[0].width == 1024
    assert "width" not in emulator.journal[0].json


def test_a_model_that_the_catalog_does_not_know_is_not_limited(do, emulator):
    with pytest.raises(DeploymentNotFound):
        do("generate", "x", model="a-deployment", width=100, height=9001)
    assert emulator.journal[0].json == {
        "model": "a-deployment", "prompt": "x", "width": 100, "height": 9001,
    }  # fmt: skip


def test_a_deployment_of_ones_own_is_limited_by_the_model_its_route_names(do, refused):
    route = Route(
        surface="foundry",
        endpoint="https://x.example",
        deployment="d",
        model=M25,
        credential=Secret("key"),
    )
    client = {"routes": {"mine": route}}
    refused("generate", "x", model="mine", client=client, width=1536, height=1024)


# ---------------------------------------------------------------- what is refused here


@pytest.mark.parametrize(
    "wrong",
    [
        {"n": 0},
        {"n": True},
        {"n": 1.5},
        {"requests_per_minute": 0},
        {"requests_per_minute": float("inf")},
        {"requests_per_minute": "2"},
        {"n": 100, "requests_per_minute": 2},
        {"n": 3, "requests_per_minute": 2, "timeout": 60},
        {"background": "auto"},
        {"auto_aspect_ratio": 1},
        {"web_grounding": "yes"},
        {"model": " "},
        {"extra_headers": {"api-key": "k"}},
        {"extra_body": {"x": object()}},
        {"tags": {"a": 1}},
    ],
)
def test_an_argument_that_cannot_be_meant_is_refused_before_anything_is_sent(refused, wrong):
    refused("generate", "x", **wrong)
    refused("edit", "x", images=LAKE, **wrong)


@pytest.mark.parametrize("prompt", ["", " \n", None, b"x", ["x"]])
def test_a_prompt_that_says_nothing_is_refused(refused, prompt):
    refused("generate", prompt)


def test_what_a_model_is_known_not_to_do_is_refused_naming_those_that_do(refused):
    def said(verb="generate", **arguments):
        return refused(verb, "x", kind=UnsupportedFeature, **arguments)

    assert "MAI-Image-2.7" in said(model=M25, background="transparent")
    assert "MAI-Image-2.6" in said(model=M25, web_grounding=True)
    assert "MAI-Image-2.6" in said("edit", model="MAI-Image-2", images=LAKE)
    assert "MAI-Image-2.6" in said(model="MAI-Thinking-1")


def test_pictures_need_the_foundry_surface(do, emulator):
    route = Route(
        surface="openai-v1", endpoint=emulator.url, deployment="d", credential=Secret(emulator.key)
    )
    with pytest.raises(UnsupportedFeature, match="foundry"):
        do("generate", "x", model="v1", client={"routes": {"v1": route}})


def test_without_an_endpoint_it_says_what_to_set(do):
    with pytest.raises(NotConfigured, match="foundry_endpoint"):
        do("generate", "x", client={"foundry_endpoint": None, "foundry_api_key": None})


# ---------------------------------------------------------------- edits


def test_an_edit_keeps_the_scene_and_costs_for_what_went_in(do):
    made = do("edit", "make it night", images=LAKE, model=M25)
    assert scene_in(made.images[0].data) == Scene(7, "night")
    assert (made.usage.image_input_tokens, made.usage.images) == (800, 1)
    tokens = made.usage.text_input_tokens * 5 + 800 * 8 + made.usage.image_output_tokens * 47
    assert made.cost.nanodollars == tokens * 1000
    assert made.cost.status == "exact"


def test_a_picture_can_be_given_in_every_way(do, emulator, tmp_path):
    path = tmp_path / "my holiday.png"
    path.write_bytes(LAKE)
    made = do("generate", "a lake", width=768, height=768)
    url = f"data:image/png;base64,{base64.b64encode(LAKE).decode()}"
    with path.open("rb") as file:
        do("edit", "x", images=[path, str(path), LAKE, file, url], model="MAI-Image-2.6")
    form = parts_of(emulator.journal[-1])
    sent = [field for field in form if field.name == "image"]
    assert [field.data for field in sent] == [LAKE] * 5
    assert [field.filename for field in sent] == [f"image-{n}.png" for n in range(1, 6)]
    do("edit", "x", images=[bytearray(JPEG), made.images[0], made], model="MAI-Image-2.6")
    form = parts_of(emulator.journal[-1])
    sent = [(f.content_type, f.data) for f in form if f.name == "image"]
    assert sent[0] == ("image/jpeg", JPEG)
    assert sent[1] == sent[2] == ("image/png", made.images[0].data)


def test_a_file_that_cannot_be_a_picture_is_refused_before_anything_is_sent(refused, tmp_path):
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "page.gif").write_bytes(b"GIF89a and more")
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "folder.png").mkdir()

    def said(image):
        return refused("edit", "x", images=image)

    assert "empty.png) is empty" in said(tmp_path / "empty.png")
    assert "is image/gif. Only PNG and JPEG" in said(tmp_path / "page.gif")
    assert "is no picture by its first bytes" in said(str(tmp_path / "notes.txt"))
    assert "No such file" in said(tmp_path / "missing.png")
    assert "is a folder" in said(tmp_path / "folder.png")
    assert "is empty" in said(b"")
    assert "is empty" in said(io.BytesIO())
    assert 'Open it with "rb"' in said(io.StringIO("text"))
    assert "Nothing is fetched for you" in said("https://x.example/a.png")
    assert "not base64" in said("data:image/png;base64,@@@")
    assert "comma" in said("data:image/png")
    assert "Only PNG and JPEG" in said("data:text/plain,hello%20there")
    assert "at least one picture" in said([])
    assert "Picture 2 is a int" in said([LAKE, 5])
    assert "images is a dict" in said({"a": LAKE})
    assert "cannot be read" in said("a\0b.png")
    assert "at most 5" in said([LAKE] * 6)


def test_a_device_is_no_picture(refused):
    assert "no ordinary file" in refused("edit", "x", images="/dev/zero")


# ---------------------------------------------------------------- usage that is not said


def test_usage_at_the_top_of_the_answer_is_usage(do, emulator):
    emulator.fault("image_usage", shape="output_image_tokens")
    made = do("generate", "x", model=M25)
    assert made.usage.output_tokens == 1024
    assert made.usage.basis == "estimated", "the prompt was not counted by the service"
    assert made.cost.status == "estimated"


@pytest.mark.parametrize("fault", [("no_usage", {}), ("image_usage", {"shape": "top_level"})])
def test_what_the_service_does_not_say_is_counted_and_labelled(do, emulator, fault):
    emulator.fault(fault[0], **fault[1])
    made = do("generate", "a lake at dusk", model=M25, width=1248, height=832)
    assert made.usage.output_tokens == 1014
    assert made.usage.text_input_tokens == 4
    assert made.usage.image_input_tokens == 0, "none went in"
    assert made.usage.basis == "estimated"
    assert made.cost.nanodollars == 4 * 5_000 + 1014 * 47_000
    assert states(do) == ["settled_estimated"]


def test_an_edit_whose_input_is_not_said_costs_at_least_so_much(do, emulator):
    emulator.fault("image_usage", shape="output_only")
    made = do("edit", "make it night", model=M25, images=LAKE)
    assert made.usage.image_input_tokens is None
    assert made.usage.basis == "lower_bound"
    assert made.cost.status == "lower_bound"
    assert made.cost.amount >= Decimal(made.usage.output_tokens * 47) / 1_000_000


def test_an_edit_on_a_model_without_a_price_for_pictures_is_unknown_not_free(do):
    made = do("edit", "make it night", model="MAI-Image-2.6", images=LAKE)
    assert made.cost.amount is None
    assert "for image_input_tokens of MAI-Image-2.6" in made.cost.reason


def test_a_picture_that_is_no_png_has_no_size_and_unknown_usage(do, emulator):
    emulator.reply(image=b"WEBP or whatever")
    emulator.fault("no_usage")
    made = do("generate", "x", model=M25)
    assert made.images[0].data == b"WEBP or whatever"
    assert made.images[0].width is None
    assert made.usage.basis == "unknown"
    assert made.cost.status == "unknown"


# ---------------------------------------------------------------- failures


def test_a_safety_stop_is_an_error_in_either_form(do, emulator):
    emulator.fault("content_filter", shape="mai")
    with pytest.raises(ContentFiltered, match="MultiSeverity_ViolenceScore"):
        do("generate", "a secret prompt")
    for shape in ("empty", "null"):
        emulator.fault("no_picture", shape=shape)
        with pytest.raises(ContentFiltered) as caught:
            do("generate", "a secret prompt", model=M25)
        assert caught.value.partial is None
        assert caught.value.receipt.cost.status == "exact", "it was billed all the same"
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("body", ["json", "html", "empty"])
def test_a_failure_after_which_it_may_have_been_drawn_is_not_repeated(do, emulator, body):
    emulator.fault("status", code=502, body=body)
    with pytest.raises(ServiceUnavailable, match="resend_unknown=True") as caught:
        do("generate", "x")
    assert len(emulator.journal) == 1
    assert states(do) == ["unknown"]
    assert caught.value.receipt.cost.status == "unknown"


def test_it_is_repeated_once_where_the_caller_says_so(do, emulator):
    emulator.fault("status", code=500)
    made = do("generate", "x", resend_unknown=True)
    assert made.attempts == 2
    assert states(do) == ["unknown", "settled_exact"]
    assert made.cost.status == "unknown"


def test_a_rate_limit_is_waited_out_as_it_asks(do, emulator):
    emulator.fault("rate_limit", retry_after=None, retry_after_ms=1, times=2)
    assert do("generate", "x").attempts == 3
    assert states(do) == ["released", "released", "settled_exact"]


def test_an_answer_that_never_comes_times_out_and_is_not_repeated(do, emulator):
    emulator.fault("stall")
    with pytest.raises(TimedOut, match="resend_unknown"):
        do("generate", "x", timeout=Timeouts(first_byte=0.5))
    emulator.release()
    emulator.journal.wait(1)
    assert states(do) == ["unknown"]


def test_a_broken_answer_is_unreadable_and_its_cost_unknown(do, emulator):
    for fault in ("html_200", "empty_200", "bad_json"):
        emulator.fault(fault)
        with pytest.raises(UnreadableAnswer) as caught:
            do("generate", "x")
        assert "resend_unknown" not in caught.value.message
        assert states(do) == ["unknown"]


def test_a_missing_model_says_what_is_known_of_it(do):
    with pytest.raises(DeploymentNotFound, match="Names like it: MAI-Image-2"):
        do("generate", "x", model="MAI-Image-2.8")


# ---------------------------------------------------------------- several


def test_several_pictures_are_one_call_with_a_receipt_for_each(do, emulator):
    made = do("generate", "a lake", model=M25, n=3)
    assert len(made.images) == made.attempts == made.usage.images == 3
    assert {picture.width for picture in made.images} == {1024}
    assert len({picture.request_id for picture in made.images}) == 3
    entries = list(do.client.costs.entries())
    assert {entry.operation.call_id for entry in entries} == {made.call_id}
    assert sorted(entry.number for entry in entries) == [1, 2, 3]
    assert [attempt.number for attempt in made.receipt.attempts] == [1, 2, 3]
    assert made.cost.amount == sum(entry.cost.amount for entry in entries)
    assert all("n" not in entry.json for entry in emulator.journal)


def test_what_came_is_not_lost_where_others_failed(do, emulator):
    emulator.fault("content_filter", shape="mai")
    with pytest.raises(ContentFiltered, match=r"2 of 3 pictures came") as caught:
        do("generate", "a lake", model=M25, n=3)
    assert isinstance(caught.value.partial, Images)
    assert len(caught.value.partial.images) == 2
    assert caught.value.receipt.attempts == caught.value.partial.receipt.attempts
    assert len(caught.value.receipt.attempts) == 3
    assert sorted(states(do)) == ["settled_exact", "settled_exact", "unknown"]


def test_where_none_came_it_says_so(do, emulator):
    emulator.fault("rate_limit", retry_after=999, times=None)
    with pytest.raises(RateLimited, match="None of the 2 pictures came") as caught:
        do("generate", "a lake", n=2)
    assert caught.value.partial is None
    assert caught.value.attempts == 2


def until_both_are_there(emulator):
    for _ in range(1000):
        if len(emulator.journal) == 2:
            return True
        threading.Event().wait(0.005)
    return False


def test_pictures_are_drawn_side_by_side(do, emulator):
    emulator.fault("stall", times=2)
    met = threading.Event()

    def release_once_both_are_there():
        if until_both_are_there(emulator):
            met.set()
        emulator.release()

    watching = threading.Thread(target=release_once_both_are_there)
    watching.start()
    assert len(do("generate", "a lake", width=768, height=768, n=2).images) == 2
    watching.join()
    assert met.is_set()


class Full(MemoryLedger):
    """Takes one attempt, then no more."""

    def __init__(self):
        super().__init__()
        self.left = 1

    def reserve(self, entry):
        if not self.left:
            raise LedgerError("The disk is full.")
        self.left -= 1
        super().reserve(entry)


def test_a_ledger_that_fails_does_not_take_paid_pictures_with_it(do):
    with pytest.raises(CallFailed, match="disk is full") as caught:
        do("generate", "a lake", n=2, client={"ledger": Full()})
    assert len(caught.value.partial.images) == 1
    assert isinstance(caught.value.__cause__, LedgerError)
    with pytest.raises(LedgerError):
        broken = Full()
        broken.left = 0
        do("generate", "a lake", client={"ledger": broken})


def test_a_cancelled_call_leaves_a_row_for_every_request_that_was_out(emulator):
    async def main():
        async with emulator.async_client() as client:
            emulator.fault("stall", times=2)
            task = asyncio.ensure_future(client.image.generate("x", width=768, height=768, n=2))
            await asyncio.to_thread(until_both_are_there, emulator)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return [(entry.state, entry.error) for entry in client.costs.entries()]

    assert asyncio.run(main()) == [("unknown", "CancelledError")] * 2
    emulator.journal.wait(2)


# ---------------------------------------------------------------- pace


@pytest.fixture
def paced(emulator):
    """A sync client whose clock stands still; `paced.slept` has how long it would have slept."""
    with emulator.client() as client:
        client.slept = []
        client._core.engine.clock = lambda: 100.0
        client._driver._sleep = client.slept.append
        yield client


def test_requests_begin_evenly_spread_within_the_pace(paced):
    assert len(paced.image.generate("x", n=3, requests_per_minute=2).images) == 3
    assert sum(paced.slept) == 30 + 60


def test_the_pace_is_kept_over_calls_and_by_deployment(paced):
    paced.image.generate("x", requests_per_minute=6)
    paced.image.generate("x", requests_per_minute=6)
    assert sum(paced.slept) == 10
    paced.image.generate("x", requests_per_minute=6, model="MAI-Image-2.7")
    assert sum(paced.slept) == 10


def test_what_is_refused_for_good_is_not_asked_again_nor_waited_for(emulator, monkeypatch):
    emulator.fault("key_echo", times=None)
    refused, known, slept = threading.Event(), [None], []

    def sleep(seconds):
        slept.append(seconds)
        assert refused.wait(5)

    def learn(_, error):
        known[0] = error
        if error is not None:
            refused.set()

    monkeypatch.setattr(Drawing, "_refused", property(lambda _: known[0], learn), raising=False)
    with emulator.client() as client:
        client._driver._sleep = sleep
        with pytest.raises(AuthenticationFailed, match="None of the 3"):
            client.image.generate("x", n=3, requests_per_minute=0.2)
    assert len(emulator.journal) == 1
    assert sum(slept) < 10, "the last would have waited ten minutes"


# ---------------------------------------------------------------- questions


def test_a_question_goes_to_a_model_that_sees(do, emulator, tmp_path):
    path = tmp_path / "lake.png"
    path.write_bytes(LAKE)
    reply = do("ask", "What is in this picture?", images=[path, "https://x.example/a.png"])
    assert reply.text
    assert reply.model == "MAI-Code-1.1-Flash"
    assert emulator.journal[0].path == "/openai/v1/chat/completions"
    content = emulator.journal[0].json["messages"][0]["content"]
    assert content[0] == {"type": "text", "text": "What is in this picture?"}
    assert content[1]["image_url"]["url"].startswith("data:image/png;base64,")
    assert content[2]["image_url"]["url"] == "https://x.example/a.png"
    (entry,) = do.client.costs.entries()
    assert (entry.operation.modality, entry.operation.verb) == ("image", "ask")
    assert entry.cost == reply.cost


def test_a_picture_of_ours_can_be_asked_about(do):
    made = do("generate", "a lake", width=768, height=768)
    assert do("ask", "What is it?", images=made).text


@pytest.mark.parametrize(
    "model", [M25, "MAI-Image-2.7", "MAI-Thinking-1", "MAI-Code-1-Flash", "MAI-Voice-2"]
)
def test_a_model_that_does_not_see_is_refused_naming_those_that_do(refused, model):
    said = refused("ask", "What?", images=LAKE, model=model, kind=UnsupportedFeature)
    assert said.startswith(model)
    assert "MAI-Code-1.1-Flash" in said


def test_the_claim_that_an_image_model_understands_stays_a_claim(emulator):
    with emulator.client() as client:
        rows = client.models.get(M25).capabilities
        said = {row.value for row in rows if row.name == "image_understanding"}
        assert said == {"no", "claimed"}
        assert client.models.get(M25).can("image_understanding") is False


def test_a_deployment_nobody_knows_is_asked(do, emulator):
    with pytest.raises(DeploymentNotFound):
        do("ask", "What?", images=LAKE, model="my-vision")
    assert emulator.journal[0].json["model"] == "my-vision"


@pytest.mark.parametrize("wrong", [{"model": " "}, {"model": 5}, {"max_output_tokens": 0}])
def test_a_question_that_cannot_be_meant_is_refused(refused, wrong):
    refused("ask", "What?", images=LAKE, **wrong)


def test_a_picture_that_cannot_be_one_is_refused_for_questions_too(refused, tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    assert "not a PNG" in refused("ask", "What?", images=tmp_path / "notes.txt")
    assert "cannot be read" in refused("ask", "What?", images=tmp_path / "missing.png")
    assert "at least one" in refused("ask", "What?", images=[])


def test_no_picture_and_no_prompt_is_in_a_ledger_row(do):
    made = do("generate", "a secret lake", width=768, height=768)
    (entry,) = do.client.costs.entries()
    assert "secret" not in repr(entry)
    assert "secret" not in made.receipt.explain()
    assert json.loads(made.receipt.model_dump_json())["attempts"]


def test_a_prompt_that_no_text_can_carry_is_refused(do, emulator):
    with pytest.raises(InvalidRequest, match="written down"):
        do("edit", "half a \ud83d", images=[LAKE], model="MAI-Image-2.6")
    assert not emulator.journal


def test_a_header_that_lies_of_its_size_is_no_measure_of_the_cost(do, emulator):
    side = (2**31 - 1).to_bytes(4)
    lies = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR" + side + side
    emulator.fault("no_usage")
    emulator.reply(image=lies)
    made = do("generate", "x", model=M25)
    assert (made.usage.output_tokens, made.usage.basis) == (None, "unknown")
    assert made.cost.amount is None
