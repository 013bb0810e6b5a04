"""The image surface of the emulator, asked by a plain client and by Microsoft's sample."""

import base64
import time
import zlib
from io import BytesIO

import pytest
import requests
from PIL import Image

from forms import parts_of
from mai_sdk.emulator import EMULATOR_TOKEN
from mai_sdk.emulator.painting import paint, scene_in
from mai_sdk.emulator.png import encode, texts
from mai_sdk.emulator.scene import Scene
from mai_sdk.wire.png import png_size

GENERATE = "/mai/v1/images/generations"
EDIT = "/mai/v1/images/edits"
JPEG = b"\xff\xd8\xff\xe0" + b"a photograph"


def sent(http, **fields):
    body = {"model": "MAI-Image-2.5", "prompt": "a lake", **fields}
    return http.post(GENERATE, json={k: v for k, v in body.items() if v is not None})


def picture_in(answer):
    assert answer.status_code == 200, answer.text
    return base64.b64decode(answer.json()["data"][0]["b64_json"])


def refusal(answer, status=400):
    assert answer.status_code == status, answer.text
    return answer.json()["error"]["code"]


def microsofts_sample(endpoint, api_key, deployment, prompt, path):
    """Microsoft's published sample, as it stands there but for its inputs being arguments."""
    url = f"{endpoint}/mai/v1/images/generations"
    headers = {"Content-Type": "application/json", "api-key": api_key}
    payload = {"model": deployment, "prompt": prompt, "width": 1024, "height": 1024}
    response = requests.post(url, headers=headers, json=payload, timeout=60)
    response.raise_for_status()
    result = response.json()
    image_data = base64.b64decode(result["data"][0]["b64_json"])
    with open(path, "wb") as f:  # noqa: PTH123 - it is not ours
        f.write(image_data)


def test_microsoft_s_sample_and_our_client_ask_alike(emulator, tmp_path):
    microsofts_sample(emulator.url, emulator.key, "MAI-Image-2.5", "A red fox", tmp_path / "a.png")
    with emulator.client() as client:
        ours = client.image.generate("A red fox", model="MAI-Image-2.5", width=1024, height=1024)
    ours.images[0].save(tmp_path / "b.png")
    theirs, mine = emulator.journal
    assert (theirs.method, theirs.path, theirs.query) == (mine.method, mine.path, mine.query)
    assert theirs.path == GENERATE
    assert theirs.json == mine.json
    assert theirs.headers["content-type"] == mine.headers["content-type"]
    assert theirs.headers["api-key"] == mine.headers["api-key"] == "***"
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as picture:
        picture.load()
        assert (picture.format, picture.size) == ("PNG", (1024, 1024))


def test_a_plain_edit_by_another_client_works_and_ours_sends_the_same_parts(emulator, tmp_path):
    (tmp_path / "a.png").write_bytes(lake := paint(Scene(1, "day"), width=768, height=768))
    with (tmp_path / "a.png").open("rb") as file:
        answer = requests.post(
            f"{emulator.url}{EDIT}",
            headers={"api-key": emulator.key},
            data={"model": "MAI-Image-2.5", "prompt": "make it night"},
            files={"image": ("a.png", file, "image/png")},
            timeout=60,
        )
    assert answer.status_code == 200, answer.text
    with emulator.client() as client:
        client.image.edit("make it night", images=tmp_path / "a.png", model="MAI-Image-2.5")
    forms = [parts_of(entry) for entry in emulator.journal[-2:]]
    theirs, mine = ([(f.name, f.content_type, f.data) for f in form] for form in forms)
    assert theirs == mine
    assert mine[-1] == ("image", "image/png", lake)


