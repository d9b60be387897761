"""The import's addresses, all of one organisation."""

from django.urls import path

from wufei.capture import views

app_name = "capture"

_OF = "o/<slug:uscc>/import/"

urlpatterns = [
    path(_OF, views.uploads, name="uploads"),
    path(f"{_OF}template.xlsx", views.empty_workbook, name="template"),
    path(f"{_OF}<int:key>/", views.upload, name="upload"),
    path(f"{_OF}<int:key>/confirm/", views.confirm, name="confirm"),
    path(f"{_OF}<int:key>/progress/", views.progress, name="progress"),
    path(f"{_OF}<int:key>/rejects.xlsx", views.rejects, name="rejects"),
]
