"""Under which MQTT topics do vehicles speak, and are they answered? Pure; those of scales stand in `shopfloor.broker`."""

POSITIONS = "wufei/trackers/+/positions"


def positions_topic(tracker: str) -> str:
    return POSITIONS.replace("+", tracker)


def answers_topic(tracker: str) -> str:
    return f"wufei/trackers/{tracker}/answers"


def tracker_of(topic: str) -> str:
    """
    Return the tracker that a topic of positions is of.

    >>> tracker_of("wufei/trackers/T2/positions")
    'T2'
    """
    return topic.split("/")[2]
