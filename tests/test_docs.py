"""Every page is held to the code: snippets run, tables and trees match, links lead somewhere.

A fence's info string may say more than its language:
- `python alone` starts with no names; other Python fences of a page share theirs, in order.
- `python pytest` is a test module of its own and is run by pytest.
- `toml mai.toml` is loaded as that file; prices.toml and models.toml are kept for later snippets.
- `skip="why"` is not run.
"""

import contextlib
import gc
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from mai_sdk import MAI, Catalog, Timeouts, errors
from mai_sdk.cli import main
from mai_sdk.config import ROUTE_KEYS, SETTINGS, load_config
from mai_sdk.emulator import FAULTS
from mai_sdk.metering.prices import PriceBook
from mai_sdk.wire.wav import wav_header

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
LINKING = [*PAGES, *(ROOT / f"{name}.md" for name in ("CHANGELOG", "CONTRIBUTING", "SECURITY"))]
FENCE = re.compile(r"^```(\w*)[ ]?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
OF_A_MACHINE = re.compile(r"(?<![\w.])/(?:work|tmp|home|root|Users|var)/")


@dataclass(frozen=True)
class Fence:
    page: Path
    line: int
    language: str
    info: str
    text: str

    @property
    def skipped(self):
        found = re.search(r'skip="([^"]*)"', self.info)
        return found[1] if found else None


def name_of(page):
    return page.relative_to(ROOT).as_posix()


def fences(page):
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        yield Fence(page, text.count("\n", 0, found.start(3)), found[1], found[2], found[3])


def prose(page):
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def table(page, first_heading):
    """Return the rows of the page's table whose first column is called that."""
    lines = iter(page.read_text(encoding="utf-8").splitlines())
    next(line for line in lines if line.startswith(f"| {first_heading} |"))
    assert set(next(lines)) <= set("|-")
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


def written(rows):
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def code(text):
    return f"`{text}`" if text else ""


def settings_rows():
    for setting in SETTINGS.values():
        toml = f"{setting.toml} = {setting.example}" if setting.toml else ""
        toml = setting.example if setting.keyword == "routes" else toml
        yield [
            code(setting.keyword),
            setting.what,
            ", ".join(code(variable) for variable in setting.environment),
            code(toml),
        ]


def route_rows():
    for key, what in ROUTE_KEYS.items():
        yield [code(key), what]


def fault_rows():
    for fault in FAULTS.values():
        given = ", ".join(code(f"{name}={value}") for name, value in fault.parameters.items())
        yield [code(fault.name), fault.about, given, fault.needs, fault.fidelity]


@pytest.fixture
def configured(emulator, monkeypatch):
    """What a reader is told to set, so that `MAI()` just works."""
    monkeypatch.setenv("MAI_FOUNDRY_ENDPOINT", emulator.url)
    monkeypatch.setenv("MAI_FOUNDRY_API_KEY", emulator.key)
    monkeypatch.setenv("MAI_SPEECH_ENDPOINT", emulator.url)
    monkeypatch.setenv("MAI_SPEECH_API_KEY", emulator.key)
    monkeypatch.setenv("MAI_VLLM_BASE_URL", emulator.url)
    monkeypatch.setenv("MAI_SPEECH_ENDPOINT", emulator.url)
    monkeypatch.setenv("MAI_SPEECH_API_KEY", emulator.key)
    monkeypatch.setenv("COLUMNS", "80")
    Path("meeting.wav").write_bytes(wav_header(32_000, sample_rate=16_000) + bytes(32_000))


RUNNABLE = [
    page for page in PAGES if any(f.language in ("python", "toml", "bash") for f in fences(page))
]


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("page", RUNNABLE, ids=name_of)
def test_every_snippet_of_a_page_runs_in_order(page, monkeypatch, tmp_path):
    names = {"__name__": page.stem}
    try:
        for fence in fences(page):
            if fence.skipped is None:
                RUN.get(fence.language, lambda *_: None)(fence, names, monkeypatch)
    finally:
        for value in names.values():
            if isinstance(value, MAI):
                value.close()
    names.clear()
    gc.collect()  # what a snippet left open is a warning, and a warning is an error


def run_python(fence, names, _):
    if "pytest" in fence.info:
        run_pytest(fence)
        return
    if "alone" in fence.info:
        names = {"__name__": "alone"}
    # Empty lines in front, so that a traceback names the line of the page.
    exec(compile("\n" * fence.line + fence.text, str(fence.page), "exec", dont_inherit=True), names)  # noqa: S102 - running them is the test


def run_pytest(fence):
    Path("test_snippet.py").write_text(fence.text, encoding="utf-8")
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "test_snippet.py"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def load_toml(fence, _, monkeypatch):
    tomllib.loads(fence.text)
    file = next((word for word in fence.info.split() if word.endswith(".toml")), None)
    if file is None:
        return
    Path(file).write_text(fence.text, encoding="utf-8")
    if file == "prices.toml":
        assert PriceBook.load(overlay=file).rows()
    elif file == "models.toml":
        assert Catalog.load(overlay=file).models()
    else:
        for variable in re.findall(r'_env = "(\w+)"', fence.text):
            monkeypatch.setenv(variable, "a-key")
        assert not load_config(config_file=file).unusable
        Path(file).unlink()  # its deployments are the reader's, not the emulator's


def run_commands(fence, *_):
    for line in fence.text.splitlines():
        if line.startswith("mai "):
            with contextlib.redirect_stderr(sys.stdout):
                assert main(shlex.split(line, comments=True)[1:]) == 0, line


RUN = {"python": run_python, "toml": load_toml, "bash": run_commands}


def test_what_is_not_run_is_little_and_says_why():
    skipped = [fence for page in PAGES for fence in fences(page) if fence.skipped is not None]
    for fence in skipped:
        print(f"not run: {name_of(fence.page)}:{fence.line}: {fence.skipped}")
    print(f"{len(skipped)} snippets are not run")
    assert all(fence.skipped for fence in skipped), "a skipped snippet needs a reason"
    assert len(skipped) <= 3


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 170


@pytest.mark.parametrize(
    ("page", "heading", "rows"),
    [
        ("configuration.md", "keyword", settings_rows),
        ("configuration.md", "key of a route", route_rows),
        ("emulator.md", "fault", fault_rows),
    ],
)
def test_a_table_says_what_the_code_says(page, heading, rows):
    expected = list(rows())
    assert table(DOCS / page, heading) == expected, f"It should be:\n{written(expected)}"


def test_the_drawn_error_tree_is_that_of_the_docstring():
    tree = errors.__doc__[errors.__doc__.index("MAIError\n") : errors.__doc__.index("\n\nNo error")]
    assert f"```text\n{tree}\n```" in (DOCS / "errors.md").read_text(encoding="utf-8")


def test_every_error_has_its_row_of_advice():
    advised = [row[0].strip("`") for row in table(DOCS / "errors.md", "error")]
    assert sorted(advised) == errors.__all__


def test_the_default_limits_are_those_of_the_code():
    limits = Timeouts()
    expected = {field.name: getattr(limits, field.name) for field in fields(limits)}
    shown = {row[0].strip("`"): float(row[1]) for row in table(DOCS / "configuration.md", "limit")}
    assert shown == expected


def test_the_readme_s_models_and_surfaces_are_those_of_the_catalog():
    catalog = Catalog.load()
    for name, verb, surfaces in table(ROOT / "README.md", "model"):
        model = catalog.get(name)
        assert verb == f"`client.{model.modality}`"
        assert surfaces == ", ".join(map(code, model.surfaces))


def test_every_module_is_named_in_the_picture_of_the_house_and_nothing_else_is():
    section = (DOCS / "architecture.md").read_text(encoding="utf-8")
    drawn, package = set(), ""
    for line in re.search(r"^## The files\n(.*?)^## ", section, re.MULTILINE | re.DOTALL)[
        1
    ].splitlines():
        found = re.match(r"( *)(\w[\w/]*/|\w+\.(?:py|toml))(?=  )", line)
        if found and found[2].endswith("/"):
            package = found[2]
        elif found:
            drawn.add((package if found[1] else "") + found[2])
    source = ROOT / "src" / "mai_sdk"
    real = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if path.suffix in (".py", ".toml") and path.name != "__init__.py"
    }
    assert drawn == real


