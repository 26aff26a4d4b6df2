"""Figure and table numbers from the notebook's own prefix: 'Figure 4.1' stays 4.1 when chapters are added.

Sphinx numbers everything through the whole book. Its numbers are put aside before it compares them with the
last build, and replaced afterwards, so that an unchanged page is not written again. Pages without a two-digit
prefix carry no numbers.

A link to a figure makes Sphinx read the figure's whole page again from disk; here each page is read once a build.
"""
from __future__ import annotations

import re
from functools import cache, cached_property

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.domains.std import StandardDomain
from sphinx.environment import BuildEnvironment

Numbers = dict[str, dict[str, dict[str, tuple[int, ...]]]]


class KeptPages:
    """The environment, whose pages are read from disk only once."""

    def __init__(self, env: BuildEnvironment) -> None:
        self.env, self.get_doctree = env, cache(env.get_doctree)

    def __getattr__(self, name: str) -> object:
        return getattr(self.env, name)


class NumberedDomain(StandardDomain):
    """Sphinx's own domain, quicker at numbers of figures."""

    @cached_property
    def kept(self) -> KeptPages:
        """Pages do not change any more when links are resolved."""
        return KeptPages(self.env)

    def _resolve_numref_xref(self, env: BuildEnvironment, *args: object) -> nodes.Element | None:
        return super()._resolve_numref_xref(self.kept, *args)


def chapter_numbers(sphinx_numbers: Numbers) -> Numbers:
    """{page: {kind: {id: (chapter, position)}}} for the pages that have a two-digit prefix."""
    numbered = {}
    for docname, kinds in sphinx_numbers.items():
        prefix = re.match(r"(\d\d)-", docname.rsplit("/", 1)[-1])
        if prefix:
            numbered[docname] = {
                kind: {figure: (int(prefix[1]), position) for position, figure in enumerate(ids, 1)}
                for kind, ids in kinds.items()
            }
    return numbered


def _put_back(app: Sphinx, env: BuildEnvironment) -> list[str]:
    env.toc_fignumbers = getattr(env, "sphinx_fignumbers", {})
    return []


def _replace(app: Sphinx, env: BuildEnvironment) -> list[str]:
    before = getattr(env, "chapter_fignumbers", {})
    env.sphinx_fignumbers = env.toc_fignumbers
    env.chapter_fignumbers = env.toc_fignumbers = chapter_numbers(env.sphinx_fignumbers)
    return [name for name, numbers in env.toc_fignumbers.items() if numbers != before.get(name)]


def setup(app: Sphinx) -> dict:
    """Run on either side of Sphinx's own numbering, which has priority 500."""
    app.add_domain(NumberedDomain, override=True)
    app.connect("env-get-updated", _put_back, priority=100)
    app.connect("env-get-updated", _replace, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
