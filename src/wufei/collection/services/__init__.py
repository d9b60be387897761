"""What changes small generators, their declarations and rounds. Every write is here, each in one transaction."""

from wufei.collection.services.declaring import Said, declare
from wufei.collection.services.points import close_point, record_point
from wufei.collection.services.registering import (
    Agreed,
    RegistrationSaid,
    WasteSaid,
    activate,
    agree,
    confirm,
    decline,
    enrol,
    look_up,
    register_on_behalf,
    renew_receipt,
    submit,
)
from wufei.collection.services.rounds import (
    Pick,
    Weighing,
    cancel_round,
    close_round,
    leave_out,
    plan_round,
    reorder,
    start_round,
)
from wufei.collection.services.signing import (
    load_signed,
    set_signing_code,
    sign_as_generator,
    sign_on_the_spot,
)

__all__ = [
    "Agreed", "Pick", "RegistrationSaid", "Said", "WasteSaid", "Weighing", "activate", "agree", "cancel_round", "close_point",
    "close_round", "confirm", "declare", "decline", "enrol", "leave_out", "load_signed", "look_up", "plan_round",
    "record_point", "register_on_behalf", "renew_receipt", "reorder", "set_signing_code", "sign_as_generator",
    "sign_on_the_spot", "start_round", "submit",
]  # fmt: skip
