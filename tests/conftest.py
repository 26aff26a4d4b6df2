"""What several test files share: the built site and PDF, the browser, and the switch that forbids skipping."""
import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
PDF = ROOT / "_build" / "report.pdf"


def pytest_configure(config):
    """Name the marker for the few tests that run a whole notebook: `-m "not slow"` leaves them out while one works."""
    config.addinivalue_line("markers", "slow: runs a whole notebook")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """With REQUIRE_BROWSER=1, count a skipped test as failed: nothing may be left out."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("REQUIRE_BROWSER") == "1":
        reason = call.excinfo.value.msg if call.excinfo else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} would be skipped ({reason}), and REQUIRE_BROWSER=1 forbids it"
    return report


def _present(path: Path, what: str, command: str) -> Path:
    if not path.exists():
        pytest.skip(f"{what} is not there: run `{command}` first")
    return path


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the built HTML site."""
    _present(SITE / "index.html", "the HTML site", "make html")
    return SITE


@pytest.fixture(scope="session")
def report_pdf() -> Path:
    """The PDF file."""
    return _present(PDF, "the PDF", "make report")


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium without network and without leave to read other files than the page's own."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("Chromium is not installed (Debian, Ubuntu: sudo apt-get install -y chromium)")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    """A page of its own for one test, with the network off."""
    context = browser.new_context(offline=True)
    yield context.new_page()
    context.close()
