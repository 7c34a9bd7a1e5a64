"""The figures as a table, as JSON and as a picture."""

import json
import os
from xml.sax.saxutils import escape

UNITS = (("s", 1e9), ("ms", 1e6), ("us", 1e3))


def show(ns):
    for unit, size in UNITS:
        if ns >= size:
            return f"{ns / size:.2f} {unit}"
    return f"{ns:.1f} ns"


HEAD = (f"{'':24} {'native':>10} {'spread':>7} {'Mystikos':>10} {'spread':>7} {'ratio':>7} {'goal':>6}"
        f" {'calls':>9} {'a call':>9}")


def line(name, result):
    if "fault" in result:
        return f"{name:24} {' '.join(result['fault'].split())}"
    native, inside = result["native"], result["inside"]
    goal = result["goal"]
    text = (f"{name:24} {show(native['median']):>10} {native['spread']:>6.0%} "
            f"{show(inside['median']):>10} {inside['spread']:>6.0%} {result['ratio']:>7.2f} "
            f"{goal if goal is not None else '':>6}")
    if result.get("calls"):
        text += f" {result['calls']:>9} {show(inside['median'] / result['calls']):>9}"
    return text.rstrip()


def write_json(path, machine, results):
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"machine": machine, "unit": "ns", "rows": results}, file, indent=1)
        file.write("\n")


# ---- the picture: a bar for each ratio, on a logarithmic scale around 1 ----

ROW, LEFT, WIDTH, TOP, MOST = 18, 200, 560, 50, 16.0


def _x(ratio):
    import math
    clamped = min(max(ratio, 1 / MOST), MOST)
    return LEFT + WIDTH * (math.log(clamped) / math.log(MOST) + 1) / 2


def write_svg(path, machine, results):
    rows = {name: row for name, row in results.items() if "ratio" in row}
    height = TOP + ROW * len(rows) + 30
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 80}" height="{height}" '
           'font-family="sans-serif" font-size="11">',
           '<rect width="100%" height="100%" fill="white"/>',
           f'<text x="10" y="18" font-size="13">Time on Mystikos / time on native Linux (shorter is '
           f'better; goal: tick)</text>',
           f'<text x="10" y="34" fill="#555">{escape(machine["summary"])}</text>']
    for mark in (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16):
        out.append(f'<line x1="{_x(mark):.0f}" x2="{_x(mark):.0f}" y1="{TOP - 4}" y2="{height - 22}" '
                   f'stroke="{"#000" if mark == 1 else "#ddd"}"/>'
                   f'<text x="{_x(mark):.0f}" y="{height - 8}" text-anchor="middle">{mark:g}</text>')
    for index, (name, row) in enumerate(rows.items()):
        y, one, end = TOP + index * ROW, _x(1), _x(row["ratio"])
        met = row["goal"] is None or row["ratio"] <= row["goal"]
        out.append(f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{escape(name)}</text>'
                   f'<rect x="{min(one, end):.1f}" y="{y + 2}" width="{abs(end - one):.1f}" '
                   f'height="{ROW - 5}" fill="{"#4a8" if met else "#c66"}"/>'
                   f'<text x="{LEFT + WIDTH + 10}" y="{y + 12}">{row["ratio"]:.2f}</text>')
        if row["goal"] is not None:
            out.append(f'<line x1="{_x(row["goal"]):.1f}" x2="{_x(row["goal"]):.1f}" y1="{y}" '
                       f'y2="{y + ROW - 1}" stroke="#036" stroke-width="2"/>')
    out.append("</svg>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")


def write(folder, machine, results):
    os.makedirs(folder, exist_ok=True)
    write_json(os.path.join(folder, "bench.json"), machine, results)
    write_svg(os.path.join(folder, "bench.svg"), machine, results)
