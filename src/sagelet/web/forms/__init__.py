"""The predict form: what an endpoint takes, found out without running its code.

A page includes `forms/_form.html.j2` inside a `<form method="post" enctype="multipart/form-data">`
of its own, beside the CSRF field and a submit button, with `form`, `values` (`values_of(form)`, or
what came: `submitted(data)`) and `errors` (`BadInput.errors`, or `{}`).
"""

from sagelet.web.forms.about import About, about
from sagelet.web.forms.fields import Field, Upload, Values
from sagelet.web.forms.filling import fill, submitted, uploaded_type
from sagelet.web.forms.form import ACCEPT, CONTENT_TYPE, BadInput, Example, Form, InferenceSource
from sagelet.web.forms.inferring import form_of
from sagelet.web.forms.reading import values_of

__all__ = [
    "ACCEPT",
    "CONTENT_TYPE",
    "About",
    "BadInput",
    "Example",
    "Field",
    "Form",
    "InferenceSource",
    "Upload",
    "Values",
    "about",
    "fill",
    "form_of",
    "submitted",
    "uploaded_type",
    "values_of",
]
