from django.apps import AppConfig


class LabelsConfig(AppConfig):
    name = "wufei.labels"
    label = "labels"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have the ledger find a lot by what a scanner read off its label."""
        from wufei.labels.queries import named_on_label  # app ready
        from wufei.ledger.queries.above import above  # app ready

        above.read_label = named_on_label
