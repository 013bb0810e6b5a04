"""Forms, read back by the standard library's and by a server framework's own parser."""

from email import message_from_bytes
from email.policy import HTTP

from hypothesis import given
from hypothesis import strategies as st

from mai_sdk.wire.multipart import Part, boundary_of, join_parts, part_head, tail


def read_back(body, boundary):
    head = f"Content-Type: multipart/form-data; boundary={boundary}\r\n\r\n".encode()
    return list(message_from_bytes(head + body, policy=HTTP).iter_parts())


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4))
def test_the_data_of_every_part_comes_back(datas):
    boundary = boundary_of()
    parts = [
        Part(name="image", filename="a.png", content_type="application/octet-stream", data=data)
        for data in datas
    ]
    body = join_parts(parts, boundary=boundary)
    for part, data in zip(parts, datas, strict=True):
        head = part_head(part, boundary=boundary)
        before, found, body = body.partition(head)
        assert (before, found) == (b"" if part is parts[0] else b"\r\n", head)
        assert body.startswith(data)
        body = body[len(data) :]
    assert body == tail(boundary=boundary)


def test_repeated_names_files_and_plain_fields_are_read_as_they_were_meant():
    parts = [
        Part(name="model", data=b"MAI-Image-2.6"),
        Part(name="image", filename="a.png", content_type="image/png", data=b"one"),
        Part(name="image", filename="b.png", content_type="image/png", data=b"two"),
    ]
    read = read_back(join_parts(parts, boundary="b"), "b")
    names = [part.get_param("name", header="content-disposition") for part in read]
    assert names == ["model", "image", "image"]
    assert [part.get_filename() for part in read] == [None, "a.png", "b.png"]
    assert "content-type" not in read[0]


def test_a_name_cannot_break_out_of_its_quotes():
    head = part_head(Part(name="audio", filename='a"\r\nX-Evil: 1\r\n.wav'), boundary="b")
    assert head.count(b"\r\n") == 3
    assert b'filename="a%22%0D%0AX-Evil: 1%0D%0A.wav"' in head


def test_a_name_no_text_can_hold_is_still_sent():
    assert b'filename="?.wav"' in part_head(Part(name="a", filename="\udc80.wav"), boundary="b")


def test_a_boundary_is_never_the_same_twice():
    assert boundary_of() != boundary_of()
