"""Turned rules and whole tables: whether a page's script says what the recipe says, how long a turn
takes, and what a row weighs.

`python tests/benchmarks/turned_rules.py` turns 250 made-up networks in each of three languages, by
two random rules each, in headless Chromium, and compares every letter, sentence and cell with what
`pareto.judge_month` says; then it turns a page of 5,000 dealers, and weighs pages.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
sys.path.insert(0, str(Path(__file__).parents[1]))

import checks
import lively

import turns

LANGUAGES = ("en", "zh-Hans", "zh-Hant")
TURN_MS, ROW_BYTES, N_TURNS = 100, 60, 60
# from the moving of a slider to a page that is laid out anew
TURN = """rules => {
  const turning = globalThis.workbook.turning, start = performance.now();
  turning.set(rules);
  turning.turn();
  document.body.offsetHeight;
  return performance.now() - start;
}"""


def main() -> int:
    """Run all of it, print what was found, and tell whether a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=250)
    parser.add_argument("--dealers", type=int, default=5000)
    asked = parser.parse_args()
    missed = False
    with checks.browser() as opened:
        with turns.script(opened) as page:
            started = time.monotonic()
            wrong, changed, n = turns.compared(page, range(asked.networks), LANGUAGES)
            took = time.monotonic() - started
        print(
            f"{asked.networks} networks, {2 * asked.networks} random rules, {n} pages in three "
            f"languages, {changed} with other classes: {len(wrong)} differences ({took:.0f} s)",
            flush=True,
        )
        for difference in wrong[:5]:
            print("   ", difference[:300])
        missed = missed or bool(wrong)
        weights = {}
        for n in (asked.dealers // 10, asked.dealers):
            with tempfile.TemporaryDirectory() as folder:
                place = lively.make_edition(Path(folder), n_dealers=n) / f"{lively.PAGE}.html"
                weights[n] = place.stat().st_size
                if n == asked.dealers:
                    missed = _turns(opened, place) or missed
    (few, light), (many, heavy) = weights.items()
    row = (heavy - light) / (many - few)
    print(f"page of {few:,} dealers {light:,} bytes, of {many:,} {heavy:,}: {row:.1f} bytes a row")
    missed = missed or row > ROW_BYTES
    print("a target is missed" if missed else "every target is met")
    return int(missed)


def _turns(opened, place: Path) -> bool:
    """Turn a page by many rules, and print the times."""
    page = opened.new_page()
    page.goto(place.as_uri())
    page.wait_for_selector("html[data-living=ready]", state="attached")
    page.locator("details.turning summary").click()
    times = sorted(page.evaluate(TURN, turns.options(i)) for i in range(N_TURNS))
    median, late = statistics.median(times), times[int(0.95 * N_TURNS)]
    print(f"a turn: median {median:.0f} ms, p95 {late:.0f} ms, most {times[-1]:.0f} ms")
    page.close()
    return late > TURN_MS


if __name__ == "__main__":
    sys.exit(main())
