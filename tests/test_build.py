"""A build does nothing twice, leaves nothing half-made, and never links to a PDF that is not there."""
from pathlib import Path

import build
import pytest
import website


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A small project whose Jupyter Book and PDF printer only write down that they ran."""
    for name, text in {
        "book/index.md": "# Title\n\nText.\n", "book/_ext/draw.py": "x = 1\n", "book/_static/look.css": "p {}\n", "book/tables/t.md": "generated\n",
        "book/_tools/datapackage.py": "import sys; sys.exit('legal/x: row 3' if 'bad' in open('data/x.csv').read() else 0)\n",
        "data/x.csv": "a\n1\n", "notebooks/04-law.ipynb": '{"cells": []}', "_config.yml": "title: T\n", "CITATION.cff": "version: 1\n", "_toc.yml": "root: i\nchapters:\n- file: notebooks/04-law\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    places = {"ROOT": "", "BUILD": "_build", "SITE": "_build/html", "SINGLE": "_build/singlehtml",
              "DOCTREES": "_build/.doctrees", "PDF": "_build/report.pdf", "DATA_PAGES": "book/tables"}
    for name, place in places.items():
        monkeypatch.setattr(build, name, tmp_path / place)
    monkeypatch.setattr(build, "calls", [], raising=False)
    monkeypatch.setattr(build, "run", fake_run(build.run))
    monkeypatch.setattr(build, "rerun_notebooks", lambda: None)
    monkeypatch.setattr(build, "print_pdf", lambda: build.PDF.write_text("pdf"))
    monkeypatch.setattr(build.environment, "provide_pango", lambda: True)
    return tmp_path


def fake_run(real):
    """Return a runner that writes the pages itself when Jupyter Book is called."""
    def run(command, log, **env):
        if "--builder" not in command:
            return real(command, log, **env)
        builder = command[-1]
        anew = not build.DOCTREES.exists()
        build.calls.append((builder, env["REPORT_PDF"], "all pages" if anew else "changed pages"))
        for folder in (build.DOCTREES, build.BUILD / builder):
            folder.mkdir(parents=True, exist_ok=True)
        (build.BUILD / builder / "index.html").write_text("link" * int(env["REPORT_PDF"]))
        broken = "broken" in (build.ROOT / "book/index.md").read_text()
        log.write_text(f"\x1b[91m{build.ROOT}/book/index.md:3: WARNING: unknown document: 'x'\x1b[0m\n" * 2 if broken else "fine\n")
        return not broken
    return run


def called() -> list:
    """Return what Jupyter Book was called for since the last look."""
    calls, build.calls = build.calls, []
    return calls


def test_a_notebook_outside_the_contents_is_named(project, capsys):
    (project / "notebooks/05-new.ipynb").write_text('{"cells": []}')
    assert build.main(["html"]) == 1
    assert "add the line `- file: notebooks/05-new` under Chapters" in capsys.readouterr().err
    assert called() == []


def test_a_bad_table_stops_the_build_before_the_book(project, capsys):
    (project / "data/x.csv").write_text("a\nbad\n")
    assert build.main(["html"]) == 1
    assert capsys.readouterr().err == "The data package is not in order:\nlegal/x: row 3\n"
    assert called() == []


def test_a_warning_fails_the_build_is_printed_and_is_found_again(project, capsys):
    (project / "book/index.md").write_text("broken")
    for _ in range(2):
        assert build.main(["html"]) == 1
        assert capsys.readouterr().err == (
            "The book has faults (all of the build's words: _build/html.log):\n"
            "  book/index.md:3: WARNING: unknown document: 'x'\n")
        assert called() == [("html", "0", "all pages")], "pages read by a failed build would not warn again"
    assert not (project / "_build/html.stamp").exists()


def test_a_crash_shows_the_last_words(project):
    log = project / "html.log"
    log.write_text("".join(f"line {number}\n" for number in range(40)))
    assert build.complaints(log).splitlines()[1:] == [f"  line {number}" for number in range(25, 40)]


def test_a_failing_pdf_leaves_a_site_without_the_link(project, monkeypatch, capsys):
    assert build.main(["report"]) == 0
    (project / "book/index.md").write_text("# Title\n\nOther text.\n")

    def fail():
        raise build.NotPrinted("The PDF has faults.")

    monkeypatch.setattr(build, "print_pdf", fail)
    assert build.main(["report"]) == 1
    assert capsys.readouterr().err == "The PDF has faults.\n"
    assert (project / "_build/html/index.html").read_text() == ""
    assert not (project / "_build/html/report.pdf").exists()
    assert not (project / "_build/report.pdf").exists()
    assert not (project / "_build/pdf.stamp").exists()


def test_pages_with_faults_are_not_printed(project, monkeypatch, capsys):
    monkeypatch.setattr(build, "print_pdf", lambda: pytest.fail("printed"))
    (project / "book/index.md").write_text("broken")
    assert build.main(["report"]) == 1
    assert "book/index.md:3: WARNING" in capsys.readouterr().err
    assert called() == [("singlehtml", "1", "all pages")] and not build.PDF.exists()


def test_without_pango_the_site_is_finished_and_the_remedy_printed(project, monkeypatch, capsys):
    monkeypatch.setattr(build.environment, "provide_pango", lambda: False)
    assert build.main(["report"]) == 1
    assert capsys.readouterr().err == build.environment.PANGO_HELP + "\n"
    assert called() == [("html", "0", "all pages")]
    assert build.main(["html"]) == 0


def test_stale_outputs_fail_the_check_before_anything_is_built(project, monkeypatch, capsys):
    monkeypatch.setattr(build.freshness, "check", lambda root: 1)
    assert build.main(["check"]) == 1
    assert capsys.readouterr().err == (
        "Stored outputs are stale: run `make report`, look at what changed, commit the notebooks.\n")
    assert called() == []


def test_an_unknown_command_lists_the_known_ones(capsys):
    assert build.main(["pfd"]) == 2
    assert capsys.readouterr().err == "Say which: python book/_tools/build.py report|html|check\n"


def test_nothing_changed_builds_nothing(project):
    assert build.main(["report"]) == 0
    assert called() == [("singlehtml", "1", "all pages"), ("html", "1", "changed pages")]
    (project / "book/tables/t.md").write_text("generated again\n")
    assert build.main(["report"]) == 0
    assert called() == []


def test_the_site_alone_keeps_neither_link_nor_copy_of_an_earlier_pdf(project):
    assert build.main(["report"]) == 0
    assert (project / "_build/html/report.pdf").exists()
    called()
    assert build.main(["html"]) == 0
    assert called() == [("html", "0", "all pages")]
    assert (project / "_build/html/index.html").read_text() == ""
    assert not (project / "_build/html/report.pdf").exists()
    assert build.main(["report"]) == 0
    assert called() == [("html", "1", "all pages")], "the PDF itself is still good"
    assert (project / "_build/html/report.pdf").exists()


ANEW = {"code that draws": ("book/_ext/draw.py", "x = 2\n"), "style sheet": ("book/_static/look.css", "p { margin: 0 }\n"), "configuration": ("_config.yml", "title: U\n"),
        "heading": ("book/index.md", "# Other title\n\nText.\n"), "new page": ("book/new.md", "New.\n"),
        "figure": ("notebooks/04-law.ipynb", '{"cells": [{"id": "fig-new"}]}')}
CHANGED = {"text": ("book/index.md", "# Title\n\nOther text.\n"), "value": ("data/x.csv", "a\n2\n"),
           "outputs": ("notebooks/04-law.ipynb", '{"cells": [{}]}')}


@pytest.mark.parametrize("case", ANEW | CHANGED)
def test_all_pages_are_made_anew_when_what_they_share_changed(project, case):
    assert build.main(["html"]) == 0
    called()
    file, text = (ANEW | CHANGED)[case]
    (project / file).write_text(text)
    assert build.main(["html"]) == 0
    assert called() == [("html", "0", "all pages" if case in ANEW else "changed pages")]


def test_a_page_that_the_single_page_read_again_is_written_again_in_the_site(tmp_path):
    from sphinx.application import Sphinx

    book = tmp_path / "book"
    book.mkdir()
    (book / "conf.py").write_text("")
    (book / "index.rst").write_text("Title\n=====\n\n.. include:: table.txt\n")

    def built(word: str) -> str:
        (book / "table.txt").write_text(word)
        for builder in ("singlehtml", "html"):
            app = Sphinx(book, book, tmp_path / builder, tmp_path / "doctrees", builder, status=None, confoverrides={"html_theme": "basic"})
            app.connect("env-get-updated", website.read_since_written)
            app.build()
        return (tmp_path / "html/index.html").read_text()

    assert "before" in built("before")
    assert "after" in built("after")