@pytest.mark.parametrize(
    ("model", "width", "height"),
    [
        ("MAI-Image-2.5", 1024, 1024),
        ("MAI-Image-2.5-Flash", 768, 1365),
        ("MAI-Image-2.6-Flash", 1366, 768),
        ("MAI-Image-2.6", 1536, 1536),
        ("MAI-Image-2.7-Flash", 2048, 2048),
    ],
)
def test_the_picture_has_the_size_asked_for_rounded_down_to_16(http, model, width, height):
    answer = sent(http, model=model, width=width, height=height)
    size = (width // 16 * 16, height // 16 * 16)
    assert png_size(picture_in(answer)) == size
    assert answer.json()["size"] == f"{size[0]}x{size[1]}"
    assert answer.json()["usage"]["num_output_tokens"] == size[0] * size[1] // 1024


def test_the_same_prompt_gives_the_same_picture_and_another_seed_another(emulator, http):
    first = picture_in(sent(http))
    assert first == picture_in(sent(http, n=4)), "n is taken and ignored"
    assert first == picture_in(sent(http, size="256x256")), "so is size"
    assert first != picture_in(sent(http, prompt="another lake"))
    assert paint(Scene.of("a lake", number=1), width=64, height=64) != paint(
        Scene.of("a lake", number=2), width=64, height=64
    )


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"width": 767, "height": 1024}, "unsupported_request_value"),
        ({"width": 1024, "height": 767}, "unsupported_request_value"),
        ({"width": 1536, "height": 1024}, "unsupported_request_value"),
        ({"width": "1024"}, "invalid_request"),
        ({"seed": 1}, "unrecognized_request_argument"),
        ({"response_format": "b64_json"}, "unrecognized_request_argument"),
        ({"negative_prompt": "no"}, "unrecognized_request_argument"),
        ({"quality": "hd"}, "unrecognized_request_argument"),
        ({"background": "opaque"}, "unrecognized_request_argument"),
        ({"web_grounding": True}, "unrecognized_request_argument"),
        ({"model": "MAI-Image-2.7", "background": "auto"}, "unsupported_request_value"),
        ({"model": "MAI-Image-2.6", "web_grounding": "yes"}, "invalid_request"),
        ({"prompt": " "}, "invalid_request"),
        ({"model": None}, "invalid_request"),
    ],
)
def test_what_the_service_refuses_is_refused(http, fields, code):
    assert refusal(sent(http, **fields)) == code


@pytest.mark.parametrize("model", ["MAI-Image-2.6", "MAI-Image-2.7"])
def test_1536x1024_is_refused_by_the_first_generation_only(http, model):
    assert sent(http, model=model, width=1536, height=1024).status_code == 200


def test_keys_tokens_and_deployments_are_checked_as_for_chat(http):
    assert sent(http, model="MAI-Image-9").status_code == 404
    assert sent(http, model="MAI-Thinking-1").status_code == 404
    wrong = http.post(GENERATE, json={}, headers={"api-key": "wrong"})
    assert wrong.status_code == 401
    assert wrong.headers["apim-request-id"]
    del http.headers["api-key"]
    bearer = {"authorization": f"Bearer {EMULATOR_TOKEN}"}
    body = {"model": "MAI-Image-2.5", "prompt": "x"}
    assert http.post(GENERATE, json=body, headers=bearer).status_code == 200
    assert http.post(GENERATE, content=b"[", headers=bearer).status_code == 400


def test_no_chat_surface_serves_a_model_that_draws(http):
    chat = {"model": "MAI-Image-2.5", "messages": [{"role": "user", "content": "What is this?"}]}
    for path in ("/mai/v1/chat/completions", "/openai/v1/chat/completions"):
        assert http.post(path, json=chat).status_code == 404
    assert (
        http.post("/openai/v1/responses", json={"model": "MAI-Image-2.5", "input": "x"}).status_code
        == 404
    )


def edited(http, *images, name="image", filename="a.png", **fields):
    files = [(name, (filename, data, "image/png")) for data in images]
    return http.post(
        EDIT, data={"model": "MAI-Image-2.6", "prompt": "night", **fields}, files=files
    )


def test_an_edit_is_the_first_picture_in_another_light(http):
    day = paint(Scene(77, "day"), width=800, height=768)
    answer = edited(http, day)
    night = picture_in(answer)
    assert scene_in(night) == Scene(77, "night")
    assert png_size(night) == (800, 768)
    assert answer.json()["usage"]["num_input_image_tokens"] == 800
    again = picture_in(edited(http, day, JPEG, prompt="more of it"))
    assert scene_in(again) == Scene(77, "dusk"), "a prompt without light takes the next one"


