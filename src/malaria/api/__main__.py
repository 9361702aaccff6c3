"""`python -m malaria.api`: the description of the interface, without a server.

The types of the web page are made of it.
"""

import json
import sys

from malaria.api.app import described


def main() -> None:
    """Write the OpenAPI document. Its version is left out: a release changes no type."""
    told = described().openapi()
    told["info"]["version"] = "0"
    sys.stdout.write(json.dumps(told, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
