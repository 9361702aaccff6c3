"""`python -m malaria.cli` is `malaria`."""

from malaria.cli import main

main()
