"""A day, typed or picked in the browser's own calendar; it takes and gives ISO days in every language."""

from typing import Any

from django import forms


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self, **said: Any) -> None:
        super().__init__(format="%Y-%m-%d", **said)


def day_field(**said: Any) -> forms.DateField:
    """Return a field for a day."""
    return forms.DateField(widget=DayInput(), input_formats=["%Y-%m-%d"], **said)
