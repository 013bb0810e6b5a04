from __future__ import annotations

import inspect
import json
import pickle
from dataclasses import asdict
from pathlib import Path

import pytest

from mai_sdk.config import SETTINGS, Route, Secret, Timeouts, load_config
from mai_sdk.errors import ConfigurationError, InvalidEndpoint, NotConfigured

A = "https://a.services.ai.azure.com"
KEY = "0123456789hush"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(text, name="mai.toml"):
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


def test_with_nothing_set_loading_succeeds_and_nothing_is_configured():
    config = load_config(environ={})
    assert not any(config.is_configured(surface) for surface in config.connections)
    assert (config.max_retries, config.timeout, config.file) == (2, None, None)


def test_the_environment_of_the_process_is_read_by_default(monkeypatch):
    monkeypatch.setenv("MAI_VLLM_BASE_URL", "http://localhost:9")
    assert load_config().connections["vllm"].endpoint == "http://localhost:9"


def test_arguments_win_over_variables_and_those_over_the_file():
    write('timeout = 3\nmax_retries = 3\nledger = "file.db"\nvllm_base_url = "http://localhost:3"')
    from_file = load_config(environ={})
    assert (from_file.max_retries, from_file.timeout, from_file.ledger) == (3, 3, "file.db")
    assert from_file.connections["vllm"].endpoint == "http://localhost:3"
    assert from_file.file == Path("mai.toml")
    environ = {
        "MAI_TIMEOUT": "2.5",
        "MAI_MAX_RETRIES": "0",
        "MAI_LEDGER": "env.db",
        "MAI_VLLM_BASE_URL": "http://localhost:2",
    }
    from_env = load_config(environ=environ)
    assert (from_env.max_retries, from_env.timeout, from_env.ledger) == (0, 2.5, "env.db")
    assert from_env.connections["vllm"].endpoint == "http://localhost:2"
    given = load_config(
        environ=environ, timeout=1, max_retries=1, ledger="x", vllm_base_url="http://localhost:1"
    )
    assert (given.max_retries, given.timeout, given.ledger) == (1, 1, "x")
    assert given.connections["vllm"].endpoint == "http://localhost:1"


def test_the_file_wins_over_the_variables_of_other_programs():
    write(f'foundry_endpoint = "{A}"\nfoundry_api_key_env = "OURS"')
    config = load_config(
        environ={
            "OURS": KEY,
            "AZURE_OPENAI_ENDPOINT": "https://b.openai.azure.com",
            "AZURE_OPENAI_API_KEY": "b",
        }
    )
    assert config.connections["foundry"].endpoint == A
    assert config.connections["foundry"].credential.reveal() == KEY


def test_blank_variables_count_as_not_set():
    blank = dict.fromkeys((name for s in SETTINGS.values() for name in s.environment), " ")
    assert load_config(environ=blank) == load_config(environ={})
    empty = dict.fromkeys(blank, "")
    assert load_config(environ=empty) == load_config(environ={})


def test_the_file_is_the_one_named_else_the_one_here_and_none_elsewhere(tmp_path):
    (tmp_path / "sub").mkdir()
    write("max_retries = 7", "sub/mai.toml")
    assert load_config(environ={}).file is None
    assert load_config(environ={"MAI_CONFIG": "sub/mai.toml"}).max_retries == 7
    write("max_retries = 8")
    assert load_config(environ={}).max_retries == 8
    assert load_config(environ={"MAI_CONFIG": "sub/mai.toml"}).max_retries == 7
    assert load_config(environ={"MAI_CONFIG": "x"}, config_file="sub/mai.toml").max_retries == 7


def test_a_named_file_that_is_not_there_is_an_error():
    with pytest.raises(ConfigurationError, match=r"absent\.toml cannot be read"):
        load_config(environ={"MAI_CONFIG": "absent.toml"})


