import base64

import pytest

from mai_sdk.errors import InvalidRequest
from mai_sdk.resources.messages import build_messages, image_part, texts_of

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def test_a_string_becomes_one_user_message():
    assert build_messages("Hi") == [{"role": "user", "content": "Hi"}]


def test_instructions_come_first():
    messages = build_messages([{"role": "user", "content": "Hi"}], instructions="Be brief")
    assert messages[0] == {"role": "system", "content": "Be brief"}


def test_the_callers_messages_are_not_changed():
    mine = {"role": "user", "content": "Hi"}
    build_messages([mine], instructions="x", images=[PNG])
    assert mine == {"role": "user", "content": "Hi"}


def test_an_assistant_message_may_have_no_content():
    messages = [{"role": "user", "content": "x"}, {"role": "assistant", "content": None}]
    assert build_messages(messages)[1]["content"] is None


@pytest.mark.parametrize(
    ("prompt", "says"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ([], "empty"),
        ([{"role": "user", "content": ""}], "empty"),
        (None, "NoneType"),
        (42, "int"),
        (b"bytes", "bytes"),
        ({"role": "user", "content": "x"}, "list"),
        (["just text"], "Message 0 is a str"),
        ([{"content": "x"}], "no role"),
        ([{"role": "", "content": "x"}], "no role"),
        ([{"role": "user", "content": 5}], "is a int"),
        ([{"role": "user", "content": {"text": "x"}}], "is a dict"),
    ],
)
def test_what_is_no_prompt_is_refused_with_a_sentence(prompt, says):
    with pytest.raises(InvalidRequest, match=says):
        build_messages(prompt)


def test_images_join_the_last_user_message(tmp_path):
    path = tmp_path / "secret-name.png"
    path.write_bytes(PNG)
    conversation = [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "yes?"},
        {"role": "user", "content": [{"type": "text", "text": "what is this"}]},
    ]
    messages = build_messages(conversation, images=[path, PNG, "https://example.com/a.png"])
    text, one, two, three = messages[2]["content"]
    assert text == {"type": "text", "text": "what is this"}
    assert one == two
    assert base64.b64decode(one["image_url"]["url"].partition(",")[2]) == PNG
    assert three["image_url"]["url"] == "https://example.com/a.png"
    assert "secret-name" not in repr(messages)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
    ],
)
def test_the_type_is_told_by_the_first_bytes(data, kind):
    assert image_part(data)["image_url"]["url"].startswith(f"data:{kind};base64,")


def test_what_is_no_image_is_refused(tmp_path):
    with pytest.raises(InvalidRequest, match="not a PNG"):
        image_part(b"hello")
    with pytest.raises(InvalidRequest, match=r"gone\.png cannot be read"):
        image_part(tmp_path / "gone.png")


def test_an_image_needs_a_question():
    with pytest.raises(InvalidRequest, match="add a user message"):
        build_messages([{"role": "system", "content": "x"}], images=[PNG])


def test_every_text_is_found():
    call = {"id": "c", "function": {"name": "f", "arguments": '{"city": "Oslo"}'}}
    messages = build_messages(
        [
            {"role": "user", "content": ({"type": "text", "text": "a question"},)},
            {"role": "assistant", "content": None, "tool_calls": [call]},
        ],
        instructions="be kind",
    )
    assert texts_of(messages) == ("be kind", "a question", '{"city": "Oslo"}')
