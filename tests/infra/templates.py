"""Templates as the tests read them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.settings import Settings


@dataclass(frozen=True)
class Variant:
    """A stack that was synthesised. findings: what AwsSolutions says of it."""

    settings: Settings
    template: dict[str, Any]
    path: Path
    findings: list[str]

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties of the resources of a kind, by logical id: 'AWS::S3::Bucket'."""
        return {name: one.get("Properties", {}) for name, one in self.raw(kind).items()}

    def raw(self, kind: str) -> dict[str, dict[str, Any]]:
        return {name: one for name, one in self.template["Resources"].items() if one["Type"] == kind}

    def one(self, kind: str, part: str = "") -> dict[str, Any]:
        """The one resource of a kind whose logical id holds `part`."""
        [found] = [told for name, told in self.of(kind).items() if part in name]
        return found

    def id(self, kind: str, part: str = "") -> str:
        [found] = [name for name in self.of(kind) if part in name]
        return found

    def functions(self) -> dict[str, dict[str, Any]]:
        """Our own functions, by handler: 'api', 'on_upload' ..."""
        own = [f for f in self.of("AWS::Lambda::Function").values() if f.get("PackageType") == "Image"]
        return {f["ImageConfig"]["Command"][0].split(".")[1]: f for f in own}

    def statements(self, role: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
        """Statements of the policies of roles whose logical id holds `role`, each with its policy's name."""
        for name, policy in self.of("AWS::IAM::Policy").items():
            if any(role in str(one["Ref"]) for one in policy["Roles"]):
                for statement in policy["PolicyDocument"]["Statement"]:
                    yield name, statement

    def rights(self, role: str) -> set[tuple[str, str]]:
        """(action, resource) of each right; resources as `infra.reasons.flat` writes them."""
        return {
            (action, resource)
            for _, one in self.statements(role)
            for action in listed(one["Action"])
            for resource in map(_flat, listed(one["Resource"]))
        }


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _flat(told: Any) -> str:
    from infra.reasons import flat

    return flat(told)
