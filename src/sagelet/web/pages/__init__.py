"""The pages, one module a subject: they ask the backend and render templates."""
