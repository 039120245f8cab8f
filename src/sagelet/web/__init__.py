"""The web app and the JSON API: pages rendered here, and what they and other clients call."""
