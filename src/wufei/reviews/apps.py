from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "wufei.reviews"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have what people are told mailed by a worker."""
        from wufei.reviews.services.messages import told  # app ready
        from wufei.reviews.tasks import mail_when_told  # app ready

        told.connect(mail_when_told, dispatch_uid="reviews.mail_when_told")
