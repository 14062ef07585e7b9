"""Draws the panels of the dashboard from the answers of a Prometheus, as a page of HTML. Roughly as Grafana does:
places, titles, units, colours, legends and empty states are those of the dashboard."""

import html
import re
from datetime import datetime, timezone

from repository import dashboard

COLUMN, ROW = 64, 34
COLORS = ["#73bf69", "#5794f2", "#f2cc0c", "#ff780a", "#f2495c", "#b877d9", "#8ab8ff", "#37872d", "#fa6400", "#c4162a"]
NAMED = {"green": "#73bf69", "orange": "#ff9830", "red": "#f2495c", "blue": "#5794f2"}
STYLE = """
body { background: #111217; color: #ccccdc; font: 12px Inter, "DejaVu Sans", sans-serif; margin: 8px }
#page { position: relative }
.panel, .row { position: absolute; box-sizing: border-box; overflow: hidden }
.panel { background: #181b1f; border: 1px solid #2c3235; padding: 4px 8px }
.row { font-size: 15px; padding-top: 9px }
h2 { font-size: 12.5px; font-weight: 600; margin: 0 0 4px; white-space: nowrap }
.big { font-size: 30px; text-align: center; line-height: 74px }
.empty { text-align: center; color: #8e8e99; margin-top: 40px }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; padding: 2px 6px; border-bottom: 1px solid #2c3235 }
th { color: #6e9fff; font-weight: 600 }
text { fill: #9a9aa5; font-size: 10px }
.legend { font-size: 10.5px; white-space: nowrap }
"""


def with_unit(value, unit):
    if unit == "s":
        for name, seconds in (("d", 86400), ("h", 3600), ("min", 60)):
            if abs(value) >= seconds:
                return f"{value / seconds:.3g} {name}"
        return f"{value * 1000:.3g} ms" if 0 < abs(value) < 1 else f"{value:.3g} s"
    if unit == "bytes":
        return f"{value / 2 ** 20:.3g} MiB"
    if unit == "none":
        return f"{value:.0f}"
    return f"{value:.3g}" + {"reqps": " req/s", "ops": " ops/s"}.get(unit, "")