def test_a_byte_order_mark_is_no_error():
    Path("mai.toml").write_bytes(b"\xef\xbb\xbfmax_retries = 4\n")
    assert load_config(environ={}).max_retries == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("max_retries = ", "mai.toml is not valid TOML"),
        ("max_retrys = 3", "'max_retrys', which is no setting. Did you mean 'max_retries'?"),
        ("zzz = 3", "'zzz', which is no setting. Known are: foundry_endpoint"),
        (f'foundry_api_key = "{KEY}"', 'foundry_api_key_env = "NAME_OF_THE_VARIABLE"'),
        (f'vllm_api_key = "{KEY}"', 'vllm_api_key_env = "NAME_OF_THE_VARIABLE"'),
        (f'api_key = "{KEY}"', 'api_key_env = "NAME_OF_THE_VARIABLE"'),
        (f'[routes.x]\nsurface = "vllm"\napi_key = "{KEY}"', "api_key_env"),
        (f'[routes.x]\nsurface = "vllm"\nheaders = {{ Api-Key = "{KEY}" }}', "use api_key_env"),
        (f'foundry_endpoint = "https://{KEY}@h.example"', "foundry_endpoint in mai.toml holds a"),
        ("foundry_endpoint = 3", "foundry_endpoint must be text, not int"),
        ("max_retries = -1", "max_retries must be a whole number"),
        ("max_retries = true", "max_retries must be a whole number"),
        ("max_retries = 1.5", "max_retries must be a whole number"),
        ("timeout = 0", "timeout: total must be a number of seconds above 0"),
        ("timeout = nan", "timeout: total must be a number of seconds above 0"),
        ("timeout = true", "timeout: total must be a number of seconds above 0"),
        ("[timeout]\nfirst = 1", "timeout has 'first', which is no setting"),
        ('[timeout]\ntotal = "long"', "timeout: total must be"),
        ("tags = 3", "tags must be a table"),
        ("[tags]\nteam = 3", "tags must be a table of text to text"),
        ("routes = 3", "routes must be a table"),
        ("[routes]\nx = 3", "[routes.x] must be a table"),
        ("[routes.x]\n", "[routes.x] has no surface"),
        ('[routes.x]\nsurface = "azure"', "[routes.x] surface is 'azure'. It is one of foundry"),
        ('[routes.x]\nsurface = "vllm"\nmodell = "y"', "Did you mean 'model'?"),
        ('[routes.x]\nsurface = "vllm"\nmodel = 3', "[routes.x] model must be text"),
        ('[routes.x]\nsurface = "vllm"\napi = "batch"', "It is one of chat, responses"),
        ('[routes.x]\nsurface = "vllm"\nmodality = "text"', "It is one of reasoning"),
        ('[routes.x]\nsurface = "vllm"\nquery = { a = 1 }', "query must be a table of text"),
        ('[routes.x]\nsurface = "vllm"\nquery = 1', "query must be a table of text"),
        ('[routes.x]\nsurface = "vllm"\nheaders = { a = "b\\nc" }', "line break in the header"),
        ('[routes.x]\nsurface = "vllm"\ncredential = "x"', "'credential', which is no setting"),
        ('[routes.x]\nsurface = "vllm"\nendpoint = "nope"', "[routes.x] endpoint is only a name"),
    ],
)
def test_a_wrong_file_is_one_sentence_that_never_repeats_a_key(text, said):
    write(text)
    with pytest.raises(ConfigurationError) as caught:
        load_config(environ={})
    assert said in str(caught.value)
    assert KEY not in str(caught.value)
    assert KEY not in str(caught.value.__cause__ or "")


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"MAI_TIMEOUT": "soon"}, "MAI_TIMEOUT"),
        ({"MAI_TIMEOUT": "inf"}, "timeout"),
        ({"MAI_MAX_RETRIES": "many"}, "max_retries"),
        ({"MAI_MAX_RETRIES": "-1"}, "max_retries"),
    ],
)
def test_a_wrong_variable_is_one_sentence(environ, said):
    with pytest.raises(ConfigurationError, match=said):
        load_config(environ=environ)


def test_a_number_is_the_limit_of_the_whole_call_and_cuts_the_others_to_it():
    assert Timeouts.of(30) == Timeouts(connect=10, first_byte=30, between_chunks=30, total=30)
    assert Timeouts.of(5) == Timeouts(connect=5, first_byte=5, between_chunks=5, total=5)
    assert Timeouts.of(2000).first_byte == 300
    assert Timeouts.of(None) == Timeouts()
    own = Timeouts(first_byte=None, total=None)
    assert Timeouts.of(own) is own
    config = load_config(timeout=own, environ={})
    assert config.timeout is config.timeouts_for(None, modality="voice") is own
    assert config.timeouts_for(3, modality="voice").total == 3


