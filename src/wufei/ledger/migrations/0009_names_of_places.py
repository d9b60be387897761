"""What comes into being by itself is called as people call it: such a place had its code for a name, or none."""

from django.db import migrations
from django.db.models import F, Q, Value
from django.db.models.functions import Concat, Substr

TRANSIT_PREFIX = "transit:"
NAMES = {
    "OPENING": "期初",
    "OWN_UTILISATION": "自行利用设施",
    "OWN_DISPOSAL": "自行处置设施",
    "OUTSIDE": "外单位（未写明）",
    "DISCREPANCY": "差异",
    "TRANSFORMATION": "转化",
}


def name_places(apps, schema_editor):
    unnamed = apps.get_model("ledger", "Place").objects.filter(Q(name="") | Q(name=F("code")))
    for kind, name in NAMES.items():
        unnamed.filter(kind=kind).update(name=name)
    number = Substr("code", len(TRANSIT_PREFIX) + 1)
    unnamed.filter(kind="TRANSIT").update(name=Concat(Value("在途（"), number, Value("）")))


class Migration(migrations.Migration):
    dependencies = [("ledger", "0008_waste_reports")]
    operations = [migrations.RunPython(name_places, migrations.RunPython.noop)]
