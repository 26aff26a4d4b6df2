"""Check every table and write data/datapackage.json from the descriptors beside them.

    python book/_tools/datapackage.py           write the file
    python book/_tools/datapackage.py --check   exit 1 if the file in the repository is not current
"""
import argparse
import json
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "notebooks"))

from evidence import data  # noqa: E402  (the helper package stands beside the notebooks)

PACKAGE = data.DATA / "datapackage.json"
CITATION = ROOT / "CITATION.cff"


def package_text() -> str:
    """The text of datapackage.json as descriptors and citation now stand: what describes the whole first, then a line for each table."""
    package, cited = data.package(), yaml.safe_load(CITATION.read_text(encoding="utf-8"))
    tables = ",\n".join(json.dumps(resource, ensure_ascii=False, separators=(",", ":")) for resource in package.pop("resources"))
    authors = [{"title": author.get("name") or f"{author['given-names']} {author['family-names']}", "role": "author"} for author in cited["authors"]]
    whole = json.dumps({**package, "version": cited["version"], "contributors": authors}, ensure_ascii=False, indent=2)
    return whole.removesuffix("\n}") + f',\n  "resources": [\n{tables}\n  ]\n}}\n'


def is_current() -> bool:
    """Whether the file in the repository says what the descriptors say."""
    return PACKAGE.exists() and PACKAGE.read_text(encoding="utf-8") == package_text()


def main() -> None:
    """Write the package, or with --check only say whether it is current; either way hold every table against its contract."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say whether the file is current")
    arguments = parser.parse_args()
    try:
        data.check_all()
        if arguments.check:
            sys.exit(None if is_current() else "data/datapackage.json does not match the descriptors. Run `make datapackage` and commit the file.")
        PACKAGE.write_text(package_text(), encoding="utf-8", newline="\n")
    except data.DataError as error:
        sys.exit(str(error))
    print(f"data/datapackage.json describes {len(data.names())} tables.")


if __name__ == "__main__":
    main()
