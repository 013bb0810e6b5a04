"""Pictures on the wire: what goes out, and answers in every form that was seen."""

import base64

import pytest

from mai_sdk.errors import (
    AnswerTooLarge,
    ContentFiltered,
    RateLimited,
    RequestRejected,
    ServiceUnavailable,
    UnreadableAnswer,
)
from mai_sdk.wire import images
from mai_sdk.wire.failures import read_failure
from mai_sdk.wire.images import (
    ImageRequest,
    Reference,
    edit_parts,
    generation_body,
    output_tokens,
    read_images,
)

B64 = base64.b64encode(b"a picture").decode()


def answered(**fields):
    return read_images({"created": 0, "data": [{"b64_json": B64}], **fields}, surface="foundry")


def test_only_what_was_given_is_asked_for():
    assert generation_body(ImageRequest(prompt="a lake", deployment="d")) == {
        "model": "d",
        "prompt": "a lake",
    }


def test_everything_documented_can_be_asked_for_and_extra_fields_win():
    request = ImageRequest(
        prompt="a lake",
        deployment="d",
        width=1024,
        height=768,
        auto_aspect_ratio=False,
        web_grounding=True,
        background="transparent",
        extra_body={"width": 900, "seed": 3},
    )
    assert generation_body(request) == {
        "model": "d",
        "prompt": "a lake",
        "width": 900,
        "height": 768,
        "auto_aspect_ratio": False,
        "web_grounding": True,
        "background": "transparent",
        "seed": 3,
    }


def test_an_edit_is_a_form_whose_part_image_is_repeated():
    request = ImageRequest(
        prompt="Nacht über dem See",
        deployment="d",
        web_grounding=True,
        auto_aspect_ratio=False,
        references=(
            Reference(filename="image-1.png", content_type="image/png", data=b"one"),
            Reference(filename="image-2.jpg", content_type="image/jpeg", data=b"two"),
        ),
        extra_body={"note": "as it is", "list": [1]},
    )
    parts = [(p.name, p.filename, p.content_type, p.data) for p in edit_parts(request)]
    assert parts == [
        ("model", None, None, b"d"),
        ("prompt", None, None, "Nacht über dem See".encode()),
        ("auto_aspect_ratio", None, None, b"false"),
        ("web_grounding", None, None, b"true"),
        ("note", None, None, b"as it is"),
        ("list", None, None, b"[1]"),
        ("image", "image-1.png", "image/png", b"one"),
        ("image", "image-2.jpg", "image/jpeg", b"two"),
    ]


@pytest.mark.parametrize(
    ("width", "height", "tokens"),
    [(768, 768, 576), (1024, 1024, 1024), (1280, 768, 960), (1248, 832, 1014)],
)
def test_output_tokens_are_those_of_every_published_answer(width, height, tokens):
    assert output_tokens(width, height) == tokens


FULL = {"num_output_tokens": 576, "num_input_text_tokens": 10, "num_input_image_tokens": 0}


@pytest.mark.parametrize(
    ("fields", "usage"),
    [
        (
            {"usage": FULL},
            {
                "input_tokens": 10,
                "text_input_tokens": 10,
                "image_input_tokens": 0,
                "output_tokens": 576,
                "image_output_tokens": 576,
            },
        ),
        (
            FULL,
            {
                "input_tokens": 10,
                "text_input_tokens": 10,
                "image_input_tokens": 0,
                "output_tokens": 576,
                "image_output_tokens": 576,
            },
        ),
        ({"num_output_tokens": 1024}, {"output_tokens": 1024, "image_output_tokens": 1024}),
        (
            {"usage": {"output_image_tokens": 1024}},
            {"output_tokens": 1024, "image_output_tokens": 1024},
        ),
        (
            {"usage": {"num_output_tokens": 1024, "num_input_text_tokens": 7}},
            {"text_input_tokens": 7, "output_tokens": 1024, "image_output_tokens": 1024},
        ),
        ({}, None),
        ({"usage": None}, None),
        ({"usage": {"num_output_tokens": -1, "num_input_text_tokens": "10"}}, None),
        ({"usage": {"num_output_tokens": True}}, None),
    ],
)
def test_usage_is_read_in_every_form_it_comes_in(fields, usage):
    assert answered(**fields).usage == usage


