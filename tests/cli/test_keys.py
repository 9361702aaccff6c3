"""`malaria keys`: make, list, withdraw."""

import json

from malaria.domain import Scope
from malaria.keys import Doorkeeper, Keys
from malaria.services import Services
from tests.cli.conftest import Run


def test_a_key_is_made_listed_and_withdrawn(run: Run, services: Services) -> None:
    assert "No keys yet" in run("keys", "list").stderr
    made = run("keys", "add", "lab-3", "--scope", "predict", "--scope", "confirm", "--days", 30)
    text = made.stdout.strip()
    keys = Keys(services.objects, services.clock)
    holder = Doorkeeper(keys, services.clock).holder(text)
    assert holder is not None
    assert holder.scopes == (Scope.PREDICT, Scope.CONFIRM)
    shown = run("keys", "list").stdout
    assert "lab-3" in shown and "predict, confirm" in shown and text not in shown
    (told,) = json.loads(run("keys", "list", "--json").stdout)
    assert (told["name"], told["scopes"]) == ("lab-3", ["predict", "confirm"])
    assert "digest" not in told
    assert run("keys", "remove", "lab-3").exit_code == 0
    assert Doorkeeper(keys, services.clock).holder(text) is None


def test_what_cannot_be_is_said(run: Run) -> None:
    again = run("keys", "add", "a b", "--scope", "read")
    assert again.exit_code == 2
    assert "cannot name a key" in again.stderr
    assert "no key nobody" in run("keys", "remove", "nobody").stderr.replace("'", "")
    assert run("keys", "add", "lab-3").exit_code == 2
