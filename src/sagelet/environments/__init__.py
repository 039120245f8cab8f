"""DeployEnv: a configuration file and variables become settings, and settings clients."""
