"""What scripts do that exchange files with genuine Keras 3, as it runs them.

`python SCRIPT write FOLDER` writes files and predictions there, `python SCRIPT read FOLDER` reads
what is there, and prints how far predictions are from those written, by file.
"""

import json
import sys
from pathlib import Path


def run(write, differences):
    """Do what the command line asks for."""
    import keras

    what, folder = sys.argv[1], Path(sys.argv[2])
    if what == "write":
        write(keras, folder)
    else:
        print(json.dumps(differences(keras, folder)))
