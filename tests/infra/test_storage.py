"""What the synthesised templates promise about data that must not be lost."""

from tests.infra.templates import Variant

TLS_ONLY = {"Bool": {"aws:SecureTransport": "false"}}


def _of_data(variant: Variant) -> set[str]:
    return {name for name in variant.of("AWS::S3::Bucket") if name.startswith("Storage")}


def test_every_bucket_is_encrypted_and_private(variant: Variant) -> None:
    for bucket in variant.of("AWS::S3::Bucket").values():
        assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert all(bucket["PublicAccessBlockConfiguration"].values())
        assert len(bucket["PublicAccessBlockConfiguration"]) == 4
        assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_data_is_versioned_and_kept(variant: Variant) -> None:
    kept = "Retain" if variant.settings.keep_data else "Delete"
    names = _of_data(variant)
    assert len(names) == 3
    for name in names:
        bucket = variant.template["Resources"][name]
        assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
        assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == kept


def test_every_bucket_refuses_plain_http_unless_it_stands_on_a_stand_in(variant: Variant) -> None:
    guarded = {
        policy["Bucket"]["Ref"]
        for policy in variant.of("AWS::S3::BucketPolicy").values()
        for s in policy["PolicyDocument"]["Statement"]
        if s["Effect"] == "Deny" and s["Action"] == "s3:*" and s.get("Condition") == TLS_ONLY
    }
    assert guarded == (set(variant.of("AWS::S3::Bucket")) if variant.settings.require_tls else set())


def test_only_raw_uploads_and_their_copies_expire(ecs: Variant) -> None:
    lapses = {
        name: {
            (rule.get("Prefix", ""), rule["ExpirationInDays"])
            for rule in bucket["LifecycleConfiguration"]["Rules"]
            if "ExpirationInDays" in rule
        }
        for name, bucket in ecs.of("AWS::S3::Bucket").items()
    }
    assert {name[7:-8]: found for name, found in lapses.items()} == {
        "AccessLogs": {("", 90)},
        "Uploads": {("", ecs.settings.raw_upload_days)},
        "Models": {("uploads/", 90), ("tickets/", 30), ("sagemaker/", 30), ("checkpoints/", 7)},
    }


def test_what_was_overwritten_can_be_brought_back_and_what_was_begun_is_tidied(variant: Variant) -> None:
    for name in _of_data(variant):
        rules = variant.of("AWS::S3::Bucket")[name]["LifecycleConfiguration"]["Rules"]
        [tidy] = [rule for rule in rules if rule["Id"] == "tidy"]
        assert tidy["NoncurrentVersionExpiration"] == {"NoncurrentDays": variant.settings.noncurrent_days}
        assert tidy["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}


def test_who_reads_and_writes_is_logged(variant: Variant) -> None:
    logs = variant.id("AWS::S3::Bucket", "AccessLogs")
    for name in _of_data(variant) - {logs}:
        told = variant.of("AWS::S3::Bucket")[name]["LoggingConfiguration"]
        assert told["DestinationBucketName"] == {"Ref": logs}


def test_uploads_tell_event_bridge_without_a_function_of_the_cdk(ecs: Variant) -> None:
    told = ecs.one("AWS::S3::Bucket", "Uploads")["NotificationConfiguration"]
    assert told == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    assert not [one for one in ecs.template["Resources"].values() if one["Type"].startswith("Custom::")]
    for name, bucket in ecs.of("AWS::S3::Bucket").items():
        assert "Uploads" in name or "NotificationConfiguration" not in bucket


def test_pages_of_the_deployment_alone_may_post_uploads(ecs: Variant, busy: Variant) -> None:
    assert "CorsConfiguration" not in ecs.one("AWS::S3::Bucket", "Uploads")
    [rule] = busy.one("AWS::S3::Bucket", "Uploads")["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedMethods"] == ["POST"]
    site = busy.id("AWS::CloudFront::Distribution")
    own = {"Fn::Join": ["", ["https://", {"Fn::GetAtt": [site, "DomainName"]}]]}
    assert rule["AllowedOrigins"] == ["https://laboratory.example", own]


def test_tables_are_paid_by_use_recoverable_and_kept(variant: Variant) -> None:
    tables = variant.raw("AWS::DynamoDB::GlobalTable")
    assert len(tables) == 2
    for table in tables.values():
        told = table["Properties"]
        assert told["BillingMode"] == "PAY_PER_REQUEST"
        assert "TimeToLiveSpecification" not in told, "a row that expires looks like an upload that was lost"
        kept = variant.settings.keep_data
        assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == ("Retain" if kept else "Delete")
        for replica in told["Replicas"]:
            assert replica["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
            assert replica["DeletionProtectionEnabled"] is kept


def test_the_ledger_can_be_listed_by_time_and_by_state_and_as_it_stands(ecs: Variant) -> None:
    table = ecs.one("AWS::DynamoDB::GlobalTable", "Jobs")
    assert _keys(table) == ["kind", "id"]
    assert "GlobalSecondaryIndexes" not in table, "those are read late"
    assert {i["IndexName"]: _keys(i) for i in table["LocalSecondaryIndexes"]} == {
        "by-time": ["kind", "by_time"],
        "by-state": ["kind", "by_state"],
    }
    assert {i["Projection"]["ProjectionType"] for i in table["LocalSecondaryIndexes"]} == {"ALL"}


def test_feedback_lies_by_prediction_in_order(ecs: Variant) -> None:
    table = ecs.one("AWS::DynamoDB::GlobalTable", "Feedback")
    assert _keys(table) == ["prediction", "number"]
    types = {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}
    assert types == {"prediction": "S", "number": "N"}


def _keys(of: dict[str, list[dict[str, str]]]) -> list[str]:
    return [key["AttributeName"] for key in of["KeySchema"]]