def test_each_kind_of_work_has_limits_of_its_own_until_one_is_set():
    config = load_config(environ={})
    assert config.timeouts_for(None, modality="reasoning") == Timeouts()
    assert config.timeouts_for(None, modality="image").first_byte == 600
    assert config.timeouts_for(900, modality="image").first_byte == 600
    assert load_config(timeout=900, environ={}).timeouts_for(None, modality="code").total == 900


def test_each_limit_can_be_set_in_the_file():
    write("[timeout]\nfirst_byte = 20\nbetween_chunks = 5")
    assert load_config(environ={}).timeout == Timeouts(first_byte=20, between_chunks=5)


def test_tags_of_the_call_to_load_join_those_of_the_file():
    write('[tags]\nteam = "search"\nstage = "dev"')
    assert load_config(environ={}, tags={"stage": "prod"}).tags == {
        "team": "search",
        "stage": "prod",
    }


def test_a_variable_that_the_file_names_but_nobody_set_is_told_when_it_is_needed():
    write(f'foundry_endpoint = "{A}"\nfoundry_api_key_env = "OURS"')
    config = load_config(environ={})
    with pytest.raises(NotConfigured, match="foundry_api_key from OURS, which is not set"):
        config.route("d", modality="code", surfaces=("foundry",))


def test_the_table_lists_every_argument_and_every_variable_once():
    arguments = set(inspect.signature(load_config).parameters) - {"environ"}
    assert set(SETTINGS) == arguments
    names = [name for setting in SETTINGS.values() for name in setting.environment]
    assert len(names) == len(set(names))
    for setting in SETTINGS.values():
        assert setting.what.endswith(".")
        assert setting.secret == (setting.keyword.endswith("_api_key"))
        assert f"keyword {setting.keyword}=" in setting.how()


@pytest.mark.parametrize("keyword", [k for k, s in SETTINGS.items() if s.toml and k != "routes"])
def test_every_key_of_the_table_is_taken_from_the_file_as_its_example_shows(keyword):
    setting = SETTINGS[keyword]
    write(f"{setting.toml} = {setting.example.replace('<resource>', 'r')}")
    load_config(environ={"MAI_FOUNDRY_API_KEY": "k"})


def everything_secret():
    write('[routes.a]\nsurface = "vllm"\nendpoint = "https://v.example"\napi_key_env = "V"')
    return load_config(
        foundry_endpoint=A,
        foundry_api_key=KEY,
        vllm_base_url="http://localhost:1",
        vllm_api_key=Secret(KEY),
        speech_region="eastus",
        ledger=f"https://u:{KEY}@h.example",
        routes={"b": Route(surface="foundry", endpoint=A, credential=Secret(KEY))},
        environ={"V": KEY, "MAI_SPEECH_API_KEY": KEY, "AZURE_OPENAI_API_KEY": KEY},
    )


def test_no_secret_is_in_any_text_of_a_configuration_or_its_parts():
    config = everything_secret()
    assert config.connections["speech"].credential.reveal() == KEY
    assert config.routes["a"].credential.reveal() == KEY
    parts = [config, *config.connections.values(), *config.routes.values()]
    for part in parts:
        for text in (repr(part), str(part), f"{part}", f"{part!s:>10}", str([part])):
            assert KEY not in text


def test_no_credential_object_is_shown_either():
    class Talkative:
        def get_token(self, *scopes, **options): ...

        def __repr__(self):
            return KEY

    config = load_config(
        foundry_endpoint=A,
        credential=Talkative(),
        routes={"x": {"surface": "foundry"}},
        environ={},
    )
    assert config.routes["x"].credential is not None
    assert KEY not in repr(config) + repr(config.connections) + repr(config.routes)


