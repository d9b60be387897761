from django.apps import AppConfig


class ShopfloorConfig(AppConfig):
    name = "wufei.shopfloor"
    label = "shopfloor"
    default_auto_field = "django.db.models.BigAutoField"
