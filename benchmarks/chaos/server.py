"""``goodput serve`` with faults in its workers: ``server.py DEPLOYMENT PORT FAULTS``.

FAULTS is a JSON object: worker name (or "*": each of them) → fault, as in workers/messages.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from goodput.cli.serve import run
from goodput.control.layout import available_cores, plan_slots
from goodput.core.config import load_deployment
from goodput.workers.messages import Fault


def main() -> int:
    """The server's exit code."""
    config = msgspec.structs.replace(load_deployment(Path(sys.argv[1])), port=int(sys.argv[2]))
    faults = msgspec.json.decode(sys.argv[3], type=dict[str, Fault])
    names = [slot.name for slot in plan_slots(config, available_cores())]
    everywhere = dict.fromkeys(names, faults.pop("*")) if "*" in faults else {}
    return run(config, everywhere | faults)


if __name__ == "__main__":
    sys.exit(main())
