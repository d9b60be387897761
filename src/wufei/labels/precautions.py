"""What should one mind with a waste of these hazards? Said on a label where its stream says nothing; our own words."""

from collections.abc import Iterable, Mapping

from wufei.labels.pictograms import Hazard

SAYS: Mapping[Hazard, str] = {
    Hazard.FLAMMABLE: "远离火源和热源",
    Hazard.REACTIVE: "避免撞击，勿与其他物质混放",
    Hazard.CORROSIVE: "戴防护手套和护目镜",
    Hazard.TOXIC: "避免接触皮肤和吸入",
    Hazard.INFECTIOUS: "密封保存，戴口罩和手套",
}


def precautions_for(hazards: Iterable[Hazard]) -> str:
    """
    >>> precautions_for([Hazard.TOXIC, Hazard.FLAMMABLE])
    '远离火源和热源；避免接触皮肤和吸入。'
    """
    named = set(hazards)
    said = "；".join(words for hazard, words in SAYS.items() if hazard in named)
    return f"{said}。" if said else ""
