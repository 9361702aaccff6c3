"""The Lambda functions: thin shells over `malaria`, one folder each."""
