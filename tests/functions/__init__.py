"""The Lambda functions, with recorded events and a local stand-in of AWS."""
