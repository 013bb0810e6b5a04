"""Characters as they are billed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mai_sdk.metering.characters import billed_characters, count_characters
from mai_sdk.wire.ssml import Manner, write_ssml


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Hello, world!", 13),
        (" \n\t", 3),
        ("你好，世界", 9),  # the comma is no ideograph
        ("漢字とかな", 7),
        ("한국어 韓國語", 10),
        ("𠀀", 2),
        ("🎉", 1),
        ("", 0),
    ],
)
def test_an_ideograph_is_two_and_all_else_is_one(text, count):
    assert count_characters(text) == count


def test_a_bill_that_was_published_comes_out_to_the_character():
    """learn.microsoft.com/answers/questions/5493673: twelve voices, 480 characters charged."""
    names = (
        "AvaMultilingual", "AndrewMultilingual", "EmmaMultilingual", "AlloyTurboMultilingual",
        "EchoTurboMultilingual", "FableTurboMultilingual", "OnyxTurboMultilingual",
        "NovaTurboMultilingual", "ShimmerTurboMultilingual", "BrianMultilingual", "Jenny", "Davis",
    )  # fmt: skip
    voices = "\n".join(
        f'<voice name="en-US-{name}Neural"><prosody rate="-10.00%">about </prosody></voice>'
        for name in names
    )
    document = (
        '<!--ID=FCB40C2B;Version=1|{"Files":{}}-->\n<speak xmlns="http://www.w3.org/2001/10/'
        f'synthesis" version="1.0" xml:lang="en-US">\n\n{voices}\n\n</speak>\n'
    )
    assert billed_characters(document) == 480


def test_plain_text_is_billed_as_itself():
    manner = Manner(voice="en-US-Harper:MAI-Voice-2", locale="en-US")
    assert billed_characters(write_ssml("Hello there.", manner)) == 12


def test_markup_around_the_text_is_billed_as_it_is_written():
    manner = Manner(voice="x", locale="en-US", style="sad")
    markup = len('<mstts:express-as style="sad"></mstts:express-as>')
    assert billed_characters(write_ssml("Hello.", manner)) == 6 + markup


def test_a_tag_in_a_comment_or_in_quotes_opens_nothing():
    document = (
        '<speak><!-- <voice> --><voice name="a>b">one<!-- </voice> --><![CDATA[</voice>]]>'
        "</voice> outside <voice/></speak>"
    )
    assert billed_characters(document) == len("one<!-- </voice> --><![CDATA[</voice>]]>")


def test_a_voice_under_a_prefix_is_billed_as_any_other():
    document = (
        '<s:speak xmlns:s="http://www.w3.org/2001/10/synthesis"><s:voice name="x">one</s:voice>'
        "<voice-note>not said by a voice</voice-note></s:speak>"
    )
    assert billed_characters(document) == len("one")


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="&<>")))
def test_without_markup_or_escapes_the_text_alone_counts(text):
    manner = Manner(voice="x", locale="en-US")
    kept = "".join(char if char not in "\ufffe\uffff" else " " for char in text)
    assert billed_characters(write_ssml(text, manner)) == count_characters(kept)
