from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "wufei.portal"
    label = "portal"
