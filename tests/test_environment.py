"""Whatever the machine lacks is said in one line, with what to do."""
import os
import shutil
import stat
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import environment
import pytest

HASHED = "altair==6.3.0 \\\n    --hash=sha256:00\nanyio==4.16.0 \\\n    --hash=sha256:00\n"


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    """An empty project with a lock file, and a PATH that holds what a test puts there."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "requirements.lock.txt").write_text(HASHED)
    monkeypatch.setattr(environment, "ROOT", str(tmp_path))
    monkeypatch.setattr(os, "environ", {"PATH": str(tmp_path / "bin")})
    return tmp_path


def script(path: Path, text: str) -> Path:
    """Write an executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def fake_python(path: Path, version: list[int], complete: bool = True, pip: str = "exit 0") -> Path:
    """Write a Python that answers the probe, makes an environment of itself, and has the pip given."""
    answer = f'{{"version": {version}, "complete": {str(complete).lower()}}}'
    return script(path, f"""case "$*" in
  "-c "*) echo '{answer}' ;;
  "-m venv "*) /bin/mkdir -p "$3/bin" && /bin/cp "$0" "$3/bin/python" ;;
  *pip*) {pip} ;;
esac""")


def outcome(capsys) -> tuple[int, str]:
    """Run the command; return its exit code and what it said to the person."""
    return environment.main(), capsys.readouterr().err


def test_no_python_is_recent_enough(root, capsys):
    old = fake_python(root / "bin" / "python3", [3, 9, 2])
    assert outcome(capsys) == (1, (
        f"Python 3.11 or newer is needed ({old} is 3.9): install it, or name one with "
        "`make PYTHON=/path/to/python3.11 ...`.\n"))


def test_no_python_at_all(root, capsys):
    assert outcome(capsys) == (1, (
        "Python 3.11 or newer is needed (none was found): install it, or name one with "
        "`make PYTHON=/path/to/python3.11 ...`.\n"))


def test_the_venv_module_is_missing(root, capsys):
    bare = fake_python(root / "bin" / "python3", [3, 11, 2], complete=False)
    assert outcome(capsys) == (1, (
        f"{bare} lacks its venv module: install it (Debian, Ubuntu: sudo apt-get install -y python3-venv), "
        "then run the command again.\n"))


def test_the_disk_is_full(root, capsys, monkeypatch):
    fake_python(root / "bin" / "python3", [3, 11, 2])
    monkeypatch.setattr(environment.shutil, "disk_usage", lambda _: namedtuple("Usage", "free")(0.4e9))
    assert outcome(capsys) == (1, (
        f"Only 0.4 GB is free on the disk of {root} and the environment takes up to 2 GB: "
        "make room, then run the command again.\n"))


def test_the_lock_file_is_missing(root, capsys):
    (root / "requirements.lock.txt").unlink()
    fake_python(root / "bin" / "python3", [3, 11, 2])
    assert outcome(capsys)[1] == (
        "requirements.lock.txt is missing: restore it with git, or write it with `make lock`.\n")


