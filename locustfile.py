"""Load on a server: `locust -f locustfile.py --headless -u 10 -r 2 -t 300s --host URL` (docs/load.md)."""

from load import session
from load.users import Clinic, Clumsy, Dashboard, Operator, Technician

__all__ = ["Clinic", "Clumsy", "Dashboard", "Operator", "Technician"]

session.install()
