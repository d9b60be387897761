from typing import Any

app_name = "shopfloor"
urlpatterns: list[Any] = []
