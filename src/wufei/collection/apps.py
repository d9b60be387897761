from django.apps import AppConfig


class CollectionConfig(AppConfig):
    name = "wufei.collection"
    label = "collection"
    default_auto_field = "django.db.models.BigAutoField"
