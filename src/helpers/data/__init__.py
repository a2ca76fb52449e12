"""The door: the only room that knows engines, files and raw columns; it gives small tables."""

from helpers.data.brand_profit import brand_months, brand_sums, dealer_margins
from helpers.data.bridges import bridge, is_comparable
from helpers.data.cache import kept
from helpers.data.channels import Channel, category_days, channel, seasons
from helpers.data.checks import require_conservation
from helpers.data.connections import cache_of, source_name
from helpers.data.consumer_habits import (
    consumer_features,
    group_margin,
    group_sums,
    history,
    peak_months,
    previous_consumers,
    responses,
    unidentified_share,
)
from helpers.data.dealer_habits import dealer_features
from helpers.data.ledger import ledger_entries
from helpers.data.order_rhythm import order_rhythm
from helpers.data.plan_file import add_to_plan, keep_session, require_session, sessions_known
from helpers.data.read import (
    JUDGED_BY,
    Workbook,
    brand_share_basis,
    covered,
    dealer_months,
    dealer_orders,
    dealer_totals,
    dealers,
    dealers_by_size,
    fingerprint,
    has,
    in_scope,
    prepare,
    previous_totals,
    reconciliation,
    records,
    require_period,
    sold_out_months,
    span,
    tells,
    values_of,
    workbook,
)
from helpers.data.reference import reference
from helpers.data.results import dealer_spans, network_months, targets
from helpers.data.stock import SPANS, OnHand, flows, models, on_hand
from helpers.data.tables import described
from helpers.data.uplift import promotion_arms, promotion_plans

__all__ = [
    "JUDGED_BY",
    "SPANS",
    "Channel",
    "OnHand",
    "Workbook",
    "add_to_plan",
    "brand_months",
    "brand_share_basis",
    "brand_sums",
    "bridge",
    "cache_of",
    "category_days",
    "channel",
    "consumer_features",
    "covered",
    "dealer_features",
    "dealer_margins",
    "dealer_months",
    "dealer_orders",
    "dealer_spans",
    "dealer_totals",
    "dealers",
    "dealers_by_size",
    "described",
    "fingerprint",
    "flows",
    "group_margin",
    "group_sums",
    "has",
    "history",
    "in_scope",
    "is_comparable",
    "keep_session",
    "kept",
    "ledger_entries",
    "models",
    "network_months",
    "on_hand",
    "order_rhythm",
    "peak_months",
    "prepare",
    "previous_consumers",
    "previous_totals",
    "promotion_arms",
    "promotion_plans",
    "reconciliation",
    "records",
    "reference",
    "require_conservation",
    "require_period",
    "require_session",
    "responses",
    "seasons",
    "sessions_known",
    "sold_out_months",
    "source_name",
    "span",
    "targets",
    "tells",
    "unidentified_share",
    "values_of",
    "workbook",
]
