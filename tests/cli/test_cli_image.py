"""`mai image`: files, what is said of them, and what it cost."""

import io
import json
from decimal import Decimal
from pathlib import Path

import pytest

from mai_sdk.emulator.painting import paint, scene_in
from mai_sdk.emulator.scene import Scene
from mai_sdk.wire.png import png_size

LAKE = paint(Scene(7, "day"), width=768, height=768)


@pytest.fixture
def lake(tmp_path):
    path = tmp_path / "lake.png"
    path.write_bytes(LAKE)
    return path


def test_a_picture_is_saved_its_path_printed_and_its_cost_told(mai, configured):
    code, out, err = mai(
        "image", "A red fox", "--model", "MAI-Image-2.5", "--width", 1030, "--height", 1024
    )
    assert (code, out) == (0, "image.png\n")
    assert png_size(Path("image.png").read_bytes()) == (1024, 1024)
    assert "rounded down to 1024x1024" in err
    assert "[MAI-Image-2.5, foundry, 3 in, 1,024 out, 1 image," in err
    assert "$0.048143" in err


def test_no_file_is_written_over_unless_it_was_named(mai, configured, tmp_path):
    for name in ("image.png", "image-1.png", "image-2.png"):
        assert mai("image", "a lake")[1] == f"{name}\n"
    assert mai("image", "a lake", "-n", 2)[1] == "image-3.png\nimage-4.png\n"
    assert mai("image", "a lake", "--out", "image.png")[1] == "image.png\n"
    assert mai("image", "a lake", "--out", "image.png", "-n", 2)[1] == "image-1.png\nimage-2.png\n"
    (tmp_path / "here").mkdir()
    assert mai("image", "a lake", "--out", "here")[1] == f"{Path('here/image.png')}\n"


def test_an_edit_sends_the_file(mai, configured, lake):
    code, out, err = mai("image", "make it night", "--edit", lake, "--edit", lake, "--out", "n.png")
    assert (code, out) == (0, "n.png\n")
    assert scene_in(Path("n.png").read_bytes()) == Scene(7, "night")
    assert configured.journal[-1].path == "/mai/v1/images/edits"
    assert "unknown" in err, "no price is known for what goes into MAI-Image-2.6"


def test_a_question_is_answered_on_stdout(mai, configured, lake):
    code, out, err = mai("image", "What is this?", "--ask", lake)
    assert code == 0
    assert "lake among mountains by day" in out
    assert "MAI-Code-1.1-Flash" in err
    said = json.loads(mai("image", "What is this?", "--ask", lake, "--json")[1])
    assert "lake" in said["text"]


def test_json_has_paths_usage_cost_and_receipt_but_no_picture(mai, configured):
    code, out, _ = mai(
        "image", "A red fox", "--model", "MAI-Image-2.5", "-n", 2, "--json", "--tag", "a=b"
    )
    said = json.loads(out)
    assert code == 0
    assert [file["path"] for file in said["images"]] == ["image-1.png", "image-2.png"]
    assert said["images"][0]["width"] == 1024
    assert Decimal(said["cost"]["amount"]) == 2 * Decimal("0.048143")
    assert len(said["receipt"]["attempts"]) == said["usage"]["images"] == 2
    assert len(out) < 20_000


def test_every_option_reaches_the_service(mai, configured):
    configured.fault("status", code=500)
    code, _, err = mai(
        "image", "x", "--model", "MAI-Image-2.7", "--width", 768, "--height", 768, "--background",
        "opaque", "--requests-per-minute", 60, "--timeout", 60, "--resend-unknown",
    )  # fmt: skip
    assert code == 0
    assert "2 attempts" in err
    assert configured.journal[-1].json == {
        "model": "MAI-Image-2.7", "prompt": "x", "width": 768, "height": 768,
        "background": "opaque",
    }  # fmt: skip
    code, _, _ = mai("image", "x", "--auto-aspect-ratio", "--web-grounding")
    assert code == 0
    assert configured.journal[-1].json == {
        "model": "MAI-Image-2.6", "prompt": "x", "auto_aspect_ratio": True, "web_grounding": True,
    }  # fmt: skip


def test_a_dash_reads_the_prompt_from_stdin(mai, configured, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("from a pipe"))
    code, _, _ = mai("image", "-", "--model", "MAI-Image-2.7", "--background", "transparent")
    assert code == 0
    assert configured.journal[-1].json["prompt"] == "from a pipe"
    assert configured.journal[-1].json["background"] == "transparent"


@pytest.mark.parametrize("words", [
    ("--edit", "missing.png"), ("--ask", "missing.png"), ("--width", 1024),
    ("--width", 767, "--height", 1024), ("--out", "nowhere/a.png"), ("-n", 0),
    ("--edit", "a.png", "--ask", "a.png"),
])  # fmt: skip
def test_what_cannot_be_done_is_wrong_usage_and_sends_nothing(mai, configured, words):
    code, out, err = mai("image", "x", *words)
    assert (code, out) == (2, "")
    assert "mai" in err
    assert len(configured.journal) == 0


def test_what_came_is_saved_although_others_failed(mai, configured):
    configured.fault("content_filter", shape="mai")
    code, out, err = mai("image", "x", "-n", 3)
    assert (code, out) == (1, "image-1.png\nimage-2.png\n")
    assert Path("image-2.png").exists()
    assert "2 of 3 pictures came" in err
    configured.fault("content_filter", shape="mai")
    code, out, _ = mai("image", "x", "-n", 2, "--json", "--out", "j.png")
    said = json.loads(out)
    assert code == 1
    assert [file["path"] for file in said["images"]] == ["j.png"]
    assert said["error"]["type"] == "ContentFiltered"
    assert len(said["error"]["receipt"]["attempts"]) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full disk")
def test_a_picture_that_cannot_be_written_is_kept_elsewhere_and_says_where(
    mai, configured, monkeypatch, tmp_path
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code, out, err = mai("image", "x", "--model", "MAI-Image-2.5", "--out", "/dev/full")
    kept = Path(out.strip())
    assert (code, kept.parent.parent) == (1, tmp_path)
    assert kept.read_bytes().startswith(b"\x89PNG")
    assert f"/dev/full cannot be written: No space left on device. It is kept as {kept}." in err
    assert "What was drawn cost $0.048" in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full disk")
def test_a_picture_that_can_be_written_nowhere_says_why_and_what_it_cost(
    mai, configured, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", "/dev/null")
    code, _, err = mai("image", "x", "--model", "MAI-Image-2.5", "--out", "/dev/full")
    assert code == 1
    assert "/dev/full cannot be written: No space left on device. What was drawn cost $0.048" in err


def test_the_emulator_needs_no_settings(mai):
    code, out, _ = mai("image", "--emulator", "a lake at night")
    assert (code, out) == (0, "image.png\n")
    assert scene_in(Path("image.png").read_bytes()).light == "night"


def test_an_interruption_says_what_it_had_cost(mai, configured, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("mai_sdk.resources.drawing.Drawing._together", interrupted)
    code, _, err = mai("image", "A red fox", "--model", "MAI-Image-2.5")
    assert code == 130
    assert "cost so far: $0.048143" in err
