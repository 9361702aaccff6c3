"""Where trainings run: a network that takes nothing in, and needs no NAT gateway."""

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra import reasons
from infra.settings import Settings

ENDPOINTS = {
    "EcrApi": ec2.InterfaceVpcEndpointAwsService.ECR,
    "EcrDocker": ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
    "Logs": ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
}
"""What a task needs of AWS beside S3 and DynamoDB, where it has no way out of its own."""


class Network(Construct):
    """public: subnets with a way out; private: without, and with endpoints. S3 and DynamoDB are reached
    through gateways of their own, which cost nothing."""

    def __init__(self, scope: Construct, name: str, settings: Settings) -> None:
        super().__init__(scope, name)
        self.public = settings.network == "public"
        kind = ec2.SubnetType.PUBLIC if self.public else ec2.SubnetType.PRIVATE_ISOLATED
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,
            nat_gateways=0,
            subnet_configuration=[ec2.SubnetConfiguration(name="trainings", subnet_type=kind, cidr_mask=24)],
            gateway_endpoints={
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3),
                "DynamoDB": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.DYNAMODB),
            },
        )
        reasons.accept(self.vpc, "VPC7")
        self.group = ec2.SecurityGroup(
            self,
            "Trainings",
            vpc=self.vpc,
            description="Trainings: out only, nothing in",
            allow_all_outbound=True,
        )
        if not self.public:
            self._add_endpoints()

    @property
    def subnets(self) -> list[str]:
        chosen = self.vpc.public_subnets if self.public else self.vpc.isolated_subnets
        return [subnet.subnet_id for subnet in chosen]

    def _add_endpoints(self) -> None:
        group = ec2.SecurityGroup(
            self, "Endpoints", vpc=self.vpc, description="HTTPS from trainings only", allow_all_outbound=False
        )
        group.add_ingress_rule(self.group, ec2.Port.tcp(443), "trainings")
        for name, service in ENDPOINTS.items():
            self.vpc.add_interface_endpoint(name, service=service, security_groups=[group], open=False)
