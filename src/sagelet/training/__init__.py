"""Training jobs: hosts and processes, channels, hyperparameters, environment, artifacts."""
