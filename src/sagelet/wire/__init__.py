"""AWS's protocols, driven by botocore's service models: routing, parsing, errors, signatures."""
