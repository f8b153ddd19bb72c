"""``python -m tests.previous.freeze``: keep what this checkout answers. Run at a release."""

from __future__ import annotations

import sys

from tests.previous.answers import Client, write_frozen
from tests.previous.images import of_the_pack, pack_folder, phantoms
from tests.previous.release import this_release
from tests.servers import run_folder


def main() -> None:
    """Analyse the images on the embedded stack and write the answers."""
    pack = pack_folder()
    if pack is None:
        sys.exit("no image pack: set HILUM_CXR_DIR")
    with run_folder() as folder, this_release().serve("embedded", folder, {}) as served:
        write_frozen(Client(served).answers({**phantoms(), **of_the_pack(pack)}))


if __name__ == "__main__":
    main()