def test_a_picture_from_elsewhere_gives_the_shapes_by_its_bytes(http):
    one, same, other = (picture_in(edited(http, data)) for data in (JPEG, JPEG, JPEG + b"!"))
    assert one == same != other
    assert png_size(one) == (1024, 1024)


@pytest.mark.parametrize(
    ("images", "how", "code"),
    [
        ([], {}, "invalid_form"),
        ([b""], {}, "invalid_image"),
        ([b"GIF89a"], {}, "invalid_image"),
        ([JPEG], {"name": "image[]"}, "unrecognized_request_argument"),
        ([JPEG] * 6, {}, "invalid_request"),
        ([JPEG], {"mask": "x"}, "unrecognized_request_argument"),
        ([JPEG], {"model": "MAI-Image-2"}, "OperationNotSupported"),
        ([JPEG], {"width": "767", "height": "1024"}, "unsupported_request_value"),
        ([JPEG], {"width": "9" * 5000}, "invalid_request"),
    ],
)
def test_an_edit_that_cannot_be_made_is_refused(http, images, how, code):
    found = refusal(edited(http, *images, **how))
    assert found == code or (how.get("name") == "image[]" and found == "invalid_request")


def test_a_safety_stop_can_be_scripted_in_the_service_s_words(emulator, http):
    emulator.fault("content_filter", shape="mai", model="MAI-Image-2.5")
    assert sent(http, model="MAI-Image-2.6").status_code == 200
    assert refusal(sent(http)) == "content_safety_violation"


def test_a_fault_finds_the_model_in_a_form_too(emulator, http):
    emulator.fault("status", code=503, model="MAI-Image-2.6")
    assert edited(http, JPEG).status_code == 503


def test_a_scripted_picture_waits_for_a_request_that_asks_for_one(emulator, http):
    emulator.reply(image=b"any bytes", usage={"num_input_text_tokens": 99})
    emulator.reply("for a question")
    with emulator.client() as client:
        assert client.reasoning.create("Why?").text == "for a question"
    answer = sent(http)
    assert picture_in(answer) == b"any bytes"
    assert answer.json()["usage"]["num_input_text_tokens"] == 99


def test_a_picture_is_a_valid_png_drawn_in_a_moment():
    started = time.perf_counter()
    data = paint(Scene.of("a lake at dusk", number=5), width=1024, height=1024)
    assert time.perf_counter() - started < 2, "0.1 s on an idle core"
    with Image.open(BytesIO(data)) as picture:
        picture.verify()
    with Image.open(BytesIO(data)) as picture:
        assert picture.mode == "RGB"
        assert len(set(picture.convert("P").tobytes())) > 20, "it is a picture, not a colour"


def test_a_transparent_background_leaves_the_sky_out():
    data = paint(Scene(5, "day"), width=64, height=64, transparent=True)
    with Image.open(BytesIO(data)) as picture:
        assert picture.mode == "RGBA"
        alpha = picture.getchannel("A")
        assert alpha.getpixel((0, 0)) == 0
        assert alpha.getpixel((0, 63)) == 255


@pytest.mark.parametrize("size", [(1, 1), (16, 768), (768, 16)])
def test_any_size_can_be_painted(size):
    assert png_size(paint(Scene(3, "night"), width=size[0], height=size[1])) == size


def test_texts_of_a_broken_png_do_no_harm():
    data = encode([bytes(3)], width=1, height=1, texts={"a": "b"})
    assert texts(data) == {"a": "b"}
    for end in range(len(data)):
        texts(data[:end])
    assert scene_in(data) is None
    assert texts(b"GIF89a") == {}
    odd = encode([bytes(3)], width=1, height=1, texts={"mai-emulator-scene": "zz day"})
    assert scene_in(odd) is None
    assert zlib.crc32(b"IEND") == int.from_bytes(data[-4:])
