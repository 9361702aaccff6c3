"""The AWS stack, described with the CDK. `make synth` writes its templates to cdk.out/."""
