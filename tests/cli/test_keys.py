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


def test_a_key_may_have_limits_of_its_own(run: Run, services: Services) -> None:
    run("keys", "add", "night", "--scope", "predict", "--per-minute", 1200, "--pictures-per-minute", 0)
    run("keys", "add", "plain", "--scope", "read")
    night, plain = Keys(services.objects, services.clock).all()
    assert (night.requests_per_minute, night.pictures_per_minute) == (1200, 0)
    assert (plain.requests_per_minute, plain.pictures_per_minute) == (None, None)
    shown = run("keys", "list").stdout
    assert "1,200" in shown and "no limit" in shown and "as set" in shown
    told = json.loads(run("keys", "list", "--json").stdout)
    assert [key["requests_per_minute"] for key in told] == [1200, None]
    assert run("keys", "add", "none", "--scope", "read", "--per-minute", -1).exit_code == 2


def test_what_cannot_be_is_said(run: Run) -> None:
    again = run("keys", "add", "a b", "--scope", "read")
    assert again.exit_code == 2
    assert "cannot name a key" in again.stderr
    assert "no key nobody" in run("keys", "remove", "nobody").stderr.replace("'", "")
    assert run("keys", "add", "lab-3").exit_code == 2
