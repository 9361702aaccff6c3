"""The page behind CloudFront, with the API under the same origin."""

import fnmatch
import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra import web
from infra.settings import BadSettings, Settings
from tests.infra.templates import Variant

if TYPE_CHECKING:
    from malaria.services import Services

CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"


def _distribution(variant: Variant) -> dict[str, Any]:
    told: dict[str, Any] = variant.one("AWS::CloudFront::Distribution")["DistributionConfig"]
    return told


def test_there_is_a_page_only_where_one_is_wanted(ecs: Variant, sagemaker: Variant) -> None:
    assert not ecs.of("AWS::CloudFront::Distribution")
    assert sagemaker.of("AWS::CloudFront::Distribution")


def test_a_page_that_was_not_built_is_asked_for_in_vain(tmp_path: Path, page: Path) -> None:
    with pytest.raises(BadSettings, match=r"index\.html does not exist; build the page first"):
        web.wanted(Settings(web="on"), tmp_path)
    assert not web.wanted(Settings(web="auto"), tmp_path)
    assert web.wanted(Settings(web="auto"), page)
    assert not web.wanted(Settings(web="off"), page)


def test_answers_of_the_api_are_never_cached(busy: Variant) -> None:
    behaviours = _distribution(busy)["CacheBehaviors"]
    assert [one["PathPattern"] for one in behaviours] == list(web.API_PATHS)
    for one in behaviours:
        assert one["CachePolicyId"] == CACHING_DISABLED
        assert one["OriginRequestPolicyId"] == ALL_VIEWER_EXCEPT_HOST
        assert "POST" in one["AllowedMethods"]
        assert one["ViewerProtocolPolicy"] == "https-only"


def test_the_apis_404_stays_a_404(busy: Variant) -> None:
    told = _distribution(busy)
    assert "CustomErrorResponses" not in told
    fallback = busy.id("AWS::CloudFront::Function", "Fallback")
    assert fallback in json.dumps(told["DefaultCacheBehavior"]["FunctionAssociations"])
    assert fallback not in json.dumps(told["CacheBehaviors"])


def test_the_page_may_post_to_the_bucket_of_uploads_and_to_nobody_else(busy: Variant) -> None:
    """A large ZIP goes there. The name is known only to the deployment, so it is put in then."""
    marks = json.dumps(busy.one("Custom::CDKBucketDeployment")["SourceMarkers"])
    uploads = busy.id("AWS::S3::Bucket", "Uploads")
    assert marks.count(uploads) == 2
    assert "DomainName" in marks and "RegionalDomainName" in marks


def test_a_page_without_a_policy_is_not_deployed(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    with pytest.raises(BadSettings, match="connect-src 'self'; build the page again"):
        web._index(tmp_path, None)  # type: ignore[arg-type]


def test_only_cloudfront_reads_the_pages_bucket(busy: Variant) -> None:
    [policy] = [p for name, p in busy.of("AWS::S3::BucketPolicy").items() if "WebPage" in name]
    allowed = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    assert [s["Principal"] for s in allowed] == [{"Service": "cloudfront.amazonaws.com"}]
    assert "AWS:SourceArn" in json.dumps(allowed[0]["Condition"])


def test_every_route_of_the_api_is_reached_through_cloudfront(services: "Services") -> None:
    from malaria.api.app import create_app

    paths = create_app(services).openapi()["paths"]
    assert len(paths) > 10
    lost = [path for path in paths if not any(fnmatch.fnmatchcase(path, one) for one in web.API_PATHS)]
    assert lost == []


def _at_edge(request: dict[str, Any]) -> dict[str, Any]:
    """What the function at the edge makes of a request."""
    if shutil.which("node") is None:
        pytest.skip("functions at the edge are JavaScript: they need Node.js on PATH")
    code = web.FALLBACK.read_text() + "\nconsole.log(JSON.stringify(handler(JSON.parse(process.argv[1]))));"
    done = subprocess.run(
        ["node", "-e", code, json.dumps({"request": request})], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize(
    ("asked", "answered"),
    [("/jobs/9f2c", "/index.html"), ("/", "/index.html"), ("/assets/main-1a.js", "/assets/main-1a.js")],
)
def test_the_pages_own_addresses_are_answered_with_the_page(asked: str, answered: str) -> None:
    assert _at_edge({"uri": asked})["uri"] == answered
