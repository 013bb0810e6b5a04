import mai_sdk
from mai_sdk import errors


def test_the_public_names_are_these_and_no_others():
    assert mai_sdk.__all__ == [
        "MAI",
        "SSML",
        "AsyncMAI",
        "AudioChunk",
        "Bookmark",
        "Budget",
        "Catalog",
        "Cost",
        "Finished",
        "Images",
        "Model",
        "Picture",
        "ReasoningDelta",
        "Receipt",
        "Reply",
        "Report",
        "Route",
        "Segment",
        "SentenceBoundary",
        "Speech",
        "SpeechEnd",
        "Telemetry",
        "TextDelta",
        "Timeouts",
        "Tool",
        "ToolCall",
        "Transcript",
        "Unrecognised",
        "Usage",
        "Viseme",
        "Word",
        "WordBoundary",
        "__version__",
        "tool_result",
    ]


def test_every_public_name_loads_and_has_a_docstring():
    for name in mai_sdk.__all__:
        value = getattr(mai_sdk, name)
        assert name == "__version__" or value.__doc__, name


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(mai_sdk, "Manager")
    assert set(dir(mai_sdk)) == set(mai_sdk.__all__)


def test_the_error_tree_in_the_docstring_is_the_tree_in_the_code():
    drawn = {}
    stack = []
    for line in errors.__doc__.splitlines():
        name = line.strip("│├└─ ").split(" ")[0]
        if name and hasattr(errors, name):
            depth = (len(line) - len(line.lstrip("│├└─ "))) // 4
            stack = [*stack[:depth], name]
            drawn[name] = stack[-2] if depth else None
    assert set(drawn) == set(errors.__all__)
    for name, parent in drawn.items():
        kind = getattr(errors, name)
        assert kind.__doc__
        if parent is not None:
            assert kind.__bases__[0] is getattr(errors, parent), name


def test_error_names_are_listed_in_order():
    assert errors.__all__ == sorted(errors.__all__)
