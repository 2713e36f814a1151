"""Packs the public names of Keras 1.2.2 and 2.2.4, with what they take, for the tests.

`python make_names.py FOLDER`, where FOLDER has `keras-1.2.2.json` and `keras-2.2.4.json`.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main(source):
    packed = {}
    for version in ("1.2.2", "2.2.4"):
        names = packed[version] = {}
        for row in json.loads((source / f"keras-{version}.json").read_text()):
            if row["kind"] in ("module", "package"):
                names[row["name"]] = {}
                continue
            names[row["name"]] = {
                "also": " ".join(row.get("also", ())),
                "params": " ".join(name for name, *_ in row.get("params", ())),
                "members": {
                    **{
                        method: " ".join(name for name, *_ in parameters)
                        for method, parameters in row.get("methods", {}).items()
                    },
                    **dict.fromkeys(row.get("properties", ()), None),
                },
            }
    text = json.dumps(packed, separators=(",", ":"))
    (HERE / "names.json").write_text(text.replace('},"', '},\n"') + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