FAILURES = {
    "no network": (
        "Retrying: NewConnectionError('Temporary failure in name resolution')",
        "The package index cannot be reached: connect to the network, or set PIP_INDEX_URL to a mirror, "
        "then run the command again. pip's own words: _build/install.log\n"),
    "index without the package": (
        "ERROR: Could not find a version that satisfies the requirement altair==6.3.0 (from versions: none)",
        "The package index cannot be reached: connect to the network, or set PIP_INDEX_URL to a mirror, "
        "then run the command again. pip's own words: _build/install.log\n"),
    "another package under the name": (
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
        "A downloaded package is not the one that requirements.lock.txt names: check the package index in use, "
        "then run the command again. pip's own words: _build/install.log\n"),
    "disk full on the way": (
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
        "The disk is full: make room (the environment takes up to 2 GB), "
        "then run the command again. pip's own words: _build/install.log\n"),
    "anything else": (
        "ERROR: Failed building wheel for altair",
        "pip could not install the packages: put right what _build/install.log says at its end, "
        "then run the command again.\n"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_pip_fails(root, capsys, case):
    words, message = FAILURES[case]
    fake_python(root / "bin" / "python3", [3, 11, 2], pip=f'echo "{words}"; exit 1'.replace("'", ""))
    assert outcome(capsys) == (1, message)
    assert words.replace("'", "") in (root / "_build" / "install.log").read_text()
    assert not environment.is_ready(str(root), os.environ), "a failed installation is made again"


def test_an_unfinished_environment_is_made_again(root, capsys):
    fake_python(root / "bin" / "python3", [3, 11, 2])
    leftover = script(root / ".venv" / "bin" / "leftover", "exit 0")
    assert outcome(capsys) == (0, "")
    assert not leftover.exists()


def test_a_finished_environment_is_kept_until_lock_or_python_changes(root, capsys):
    fake_python(root / "bin" / "python3", [3, 11, 2])
    newer = fake_python(root / "bin" / "python3.13", [3, 13, 0])
    assert environment.main() == 0
    assert environment.is_ready(str(root), {})
    assert not environment.is_ready(str(root), {"PYTHON": str(newer)})
    (root / "requirements.lock.txt").write_text(HASHED.replace("6.3.0", "6.3.1"))
    assert not environment.is_ready(str(root), {})


def test_the_first_good_python_is_taken_and_never_the_environment_itself(root):
    fake_python(root / ".venv" / "bin" / "python3", [3, 13, 0])
    fake_python(root / "bin" / "python3", [3, 10, 1])
    fake_python(root / "bin" / "python3.13", [3, 13, 0], complete=False)
    good = fake_python(root / "bin" / "python3.12", [3, 12, 1])
    asked = fake_python(root / "else" / "python", [3, 11, 0])
    path = os.pathsep.join([str(root / ".venv" / "bin"), str(root / "bin")])
    assert environment.choose_python({"PATH": path}) == str(good)
    assert environment.choose_python({"PATH": path, "PYTHON": str(asked)}) == str(asked)


def test_progress_is_shown(root, capsys):
    pip = "for n in 1 2 3; do for m in 1 2 3 4 5 6 7; do echo Collecting x; done; done; echo Installing collected packages: x"
    fake_python(root / "bin" / "python3", [3, 11, 2], pip=pip)
    assert environment.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == ["  20 of at most 2 packages fetched", "  installing 21 packages", "Environment: ready"]


def test_libraries_are_missing_when_none_of_their_names_opens(monkeypatch):
    monkeypatch.setattr(environment, "LIBRARIES", {"c": ["libnone.so.9", "libc.so.6", "libSystem.dylib"],
                                                   "pango": ["libnone.so.9", "none-such"]})
    assert environment.missing_libraries() == ["pango"]


@pytest.fixture
def without_pango(root, monkeypatch) -> Path:
    """A system where Pango comes with apt-get, and not otherwise."""
    monkeypatch.setattr(environment, "missing_libraries", lambda: [] if (root / "installed").exists() else ["pango"])
    return root


def test_pango_is_installed_by_root_on_debian(without_pango, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    script(without_pango / "bin" / "apt-get", f'echo "$*" >> {without_pango}/calls; echo > {without_pango}/installed')
    assert environment.provide_pango()
    assert (without_pango / "calls").read_text().splitlines() == [
        "update",
        "install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-liberation"]


@pytest.mark.parametrize("user, apt", [(0, False), (1000, True), (1000, False)])
def test_pango_is_left_to_the_person_elsewhere(without_pango, monkeypatch, user, apt):
    monkeypatch.setattr(os, "geteuid", lambda: user)
    if apt:
        script(without_pango / "bin" / "apt-get", f"echo > {without_pango}/installed")
    assert not environment.provide_pango()


def test_the_help_for_pango_gives_one_command_a_system():
    assert environment.PANGO_HELP == (
        "The PDF needs the Pango libraries, which this system lacks. Install them, then run `make report` again:\n"
        "  Debian, Ubuntu  sudo apt-get install -y --no-install-recommends "
        "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-liberation\n"
        "  Fedora          sudo dnf install -y pango harfbuzz liberation-fonts\n"
        "  macOS           brew install pango")


@pytest.mark.parametrize("switch, ending", [("", "1 skipped"), ("1", "1 error")])
def test_the_switch_turns_a_skipped_check_into_a_failure(tmp_path, switch, ending):
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    (tmp_path / "test_one.py").write_text("def test_one(report_pdf):\n    pass\n")
    env = os.environ | {"REQUIRE_BROWSER": switch, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_one.py"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert ending in done.stdout
    assert "the PDF is not there: run `make report` first" in done.stdout or not switch