class Page:
    """What `prometheus` answers for the time from `start` to `end`, with the values of the variables."""

    def __init__(self, prometheus, start, end, step=1):
        self._prometheus = prometheus
        self._start, self._end, self._step = start, end, step

    def html(self):
        panels = dashboard()["panels"]
        bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
        drawn = "\n".join(map(self._panel, panels))
        return (f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><div id=page style='width:{24 * COLUMN}px;"
                f"height:{bottom * ROW}px'>{drawn}</div>")

    def _panel(self, panel):
        place = panel["gridPos"]
        width, height = place["w"] * COLUMN, place["h"] * ROW
        style = (f"left:{place['x'] * COLUMN}px;top:{place['y'] * ROW}px;width:{width - 4}px;height:{height - 4}px")
        title = html.escape(panel["title"])
        if panel["type"] == "row":
            return f"<div class=row style='{style}'>{title}</div>"
        body = getattr(self, "_" + panel["type"])(panel, width - 22, height - 34)
        return f"<div class=panel style='{style}'><h2>{title}</h2>{body}</div>"

    def _now(self, target):
        return self._prometheus.now(self._substituted(target["expr"]), self._end)

    def _substituted(self, expression):
        for name, value in (("$__rate_interval", "10s"), ("$__range", f"{int(self._end - self._start)}s"),
                            ("$cluster", ".*"), ("$job", "noderemoval"), ("$noderemoval", ".*")):
            expression = expression.replace(name, value)
        return expression

    def _stat(self, panel, *_):
        defaults = panel["fieldConfig"]["defaults"]
        [(_, value)] = self._now(panel["targets"][0])
        texts = defaults["mappings"][0]["options"] if defaults["mappings"] else {}
        text = texts.get(f"{value:.0f}", {}).get("text") or with_unit(value, defaults["unit"])
        return f"<div class=big style='color:{color_at(value, defaults)}'>{text}</div>"

    def _table(self, panel, *_):
        rows = []
        for number, target in enumerate(panel["targets"]):
            for labels, value in self._now(target):
                merge_into(rows, labels, f"Value #{chr(ord('A') + number)}", value)
        if not rows:
            return empty(panel)
        organize = panel["transformations"][1]["options"]
        there = set().union(*rows)
        columns = [name for name in sorted(organize["indexByName"], key=organize["indexByName"].get) if name in there]
        headings = [organize["renameByName"].get(name, name) for name in columns]
        overrides = panel["fieldConfig"]["overrides"]
        units = {each["matcher"]["options"]: each["properties"][0]["value"] for each in overrides}
        head = "".join(f"<th>{heading}</th>" for heading in headings)
        lines = "".join("<tr>" + "".join(f"<td>{cell(row.get(name), units.get(heading, 'short'))}</td>"
                                         for name, heading in zip(columns, headings)) + "</tr>" for row in rows)
        return f"<table><tr>{head}</tr>{lines}</table>"

    def _bargauge(self, panel, width, height):
        bars = [(legend(target, labels), value) for target in panel["targets"] for labels, value in self._now(target)]
        if not bars:
            return empty(panel)
        most = max(value for _, value in bars) or 1
        size = min(24, height / len(bars))
        lines = [f"<text x=0 y={number * size + 14}>{html.escape(name)}</text>"
                 f"<rect x=150 y={number * size + 3} height={size - 6} width={(width - 200) * value / most} "
                 f"fill={COLORS[1]} /><text x={width - 40} y={number * size + 14}>{value:.0f}</text>"
                 for number, (name, value) in enumerate(bars)]
        return f"<svg width={width} height={height}>{''.join(lines)}</svg>"

    def _over_time(self, panel):
        return [(legend(target, labels), samples) for target in panel["targets"] for labels, samples in
                self._prometheus.over_time(self._substituted(target["expr"]), self._start, self._end, self._step)]

    def _timeseries(self, panel, width, height):
        series = self._over_time(panel)
        defaults = panel["fieldConfig"]["defaults"]
        if not series:
            return empty(panel)
        stacked = defaults["custom"]["stacking"]["mode"] == "normal"
        lines = stack(series) if stacked else series
        values = [value for _, samples in lines for _, value in samples]
        bottom = min([*values, 0])
        top = max([*values, 0]) if max(values) > bottom else bottom + 1
        plot = max(width * 0.45, min(width * 0.62, width - 190))

        def x(time):
            return 55 + (time - self._start) / (self._end - self._start) * (plot - 60)

        def y(value):
            return height - 24 - (value - bottom) / (top - bottom) * (height - 36)

        ticks = (bottom, (bottom + top) / 2, top)
        parts = [f"<text x=0 y={y(tick) + 3}>{with_unit(tick, defaults['unit'])}</text>"
                 f"<line x1=50 x2={plot} y1={y(tick)} y2={y(tick)} stroke=#2c3235 />" for tick in ticks]
        parts += [f"<text x={x(time) - shift} y={height - 6}>{clock(time)}</text>"
                  for time, shift in ((self._start, 0), (self._end, 50))]
        # The sum of all lies behind, so that each of them is seen.
        for number, (_, samples) in reversed(list(enumerate(lines))):
            color = COLORS[number % len(COLORS)]
            for run in runs(samples, 2 * self._step):
                points = " ".join(f"{x(time):.1f},{y(value):.1f}" for time, value in run)
                if stacked:
                    area = f"{x(run[0][0]):.1f},{y(0):.1f} {points} {x(run[-1][0]):.1f},{y(0):.1f}"
                    parts.append(f"<polygon points='{area}' fill={color} stroke=none />")
                else:
                    parts.append(f"<polyline points='{points}' fill=none stroke={color} stroke-width=1.5 />")
        for number, (name, samples) in enumerate(series[:int(height / 15)]):
            color = COLORS[number % len(COLORS)]
            last = with_unit(samples[-1][1], defaults["unit"])
            parts.append(f"<rect x={plot + 10} y={number * 15 + 4} width=10 height=3 fill={color} /><text class=legend "
                         f"x={plot + 25} y={number * 15 + 10}>{html.escape(shortened(name))}  {last}</text>")
        return f"<svg width={width} height={height}>{''.join(parts)}</svg>"

    def _heatmap(self, panel, width, height):
        series = sorted(((float(bound), samples) for bound, samples in self._over_time(panel)),
                        key=lambda each: each[0])
        if not series:
            return empty(panel)
        rows = height / len(series)
        below, cells, most = {}, [], 1e-9
        for number, (_, samples) in enumerate(series):
            for time, value in samples:
                cells.append((number, time, value - below.get(time, 0)))
                most = max(most, cells[-1][2])
                below[time] = value
        wide = (width - 60) / max(1, (self._end - self._start) / self._step)
        parts = [f"<rect x={60 + (time - self._start) / self._step * wide:.1f} y={height - (number + 1) * rows:.1f} "
                 f"width={wide:.1f} height={rows - 1:.1f} fill={COLORS[1]} opacity={value / most:.2f} />"
                 for number, time, value in cells if value > 1e-9]
        parts += [f"<text x=0 y={height - number * rows - 3:.1f}>"
                  f"{with_unit(bound, 's') if bound < 1e9 else '+Inf'}</text>"
                  for number, (bound, _) in enumerate(series)]
        return f"<svg width={width} height={height}>{''.join(parts)}</svg>"


def clock(time):
    return datetime.fromtimestamp(time, timezone.utc).strftime("%H:%M:%S")


def empty(panel):
    return f"<div class=empty>{panel['fieldConfig']['defaults'].get('noValue', 'No data')}</div>"


def cell(value, unit):
    return "" if value is None else html.escape(value) if isinstance(value, str) else with_unit(value, unit)


def color_at(value, defaults):
    reached = [step for step in defaults["thresholds"]["steps"] if step["value"] is None or step["value"] <= value]
    return NAMED[reached[-1]["color"]]


def legend(target, labels):
    template = target["legendFormat"]
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found.group(1), ""), template)


def shortened(name):
    """Without what tells the names of one test from those of another."""
    return re.sub(r"-test-[0-9a-f]{8}", "", name)


def merge_into(rows, labels, column, value):
    """As the transformation `merge` does: rows that agree in what both have become one."""
    labels = {name: shortened(text) for name, text in labels.items()}
    for row in rows:
        if column not in row and all(row[name] == text for name, text in labels.items() if name in row):
            row.update(labels)
            row[column] = value
            return
    rows.append({**labels, column: value})


def stack(series):
    sums, lines = {}, []
    for name, samples in series:
        line = []
        for time, value in samples:
            sums[time] = sums.get(time, 0) + value
            line.append((time, sums[time]))
        lines.append((name, line))
    return lines


def runs(samples, gap):
    """The samples, cut where there were none for longer than `gap`."""
    found = [[samples[0]]]
    for before, sample in zip(samples, samples[1:]):
        if sample[0] - before[0] > gap:
            found.append([])
        found[-1].append(sample)
    return found
