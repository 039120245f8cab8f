"""Texts that pages of others have stumbled over: markup, templates, directions, odd characters."""

from __future__ import annotations

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    '"><img src=x onerror=alert(1)>',
    "' onfocus=alert(1) autofocus='",
    '" onmouseover="alert(1)" x="',
    "<svg/onload=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "</title></style></template></select></option>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}${7*7}#{7*7}",
    "]]><![CDATA[<b>",
    "&lt;script&gt;&#x3c;script&#x3e;",
    "\u202eright to left\u202c",
    "مرحبا بالعالم",
    "e\u0301\u200d🎉\ufeff",
    "\u2028\u2029",
    "a" * 5000,
    "<style>*{display:none}</style>",
)