def test_an_answer_is_kept_untouched_with_its_unknown_fields():
    raw = {"data": [{"b64_json": B64, "revised_prompt": "a big lake"}], "model": "m", "new": 1}
    drawn = read_images(raw, surface="foundry")
    assert drawn.images == [b"a picture"]
    assert drawn.revised_prompts == ["a big lake"]
    assert drawn.model == "m"
    assert drawn.raw is raw
    assert "picture" not in repr(drawn)


@pytest.mark.parametrize("text", [f"data:image/png;base64,{B64}", B64[:5] + "\n" + B64[5:]])
def test_a_data_url_and_line_breaks_do_not_spoil_a_picture(text):
    assert answered(data=[{"b64_json": text}]).images == [b"a picture"]


@pytest.mark.parametrize("data", [[], [{"b64_json": None}], [{}], [None]])
def test_no_picture_in_a_good_answer_is_a_filtered_one(data):
    with pytest.raises(ContentFiltered) as caught:
        answered(data=data)
    assert caught.value.partial is None
    with pytest.raises(ContentFiltered) as caught:
        answered(data=data, usage=FULL)
    assert caught.value.partial.usage["output_tokens"] == 576, "it was billed"


@pytest.mark.parametrize(
    "data", [None, "x", {}, [{"url": "https://x.example/1.png"}], [{"b64_json": "@@@@"}]]
)
def test_an_answer_of_another_form_is_unreadable(data):
    with pytest.raises(UnreadableAnswer):
        answered(data=data)


def test_a_picture_beyond_the_cap_is_not_decoded(monkeypatch):
    monkeypatch.setattr(images, "MAX_IMAGE_BYTES", 3)
    with pytest.raises(AnswerTooLarge):
        answered()


def test_an_error_that_comes_with_200_is_an_error():
    with pytest.raises(RateLimited):
        answered(error={"code": "429", "message": "slow down"})


def failure(status, body, **headers):
    return read_failure(status=status, headers=headers, body=body, surface="foundry")


def test_a_safety_stop_in_the_image_service_s_own_words_is_known():
    error = failure(
        400,
        b'{"error":{"code":"content_safety_violation","message":"Response content blocked by label'
        b' \'MultiSeverity_ViolenceScore\'.","details":"the same"}}',
        **{"x-ms-request-id": "r1"},
    )
    assert isinstance(error, ContentFiltered)
    assert error.request_id == "r1"


def test_a_refused_size_says_what_the_service_said():
    error = failure(
        400,
        b'{"error":{"code":"unsupported_request_value","message":"Model does not support request '
        b"parameter value supplied: 'width' must be at least 768 pixels.\"}}",
    )
    assert type(error) is RequestRejected
    assert "at least 768 pixels" in error.message


def test_html_and_nothing_are_failures_of_the_service():
    page = failure(502, b"<html><h1>502 Bad Gateway</h1></html>", **{"content-type": "text/html"})
    assert isinstance(page, ServiceUnavailable)
    assert "Bad Gateway" in page.body
    assert isinstance(failure(500, b""), ServiceUnavailable)


@pytest.mark.parametrize("count", [-1, 10**30, 1.5, "7", True])
def test_a_figure_that_no_picture_can_use_is_left_out(count):
    usage = {"num_output_tokens": count, "num_input_text_tokens": 4}
    drawn = images.read_images(
        {"data": [{"b64_json": "iVBORw=="}], "usage": usage}, surface="foundry"
    )
    assert drawn.usage == {"text_input_tokens": 4}
