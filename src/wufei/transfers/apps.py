from django.apps import AppConfig


class TransfersConfig(AppConfig):
    name = "wufei.transfers"
    label = "transfers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have the ledger know who has to do with a lot under a manifest, and who handed it over."""
        from wufei.ledger.queries.above import above  # app ready
        from wufei.transfers.queries import hands_of, lots_handed_to  # app ready

        above.lots_handed_to = lots_handed_to
        above.hands = hands_of
