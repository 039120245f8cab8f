"""What a person sees of training jobs: their metrics, logs and plots, by the API's calls alone."""
