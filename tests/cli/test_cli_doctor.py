"""`mai doctor` against the emulator, a closed port, a wrong name and a certificate of its own."""

import json
import socket
import ssl
import threading
from pathlib import Path

import pytest

import certificates
from mai_sdk.emulator import EMULATOR_KEY, Emulator


def outcomes(report, target):
    (found,) = [each for each in report["targets"] if each["name"] == target]
    return {check["name"]: check["outcome"] for check in found["checks"]}


@pytest.fixture
def doctor(mai):
    """Run the doctor; gives back its code and its JSON."""

    def run(*words):
        code, out, _ = mai("doctor", "--json", "--timeout", "5", *words)
        return code, json.loads(out)

    return run


def test_all_is_well_gives_code_0(doctor, configured):
    code, report = doctor("--model", "MAI-Thinking-1")
    assert code == 0
    assert report["ok"] is True
    assert [target["name"] for target in report["targets"]] == ["model MAI-Thinking-1", "vllm"]
    assert outcomes(report, "model MAI-Thinking-1") == {
        "settings": "ok",
        "address": "ok",
        "connection": "ok",
        "key": "ok",
        "deployment": "ok",
    }
    assert outcomes(report, "vllm")["models"] == "ok"


def test_a_wrong_key_is_named_by_its_source_and_never_shown(mai, configured, monkeypatch):
    monkeypatch.setenv("MAI_FOUNDRY_API_KEY", "wrong-key-0123456789")
    code, out, err = mai("doctor")
    assert code == 1
    assert "not accepted (401)" in out
    assert "MAI_FOUNDRY_API_KEY" in out
    for piece in ("wrong-key", "0123", "6789", EMULATOR_KEY):
        assert piece not in out + err


def test_a_deployment_that_is_not_there_is_found_with_the_nearest_name(doctor, configured):
    code, report = doctor("--model", "MAI-Thinkin-1")
    checks = report["targets"][0]["checks"]
    assert code == 1
    assert checks[-1]["outcome"] == "failed"
    assert "Did you mean MAI-Thinking-1?" in checks[-1]["advice"]


def test_a_named_route_with_a_wrong_deployment_is_found(doctor, configured):
    Path("mai.toml").write_text(
        '[routes.mine]\nsurface = "vllm"\ndeployment = "mine"\n'
        '[routes.other]\nsurface = "foundry"\napi_key_env = "NOT_THERE"\n'
    )
    code, report = doctor()
    assert code == 1
    assert outcomes(report, "route mine")["deployment"] == "failed"
    other = next(each for each in report["targets"] if each["name"] == "route other")
    assert "NOT_THERE" in other["checks"][0]["advice"]


def test_a_call_proves_a_deployment_and_says_what_it_cost(doctor, configured):
    code, report = doctor("--model", "MAI-Thinking-1", "--call")
    last = report["targets"][0]["checks"][-1]
    assert (code, last["name"], last["outcome"]) == (0, "call", "ok")
    assert "$0.0" in last["found"]


def test_a_call_that_fails_is_a_failed_check(doctor, configured):
    configured.fault("status", path="/chat/completions", code=503)
    code, report = doctor("--model", "MAI-Thinking-1", "--call")
    last = report["targets"][0]["checks"][-1]
    assert (code, last["name"], last["outcome"]) == (1, "call", "failed")
    assert "503" in last["found"]


def test_without_call_nothing_that_is_billed_is_sent(doctor, configured):
    doctor("--model", "MAI-Thinking-1", "--model", "MAI-DS-R1")
    assert {entry.method for entry in configured.journal} == {"GET"}


def test_offline_opens_no_connection(mai, configured):
    code, out, _ = mai("doctor", "--offline")
    assert code == 0
    assert "No connection was opened." in out
    assert len(configured.journal) == 0


def test_nothing_configured_says_what_to_set(mai):
    code, out, err = mai("doctor")
    assert code == 3
    assert "There is nothing to check." in out
    assert "MAI_FOUNDRY_ENDPOINT" in err


