"""The page behind CloudFront, with the API under the same origin."""

import fnmatch
import json
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from infra import web
from infra.serving import Serving
from infra.settings import BadSettings, Settings
from malaria.api import web as api_web
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
    marks = json.dumps(busy.one("Custom::CDKBucketDeployment", "Copy")["SourceMarkers"])
    uploads = busy.id("AWS::S3::Bucket", "Uploads")
    assert marks.count(uploads) == 2
    assert "DomainName" in marks and "RegionalDomainName" in marks


def test_a_page_without_a_policy_is_not_deployed(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    with pytest.raises(BadSettings, match="connect-src 'self'; build the page again"):
        web._index(tmp_path, None)  # type: ignore[arg-type]


def test_only_cloudfront_reads_the_pages_bucket(busy: Variant) -> None:
    [policy] = [p for name, p in busy.of("AWS::S3::BucketPolicy").items() if "WebPage" in name]
    emptier, edge = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    assert edge["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert "AWS:SourceArn" in json.dumps(edge["Condition"])
    assert "S3AutoDelete" in json.dumps(emptier["Principal"])
    assert not [one for one in emptier["Action"] if one.startswith("s3:GetObject")], (
        "who empties reads nothing"
    )


def test_the_pages_bucket_can_be_deleted(busy: Variant) -> None:
    """S3 deletes no bucket that holds anything, and no older version of it; this one keeps no versions."""
    bucket = busy.id("AWS::S3::Bucket", "WebPage")
    told = busy.raw("AWS::S3::Bucket")[bucket]
    assert told["DeletionPolicy"] == told["UpdateReplacePolicy"] == "Delete"
    assert "VersioningConfiguration" not in told["Properties"]
    assert {"Key": "aws-cdk:auto-delete-objects", "Value": "true"} in told["Properties"]["Tags"]
    assert busy.one("Custom::S3AutoDeleteObjects")["BucketName"] == {"Ref": bucket}


def test_what_empties_and_copies_keeps_its_log_no_longer_than_the_rest(busy: Variant) -> None:
    functions = busy.of("AWS::Lambda::Function").values()
    groups = {function["LoggingConfig"]["LogGroup"]["Ref"] for function in functions}
    assert len(functions) > len(busy.functions()) and len(groups) > len(busy.functions())
    assert {busy.of("AWS::Logs::LogGroup")[name]["RetentionInDays"] for name in groups} == {
        busy.settings.log_days
    }


def test_no_other_bucket_is_emptied(variant: Variant) -> None:
    marked = [
        name
        for name, one in variant.of("AWS::S3::Bucket").items()
        if "aws-cdk:auto-delete-objects" in json.dumps(one)
    ]
    assert all(name.startswith("WebPage") for name in marked)


def test_what_has_a_name_by_its_content_is_kept_and_the_rest_is_asked_for_anew(busy: Variant) -> None:
    assets = busy.one("Custom::CDKBucketDeployment", "Assets")
    assert assets["DestinationBucketKeyPrefix"] == web.ASSETS == api_web.ASSETS
    assert assets["SystemMetadata"] == {"cache-control": api_web.FOR_EVER}
    assert assets["Prune"] is False, "open tabs still ask for the parts of the page that they came from"
    rest = busy.one("Custom::CDKBucketDeployment", "Copy")
    assert "DestinationBucketKeyPrefix" not in rest
    assert rest["SystemMetadata"] == {"cache-control": api_web.ANEW}
    assert rest["Exclude"] == ["assets/*"], "it would prune them"


def test_the_index_comes_after_what_it_names(busy: Variant) -> None:
    copies = busy.raw("Custom::CDKBucketDeployment")
    [assets], [rest] = ([name for name in copies if part in name] for part in ("Assets", "Copy"))
    assert assets in copies[rest]["DependsOn"]


def test_each_file_of_the_page_is_copied_by_one_of_both(cdk: None, page: Path, tmp_path: Path) -> None:
    """As the CDK puts them into its assets, which the templates of the other tests leave out."""
    from aws_cdk import App, Stack
    from aws_cdk import aws_s3 as s3

    app = App(outdir=str(tmp_path))
    stack = Stack(app, "Pages")
    uploads = s3.Bucket(stack, "Uploads")
    serving = cast(Serving, SimpleNamespace(domain="api.example"))
    web.Web(stack, "Web", Settings(), serving, uploads, page)
    app.synth()
    staged = [{str(file.relative_to(folder)) for file in folder.rglob("*")} for folder in tmp_path.iterdir()]
    assert {"index-1a2b.js"} in staged
    assert {"icon.svg"} in staged


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
