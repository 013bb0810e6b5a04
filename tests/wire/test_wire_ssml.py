"""SSML: text never becomes markup, and the text arrives."""

import random
import sys
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mai_sdk.errors import InvalidRequest
from mai_sdk.wire.ssml import SSML, Manner, look_at, plain, speed_of, write_ssml

FULL = Manner(
    voice="en-US-Harper:MAI-Voice-2.1",
    locale="en-US",
    style="excited",
    style_degree=1.5,
    rate="+15%",
    pitch="-2st",
    language="de-DE",
)
BARE = Manner(voice="en-US-Harper:MAI-Voice-2", locale="en-US")
SSML_NS = "{http://www.w3.org/2001/10/synthesis}"
MSTTS_NS = "{http://www.w3.org/2001/mstts}"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
TREE = [
    (f"{SSML_NS}speak", {"version": "1.0", XML_LANG: "en-US"}),
    (f"{SSML_NS}voice", {"name": "en-US-Harper:MAI-Voice-2.1"}),
    (f"{SSML_NS}lang", {XML_LANG: "de-DE"}),
    (f"{MSTTS_NS}express-as", {"style": "excited", "styledegree": "1.5"}),
    (f"{SSML_NS}prosody", {"rate": "+15%", "pitch": "-2st"}),
]
NASTY = [
    "</voice>", "<voice name='x'>", "&amp;", "&lt;", "]]>", "<![CDATA[", "<!--",
    "-->", "<?pi?>", "<!DOCTYPE x [<!ENTITY y 'z'>]>", "&y;", '"', "'", "\x00",
    "\x01", "\x08", "\x0b", "\x0c", "\x1b", "\x1f", "\x7f", "\x85", "\ud800",
    "\udfff", "\ud83d\ude00", "\ufffe", "\uffff", "\r", "\r\n", "\n", "\t",
    "\u202e", "\u200f", "שלום", "مرحبا", "🎉", "👩‍👩‍👧‍👦", "e\u0301", "漢字",
    "\U0010ffff", "\U0001fffe", "\u2028", "plain words", " ", "Zürich",
]  # fmt: skip


def tree_and_text(document):
    """Return every element with its attributes, from the outside in, and the text inside."""
    root = ElementTree.fromstring(document)  # noqa: S314 - our own
    elements = [(each.tag, each.attrib) for each in root.iter()]
    return elements, "".join(root.itertext())


def nasty_text(rng):
    pieces = []
    for _ in range(rng.randrange(1, 12)):
        if rng.random() < 0.6:
            pieces.append(rng.choice(NASTY))
        else:
            top = rng.choice((0x20, 0x80, 0x3000, 0x11000, sys.maxunicode + 1))
            pieces.append("".join(chr(rng.randrange(top)) for _ in range(rng.randrange(8))))
    return "".join(pieces)


def legal(char):
    """XML 1.0, production 2: Char."""
    code = ord(char)
    return (
        code in (0x9, 0xA, 0xD)
        or 0x20 <= code <= 0xD7FF
        or 0xE000 <= code <= 0xFFFD
        or 0x10000 <= code <= 0x10FFFF
    )


def meant(text):
    """What should arrive: the text itself, but for line ends and what no XML can hold."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(char if legal(char) else " " for char in text)


def test_ten_thousand_random_texts_leave_the_tree_as_it_is_and_arrive_whole():
    rng = random.Random(20_261_125)  # noqa: S311 - to be the same each time
    for _ in range(10_000):
        text = nasty_text(rng)
        elements, heard = tree_and_text(write_ssml(text, FULL))
        assert elements == TREE
        assert heard == meant(text)


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_any_text_leaves_the_tree_as_it_is_and_arrives_whole(text):
    elements, heard = tree_and_text(write_ssml(text, FULL))
    assert elements == TREE
    assert heard == meant(text)


@given(st.text(alphabet=st.characters(exclude_categories=()), min_size=1))
def test_any_attribute_stays_one(text):
    manner = Manner(voice=text, locale="en-US", style=text, rate=text)
    elements, heard = tree_and_text(write_ssml("said", manner))
    assert [tag.rpartition("}")[2] for tag, _ in elements] == [
        "speak", "voice", "express-as", "prosody",
    ]  # fmt: skip
    assert elements[1][1] == {"name": meant(text)}
    assert heard == "said"


def test_what_is_not_asked_for_is_not_written():
    assert write_ssml("Hi", BARE) == (
        '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" '
        'xmlns:mstts="http://www.w3.org/2001/mstts" xml:lang="en-US">'
        '<voice name="en-US-Harper:MAI-Voice-2">Hi</voice></speak>'
    )


def test_an_illegal_character_keeps_its_neighbours_apart():
    assert plain("one\x0ctwo\x00three\ud800") == "one two three "


def test_a_document_of_ones_own_is_read_and_not_changed():
    document = SSML(write_ssml("Guten <Tag>", FULL))
    look = look_at(document)
    assert look.voices == ("en-US-Harper:MAI-Voice-2.1",)
    assert look.text == "Guten <Tag>"


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ("Hello", "not well-formed"),
        ("", "not well-formed"),
        ("<speak>", "not well-formed"),
        ("<speak><voice name='a'>Tom & Jerry</voice></speak>", "line 1, column"),
        ("<speak><voice name='a'>\x01</voice></speak>", "not well-formed"),
        ("<speak><voice name='a'>\ud800</voice></speak>", "surrogate"),
        ("<p>Hello</p>", "does not begin with <speak>"),
        ("<speak>Hello</speak>", "names no voice"),
        ("<!DOCTYPE s [<!ENTITY a 'b'>]><speak><voice name='x'>&a;</voice></speak>", "DOCTYPE"),
    ],
)
def test_a_document_that_cannot_be_sent_is_refused_without_being_quoted(document, why):
    with pytest.raises(InvalidRequest, match=why) as caught:
        look_at(document)
    assert "Jerry" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("rate", "speed"),
    [
        (None, 1.0), ("+15%", 1.15), ("-50%", 0.5), ("1.2", 1.2), ("fast", 1.55), ("odd", 1.0),
        ("-100%", 0.1), ("+99999%", 10.0),
    ],
)  # fmt: skip
def test_a_rate_is_a_speed(rate, speed):
    assert speed_of(rate) == pytest.approx(speed)
