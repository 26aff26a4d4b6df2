"""Prepare the report's Python environment, or say in one line what is missing.

Runs under any Python from 3.6 on with the standard library alone, so that an old
Python gets an answer instead of a traceback. Python itself is the only need of the
site; the PDF also needs the Pango libraries of the system.
"""
import ctypes
import ctypes.util
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OLDEST = (3, 11)
NEEDED_GB = 2
CANDIDATES = ["python3", "python3.13", "python3.12", "python3.11"]
PROBE = """
import json, sys
try:
    import venv, ensurepip
    complete = True
except ImportError:
    complete = False
print(json.dumps({"version": list(sys.version_info[:3]), "complete": complete}))
"""
FETCHING = ("Collecting ", "Processing ")  # how pip begins a line for a package from the index, or from a folder
# What WeasyPrint opens, under the names that it tries.
LIBRARIES = {
    "pango": ["libpango-1.0.so.0", "libpango-1.0.dylib", "pango-1.0"],
    "pangoft2": ["libpangoft2-1.0.so.0", "libpangoft2-1.0.dylib", "pangoft2-1.0"],
    "harfbuzz-subset": ["libharfbuzz-subset.so.0", "libharfbuzz-subset.0.dylib", "harfbuzz-subset"],
}
APT_INSTALL = (
    "apt-get install -y --no-install-recommends "
    "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-liberation"
)
PANGO_HELP = (
    "The PDF needs the Pango libraries, which this system lacks. Install them, then run `make report` again:\n"
    "  Debian, Ubuntu  sudo " + APT_INSTALL + "\n"
    "  Fedora          sudo dnf install -y pango harfbuzz liberation-fonts\n"
    "  macOS           brew install pango"
)


class Problem(Exception):
    """Something that a person must put right: what is wrong and what to do, in one line."""


def choose_python(environ):
    """Return the path of the first Python that can make the environment.

    Tries $PYTHON, python3, then python3.13 to python3.11 on PATH, leaving the environment itself out.
    Raises Problem when each is missing, too old or without its venv module.
    """
    found = [probe(path) for path in _on_path(environ)]
    recent = [python for python in found if python["version"] >= OLDEST]
    for python in recent:
        if python["complete"]:
            return python["path"]
    if recent:
        raise Problem(
            "%s lacks its venv module: install it (Debian, Ubuntu: sudo apt-get install -y python3-venv), "
            "then run the command again." % recent[0]["path"]
        )
    seen = "; ".join("%s is %d.%d" % ((p["path"],) + p["version"][:2]) for p in found) or "none was found"
    raise Problem(
        "Python %d.%d or newer is needed (%s): install it, or name one with "
        "`make PYTHON=/path/to/python3.11 ...`." % (OLDEST + (seen,))
    )


def _on_path(environ):
    inside = os.path.join(ROOT, ".venv", "bin")
    folders = [folder for folder in environ.get("PATH", os.defpath).split(os.pathsep) if folder != inside]
    wanted = [environ["PYTHON"]] if environ.get("PYTHON") else []
    paths = [shutil.which(name, path=os.pathsep.join(folders)) for name in wanted + CANDIDATES]
    return [path for path in paths if path]


def probe(path):
    """Return path, version and completeness of a Python; a version of (0, 0) when it does not run."""
    try:
        answer = json.loads(subprocess.check_output([path, "-c", PROBE], stderr=subprocess.DEVNULL).decode())
    except (OSError, ValueError, subprocess.CalledProcessError):
        answer = {"version": [0, 0], "complete": False}
    return {"path": path, "version": tuple(answer["version"]), "complete": answer["complete"]}


def check_room(folder):
    """Raise Problem when the disk that holds `folder` has too little room for the environment."""
    free = shutil.disk_usage(folder).free / 1e9
    if free < NEEDED_GB:
        raise Problem(
            "Only %.1f GB is free on the disk of %s and the environment takes up to %d GB: "
            "make room, then run the command again." % (free, folder, NEEDED_GB)
        )


def wanted_stamp(root):
    """Return the text that marks a finished environment: what the lock file asks for."""
    try:
        with open(os.path.join(root, "requirements.lock.txt"), "rb") as lock:
            return hashlib.sha256(lock.read()).hexdigest()
    except FileNotFoundError:
        raise Problem("requirements.lock.txt is missing: restore it with git, or write it with `make lock`.")


def is_ready(root, environ):
    """Tell whether .venv is finished, fits the lock file and is of the Python that was asked for."""
    venv, wanted = os.path.join(root, ".venv"), wanted_stamp(root)
    try:
        with open(os.path.join(venv, "report.stamp")) as stamp:
            lock, version = stamp.read().split()
    except (OSError, ValueError):
        return False
    if lock != wanted or not os.path.exists(os.path.join(venv, "bin", "python")):
        return False
    asked = shutil.which(environ["PYTHON"]) if environ.get("PYTHON") else None
    return asked is None or "%d.%d" % probe(asked)["version"][:2] == version


