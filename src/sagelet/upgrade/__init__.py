"""What keeps a project from running on SageMaker: checks, and the rewrites that mend it."""
