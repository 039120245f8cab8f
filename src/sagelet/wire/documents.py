"""The form in which requests and answers pass through Sagelet."""

from __future__ import annotations

from typing import Any

Value = Any
"""A member's value: text, a number, a boolean, bytes, an aware datetime, a list or a dict.

Which of these it is, its shape in the service's model says, and no type checker can.
"""

Document = dict[str, Value]
"""Members by the names that the model gives them."""
