"""The WSGI application; refuses to start on a store that could lose an acknowledged movement."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wufei.web.settings")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from wufei.ledger.queries import refuse_unsafe_store  # noqa: E402

refuse_unsafe_store()
