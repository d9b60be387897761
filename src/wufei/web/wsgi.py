"""The WSGI application; refuses to start on a store that could lose an acknowledged movement."""

import gc
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wufei.web.settings")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from django.db import connections  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from wufei.ledger.queries import refuse_unsafe_store  # noqa: E402
from wufei.policies.queries import known_editions  # noqa: E402

refuse_unsafe_store()
# Sound when the site starts; who is forked from here goes on with these when a file is broken later.
known_editions()
# Load all pages now: whoever asks first would wait for it, in each process again.
_ = get_resolver().url_patterns
# Processes that are forked from here open connections of their own.
connections.close_all()
# What is loaded by now stays: the collector need not look at it again and again, in the middle of a page.
gc.collect()
gc.freeze()