def create(root, environ):
    """Make .venv anew and fill it from the lock file; the stamp comes last, so half an environment is redone."""
    python = choose_python(environ)
    check_room(root)
    venv = os.path.join(root, ".venv")
    version = "%d.%d" % probe(python)["version"][:2]
    print("Environment: Python %s (%s), once; this takes a minute or two" % (version, python), flush=True)
    shutil.rmtree(venv, ignore_errors=True)
    log = os.path.join(root, "_build", "install.log")
    os.makedirs(os.path.dirname(log), exist_ok=True)
    with open(log, "w", encoding="utf-8") as out:
        if subprocess.call([python, "-m", "venv", venv], stdout=out, stderr=subprocess.STDOUT):
            raise Problem(
                "%s could not make an environment (its words: %s): install its venv module "
                "(Debian, Ubuntu: sudo apt-get install -y python3-venv)." % (python, os.path.relpath(log, ROOT))
            )
    install(os.path.join(venv, "bin", "python"), os.path.join(root, "requirements.lock.txt"), log)
    show_helpers(root)
    stamp = os.path.join(venv, "report.stamp")
    with open(stamp + ".new", "w") as out:
        out.write("%s %s\n" % (wanted_stamp(root), version))
    os.replace(stamp + ".new", stamp)


def show_helpers(root):
    """Let the environment find the helper package, so that a notebook opened from another folder still runs."""
    for packages in glob.glob(os.path.join(root, ".venv", "lib", "python*", "site-packages")):
        with open(os.path.join(packages, "report.pth"), "w", encoding="utf-8") as path:
            path.write(os.path.join(root, "notebooks") + "\n")


def install(python, lock, log):
    """Install the locked packages with pip, showing progress; pip's own words go to `log`."""
    with open(lock, encoding="utf-8") as text:
        total = len(re.findall(r"^[\w.-]+==", text.read(), re.MULTILINE))
    # Packages are compiled when first imported: compiling all of them would take 15 s more.
    command = [python, "-m", "pip", "install", "--require-hashes", "--no-compile", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar", "off", "-r", lock]
    pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    with open(log, "a", encoding="utf-8") as out:
        fetched = 0
        for line in pip.stdout:
            out.write(line)
            out.flush()
            fetched += line.startswith(FETCHING)
            _progress(line, fetched, total)
    if pip.wait():
        with open(log, encoding="utf-8") as text:
            raise Problem(explain(text.read(), os.path.relpath(log, ROOT)))


def _progress(line, fetched, total):
    if line.startswith(FETCHING) and fetched % 20 == 0:
        print("  %d of at most %d packages fetched" % (fetched, total), flush=True)
    elif line.startswith("Installing collected packages"):
        print("  installing %d packages" % fetched, flush=True)


def explain(words, log):
    """Say in one line why pip failed and what to do, from its words."""
    causes = [
        ("No space left on device", "The disk is full: make room (the environment takes up to %d GB)" % NEEDED_GB),
        (
            "DO NOT MATCH THE HASHES",
            "A downloaded package is not the one that requirements.lock.txt names: check the package index in use",
        ),
        (
            r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|"
            r"Connection (refused|reset|aborted)|from versions: none",
            "The package index cannot be reached: connect to the network, or set PIP_INDEX_URL to a mirror",
        ),
    ]
    for pattern, cause in causes:
        if re.search(pattern, words):
            return "%s, then run the command again. pip's own words: %s" % (cause, log)
    return (
        "pip could not install the packages: put right what %s says at its end, then run the command again." % log
    )


def missing_libraries():
    """Return the names of the libraries for the PDF that cannot be opened."""
    return [name for name, names in LIBRARIES.items() if not any(_opens(each) for each in names)]


def _opens(name):
    if not name.startswith("lib"):
        name = ctypes.util.find_library(name)
    try:
        return bool(name and ctypes.CDLL(name))
    except OSError:
        return False


def provide_pango():
    """Install Pango where that is possible without asking (root on Debian or Ubuntu); tell whether it is there."""
    if not missing_libraries():
        return True
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print("Pango: installing the libraries for the PDF with apt-get", flush=True)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.call(["apt-get", "update"], **quiet)
    subprocess.call(APT_INSTALL.split(), env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"), **quiet)
    return not missing_libraries()


def main():
    """Make the environment unless it is ready; return the exit code."""
    try:
        if is_ready(ROOT, os.environ):
            print("Environment: unchanged", flush=True)
        else:
            create(ROOT, os.environ)
            print("Environment: ready", flush=True)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped: the next run makes the environment again.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
