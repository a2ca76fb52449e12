"""What a page's script turns from: what it is given, and when it is given nothing."""

import json

import pandas as pd

import turns
from helpers import pareto
from helpers.look import ROWS_CARRIED
from helpers.pareto import month


def test_what_cannot_be_judged_to_the_cent_is_not_turned():
    asked = turns.asked(9)
    found = month.judge_month(asked, **turns.BASE)
    assert pareto.turnable(found, turns.diagnoses(), turns.PERIOD) is not None
    amounts = found.judged.assign(payments=found.judged["payments"] + 0.001)
    assert pareto.turnable(found._replace(judged=amounts), turns.diagnoses(), turns.PERIOD) is None
    nobody = found._replace(judged=found.judged.head(0), before=found.before.head(0))
    assert pareto.turnable(nobody, turns.diagnoses(), turns.PERIOD) is None
    many = pd.concat([found.judged] * (ROWS_CARRIED // len(found.judged) + 1), ignore_index=True)
    many["dealer_id"] = [f"X{i}" for i in range(len(many))]
    assert pareto.turnable(found._replace(judged=many), turns.diagnoses(), turns.PERIOD) is None


def test_what_is_turned_from_is_plain_json_and_small():
    data = turns.case(month.judge_month(turns.asked(8), **turns.BASE), [])[0]
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert "D0" not in json.dumps(data), "who they are stands in the table"
