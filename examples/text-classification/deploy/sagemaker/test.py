"""Invoke the endpoint with two texts, in the environment that DEPLOY_ENV names."""

from __future__ import annotations

import json

from sagelet import DeployEnv

env = DeployEnv()
model_name = env.setting("model_name")
payload = [
    ["The Wimbledon tennis tournament starts next week!"],
    ["The Canadian President signed in the new federal law."],
]

print(f"Attempting to invoke model_name={model_name} / env={env.current_env()}...")
response = env.runtime_client().invoke_endpoint(
    EndpointName=model_name,
    ContentType="application/json",
    Accept="application/json",
    Body=json.dumps(payload),
)
print("Response=", response)
print(json.dumps(json.load(response["Body"]), indent=4))
