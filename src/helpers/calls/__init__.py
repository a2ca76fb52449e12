"""Whom to call: what the questions found, ranked by the money that is surely at stake."""

from helpers.calls.losses import lost_money, money_losses
from helpers.calls.month import CallsData, CallsMonth, calls_month, judge_month, read_month
from helpers.calls.silence import silent_dealers
from helpers.calls.summary import by_account_manager, call_list, loss_table, measure_table, stakes
from helpers.calls.triggers import CHANCES, TRIGGERS

__all__ = [
    "CHANCES",
    "TRIGGERS",
    "CallsData",
    "CallsMonth",
    "by_account_manager",
    "call_list",
    "calls_month",
    "judge_month",
    "loss_table",
    "lost_money",
    "measure_table",
    "money_losses",
    "read_month",
    "silent_dealers",
    "stakes",
]
