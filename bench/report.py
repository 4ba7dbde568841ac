"""Tables and goals from the measured rounds: {peer: [round, round, ...]}."""

import statistics

# Share of its time that a peer may wait for its core, which on a quiet machine it has to itself.
QUIET = 0.05

BASES = ("nginx", "nginx-64k", "haproxy", "relay")


def median(rounds, key):
    return statistics.median(r[key] for r in rounds)


def ratios(rounds, base, key):
    """Round by round, because what disturbs a round disturbs both."""
    return [a[key] / b[key] for a, b in zip(rounds, base) if b[key]]


def key_of(scenario):
    return "bytes_per_connection" if scenario.name == "idle10k" else "cpu_us"


def _ratio_cells(results, name, bases, key):
    cells = []
    for base in bases:
        values = ratios(results[name], results[base], key) if name != base else []
        cells.append(f"{statistics.median(values):.2f} ({min(values):.2f}..{max(values):.2f})"
                     if values else "")
    return cells


def _figures(rounds, key):
    values = [r[key] for r in rounds]
    first = [f"{statistics.median(values):.2f}" if key == "cpu_us" else
             f"{statistics.median(values):.0f}"]
    spread = "{:.2f}..{:.2f}" if key == "cpu_us" else "{:.0f}..{:.0f}"
    first.append(spread.format(min(values), max(values)))
    if key == "cpu_us":
        first += [f"{median(rounds, 'rate'):.0f}", f"{median(rounds, 'p50_us'):.0f}",
                  f"{median(rounds, 'p99_us'):.0f}", f"{median(rounds, 'busy'):.2f}",
                  f"{median(rounds, 'waited'):.2f}",
                  f"{median(rounds, 'rss_kib') / 1024:.1f}"]
    else:
        first += [f"{median(rounds, 'rss_kib') / 1024:.1f}", f"{median(rounds, 'idle_cpu'):.2f}"]
    return first + [str(sum(r["errors"] for r in rounds))]


def table(scenario, results):
    key = key_of(scenario)
    results = {name: rounds for name, rounds in results.items() if rounds}
    bases = [base for base in BASES if base in results]
    if key == "cpu_us":
        head = ["us CPU/req", "min..max", "req/s", "p50 us", "p99 us", "core busy", "waited", "RSS MiB",
                "errors"]
    else:
        head = ["bytes/connection", "min..max", "RSS MiB", "idle CPU %", "errors"]
    lines = [["peer", *head, *(f"x {base}" for base in bases)]]
    for name, rounds in results.items():
        lines.append([name, *_figures(rounds, key), *_ratio_cells(results, name, bases, key)])
    connections = "" if "connection" in scenario.what else f"{scenario.connections} connections, "
    return (f"\n### {scenario.name}: {scenario.what}, {connections}"
            f"{max(map(len, results.values()), default=0)} rounds\n\n" + _aligned(lines))


def _aligned(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    out = []
    for n, row in enumerate(rows):
        cells = [cell.ljust(w) if i == 0 else cell.rjust(w)
                 for i, (cell, w) in enumerate(zip(row, widths))]
        out.append("| " + " | ".join(cells) + " |")
        if n == 0:
            out.append("|" + "|".join("-" * (w + 1) + (":" if i else "-")
                                      for i, w in enumerate(widths)) + "|")
    return "\n".join(out)


def disturbed(rounds):
    """Others ran on the peer's core: its caches were theirs, and its figures decide nothing."""
    return any("waited" in r for r in rounds) and median(rounds, "waited") > QUIET


def check_goal(scenario, goal, results):
    """(text of the goal, what was measured or None, reached or None)."""
    key = key_of(scenario)
    weir = results.get("weir")
    if not goal.against:
        text = f"at most {goal.limit:.0f} B each"
        if not weir:
            return text, None, None
        measured = median(weir, key)
        return text, f"{measured:.0f} B", measured <= goal.limit
    text = f"at most {goal.limit:.2f} x " + (
        goal.against[0] if len(goal.against) == 1 else f"the better of {' and '.join(goal.against)}")
    present = [name for name in goal.against if results.get(name)]
    if not weir or len(present) != len(goal.against):
        return text, None, None
    base = min(present, key=lambda name: median(results[name], key))
    measured = statistics.median(ratios(weir, results[base], key))
    return text, f"{measured:.2f} x {base}", measured <= goal.limit


def goals_table(scenarios, all_results):
    """The table, and how many goals were not shown to be reached."""
    rows, failed = [["scenario", "goal", "measured", ""]], 0
    for scenario in scenarios:
        for goal in scenario.goals:
            text, measured, reached = check_goal(scenario, goal, all_results[scenario.name])
            results = all_results[scenario.name]
            noisy = any(disturbed(results.get(name, [])) for name in ("weir", *goal.against))
            verdict = ("not measured" if reached is None else "undecided: disturbed" if noisy else
                       "reached" if reached else "MISSED")
            failed += verdict != "reached"
            rows.append([scenario.name, text, measured or "-", verdict])
    return "\n### goals, as medians of the rounds' ratios\n\n" + _aligned(rows), failed
