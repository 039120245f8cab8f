"""Endpoints: variants, pools of workers, routing, hot reload, swap and roll back."""