def test_a_configuration_with_secrets_cannot_be_pickled_or_made_json():
    config = everything_secret()
    for part in (*config.routes.values(), config.connections["foundry"], config):
        with pytest.raises(TypeError) as caught:
            pickle.dumps(part)
        assert KEY not in str(caught.value)
        with pytest.raises(TypeError) as caught:
            json.dumps(asdict(part))
        assert KEY not in str(caught.value)


def test_a_configuration_is_frozen():
    config = load_config(environ={})
    with pytest.raises(AttributeError):
        config.max_retries = 3
    with pytest.raises(TypeError):
        config.connections["vllm"] = None
    with pytest.raises(TypeError):
        config.tags["a"] = "b"


def test_a_named_route_takes_what_it_leaves_out_from_its_surface():
    write(
        '[routes.thinker]\nsurface = "foundry"\ndeployment = "d1"\nmodel = "MAI-Thinking-1"\n'
        '[routes.copilot]\nsurface = "openai-v1"\nendpoint = "https://gw.example.com/openai/v1/"\n'
        'api_key_env = "GW"\napi = "responses"\nscope = "https://ai.azure.com/.default"\n'
        'query = { api-version = "preview" }\nheaders = { X-Team = "search" }\n'
    )
    config = load_config(foundry_endpoint=A, foundry_api_key=KEY, environ={"GW": "gw-key"})
    thinker, copilot = config.routes["thinker"], config.routes["copilot"]
    assert (thinker.endpoint, thinker.credential.reveal()) == (A, KEY)
    assert (thinker.name, thinker.deployment, thinker.api) == ("thinker", "d1", "chat")
    assert copilot.endpoint == "https://gw.example.com"
    assert copilot.credential.reveal() == "gw-key"
    assert copilot.api == "responses"
    assert copilot.query == (("api-version", "preview"),)
    assert copilot.headers == (("X-Team", "search"),)
    assert copilot.scope == "https://ai.azure.com/.default"


def test_a_route_to_another_host_never_takes_over_a_key():
    routes = {"x": {"surface": "foundry", "endpoint": "https://other.example.com"}}
    config = load_config(foundry_endpoint=A, foundry_api_key=KEY, routes=routes, environ={})
    assert "x" not in config.routes
    with pytest.raises(NotConfigured, match=r"routes\['x'\] has no key: add api_key_env"):
        config.route("x", modality="reasoning")
    vllm = {"x": {"surface": "vllm", "endpoint": A}}
    config = load_config(foundry_endpoint=A, foundry_api_key=KEY, routes=vllm, environ={})
    assert config.routes["x"].credential is None


def test_a_route_that_lacks_something_is_an_error_only_when_it_is_used():
    write(
        '[routes.x]\nsurface = "foundry"\n'
        f'[routes.y]\nsurface = "foundry"\nendpoint = "{A}"\napi_key_env = "Y"\n'
    )
    config = load_config(vllm_base_url="http://localhost:1", environ={})
    assert config.route(None, modality="reasoning").surface == "vllm"
    with pytest.raises(NotConfigured, match="or set foundry_endpoint"):
        config.route("x", modality="reasoning")
    with pytest.raises(NotConfigured, match="environment variable Y, which is not set") as caught:
        config.route("y", modality="reasoning")
    assert caught.value.missing == ("Y",)


def test_a_route_given_as_argument_is_normalised_and_takes_the_place_of_the_files():
    write('[routes.x]\nsurface = "vllm"\nendpoint = "http://localhost:1"')
    given = Route(surface="foundry", endpoint="https://a.openai.azure.com/openai/v1", model="M")
    config = load_config(routes={"x": given}, foundry_endpoint=A, foundry_api_key=KEY, environ={})
    assert config.routes["x"].endpoint == A
    assert config.routes["x"].credential.reveal() == KEY
    assert config.routes["x"].name == "x"
    with pytest.raises(InvalidEndpoint, match=r"routes\['x'\] endpoint"):
        load_config(routes={"x": Route(surface="vllm", endpoint="nope")}, environ={})
    in_code = {"x": {"surface": "foundry", "endpoint": A, "credential": KEY}}
    config = load_config(routes=in_code, environ={})
    assert config.routes["x"].credential.reveal() == KEY
    assert KEY not in repr(config.routes["x"])
