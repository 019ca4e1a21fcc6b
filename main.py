#!/usr/bin/env python3
"""The cdk8s app: every file in environments/ becomes manifests in dist/ and Applications in argocd/.

`cdk8s synth`, `python main.py` and `make synth` all run this file. The construct tree is in
llmd_constructs.environment; `python main.py --help` lists what else it can do.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "constructs"))

from llmd_constructs.cli.main import main

if __name__ == "__main__":
    main(sys.argv[1:] or ["synth"], ROOT, "main.py")
