from hypothesis import given
from hypothesis import strategies as st

from mai_sdk.engine.redact import redact, redact_error
from mai_sdk.errors import ServiceError

KEY = "sk-0123456789abcdef"
PROMPT = 'Draw my "house"\nplease, Mr Ångström'


def test_a_key_is_replaced_wherever_it_stands():
    assert redact(f"bad key {KEY}!", secrets=[KEY], prompts=[]) == "bad key ***!"


def test_a_prompt_is_replaced_also_where_it_was_escaped():
    for echoed in (PROMPT, repr(PROMPT)[1:-1], PROMPT.replace("\n", "\\n")):
        assert "Ångström" not in redact(f"no: {echoed}", secrets=[], prompts=[PROMPT])


def test_a_short_prompt_does_not_tear_holes_into_words():
    assert redact("this is history", secrets=[], prompts=["his"]) == "this is history"


def test_every_text_of_an_error_is_cleaned():
    error = ServiceError(
        f"refused {KEY}", code=f"{KEY}x", kind=KEY, param=PROMPT, body=f"<p>{PROMPT}{KEY}"
    )
    redact_error(error, secrets=[KEY], prompts=[PROMPT])
    assert KEY not in repr(vars(error)) + str(error) + repr(error.args)
    assert "house" not in repr(vars(error))
    assert error.body == "<p>******"


@given(st.text(min_size=4), st.text(), st.text())
def test_no_secret_survives(secret, before, after):
    cleaned = redact(before + secret + after, secrets=[secret], prompts=[])
    assert secret not in cleaned or secret in "***" or secret in before + "***" + after