def anchors(page):
    seen = {}
    for heading in re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE):
        plain = LINK.sub(lambda found: found[0][1:].partition("]")[0], heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        seen[slug] = seen.get(slug, -1) + 1
        yield slug if seen[slug] == 0 else f"{slug}-{seen[slug]}"


@pytest.mark.parametrize("page", LINKING, ids=name_of)
def test_every_link_leads_somewhere(page):
    for link in LINK.findall(prose(page)):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads to nothing"
        assert ROOT in (target, *target.parents), f"{link} leaves the repository"
        if anchor:
            assert anchor in set(anchors(target)), f"{link} names no heading of {name_of(target)}"


@pytest.mark.parametrize("page", [*LINKING, *sorted((ROOT / "examples").glob("*"))], ids=name_of)
def test_no_page_and_no_example_names_a_path_of_a_machine(page):
    if page.is_file():
        assert OF_A_MACHINE.findall(page.read_text(encoding="utf-8")) == []


def test_every_page_can_be_found_from_the_readme():
    found, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in found or page.suffix != ".md":
            continue
        found.add(page)
        links = (link.partition("#")[0] for link in LINK.findall(prose(page)))
        todo += [(page.parent / link).resolve() for link in links if link and "://" not in link]
    assert set(PAGES) <= found
