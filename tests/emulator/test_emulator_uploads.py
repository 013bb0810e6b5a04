"""Forms as they arrive: what was written is what is read, and what is no form is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mai_sdk.emulator.uploads import read_form
from mai_sdk.wire.multipart import Part, join_parts

KIND = "multipart/form-data; boundary=mai-0123456789"


@given(
    st.lists(
        st.tuples(
            st.text(min_size=1).filter(lambda name: name.isprintable() and not set(name) & {*'"%'}),
            st.binary(max_size=200),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_a_form_is_read_as_it_was_written(fields):
    parts = [
        Part(name=name, filename="a.png", content_type="image/png", data=data)
        for name, data in fields
    ]
    body = join_parts(parts, boundary="mai-0123456789")
    form = read_form(body, KIND)
    assert [(part.name, body[part.start : part.end]) for part in form] == fields
    assert {part.content_type for part in form} == {"image/png"}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", KIND),
        (b"--mai-0123456789", KIND),
        (b"--mai-0123456789\r\n\r\nno name\r\n--mai-0123456789--\r\n", KIND),
        (b"{}", "application/json"),
        (b"--x--", "multipart/form-data"),
    ],
)
def test_what_is_no_form_is_refused_in_words(body, kind):
    with pytest.raises(ValueError, match=r"form|boundary"):
        read_form(body, kind)