def test_where_each_setting_came_from_is_shown(mai, configured, monkeypatch):
    monkeypatch.delenv("MAI_VLLM_BASE_URL")
    Path("mai.toml").write_text(f'vllm_base_url = "{configured.url}/v1"\nledger = "mai.db"\n')
    _, out, _ = mai("doctor", "--offline")
    flat = [" ".join(line.split()) for line in out.splitlines()]
    assert f"foundry {configured.url} MAI_FOUNDRY_ENDPOINT" in flat
    assert "key set MAI_FOUNDRY_API_KEY" in flat
    assert f"vllm {configured.url} vllm_base_url in mai.toml" in flat
    assert "ledger mai.db" in flat


def test_a_key_beside_another_address_is_not_sent_and_that_is_said(mai, configured):
    code, out, _ = mai("doctor", "--foundry-endpoint", "https://acme.services.ai.azure.com")
    assert code == 1
    assert "belongs to MAI_FOUNDRY_ENDPOINT, another resource" in " ".join(out.split())
    assert "--foundry-endpoint" in out


def test_a_key_with_a_line_break_is_one_sentence(mai, configured, monkeypatch):
    monkeypatch.setenv("MAI_FOUNDRY_API_KEY", "abc\ndef")
    code, _, err = mai("doctor")
    assert code == 3
    assert "line break" in err
    assert "abc" not in err


def test_a_closed_port_is_found(doctor, configured):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: refuses, and nobody else can take it
        code, report = doctor("--vllm-base-url", f"http://127.0.0.1:{held.getsockname()[1]}")
    assert code == 1
    assert outcomes(report, "vllm")["connection"] == "failed"


def test_a_name_that_does_not_exist_is_found(doctor):
    code, report = doctor("--vllm-base-url", "https://something.invalid")
    assert code == 1
    assert outcomes(report, "vllm") == {"settings": "ok", "address": "failed"}


def test_a_vllm_server_that_wants_a_key_is_found(doctor):
    with Emulator(vllm_key="secret-key") as emulator:
        code, report = doctor("--vllm-base-url", emulator.url)
    checks = report["targets"][0]["checks"]
    assert (code, checks[-1]["found"]) == (1, "asked for, and none is set (401)")
    assert "MAI_VLLM_API_KEY" in checks[-1]["advice"]


@pytest.fixture
def secured(tmp_path):
    """A TLS server on loopback whose certificate nobody signed but itself."""
    pem = certificates.write(tmp_path / "server.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_answer, args=(listener, context), daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{listener.getsockname()[1]}", pem
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def _answer(listener, context):
    body = b'{"object":"list","data":[{"id":"mine"}]}'
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    while True:
        try:
            raw, _ = listener.accept()
        except OSError:
            return
        with raw:
            try:
                with context.wrap_socket(raw, server_side=True) as line:
                    if line.recv(65536):
                        line.sendall(head % len(body) + body)
            except OSError:
                continue


def test_a_certificate_that_is_not_trusted_is_found_before_any_key_is_sent(doctor, secured):
    url, _ = secured
    code, report = doctor("--vllm-base-url", url)
    checks = report["targets"][0]["checks"]
    assert code == 1
    assert (checks[-1]["name"], checks[-1]["outcome"]) == ("certificate", "failed")
    assert "self-signed" in checks[-1]["found"]
    assert "SSL_CERT_FILE" in checks[-1]["advice"]


def test_a_certificate_that_is_trusted_shows_its_issuer_and_its_end(doctor, secured, monkeypatch):
    url, pem = secured
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    code, report = doctor("--vllm-base-url", url)
    checks = {check["name"]: check["found"] for check in report["targets"][0]["checks"]}
    assert code == 0
    assert checks["certificate"] == "A test, until 2099-01-02"
    assert checks["models"] == "mine"
