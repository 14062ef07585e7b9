"""What the dashboard shows. build-monitoring makes files/dashboard.json of it; change it here and not there."""

# Of the operator's own metrics, and of those that belong to one removal. `cluster` matches where nobody sets it, too.
OURS = 'cluster=~"$cluster",job="$job"'
ONE = OURS + ',noderemoval=~"$noderemoval"'
LEADER = OURS + ',name="noderemoval-controller"'
RATE, RANGE = "[$__rate_interval]", "[$__range]"

DATASOURCE = {"type": "prometheus", "uid": "$datasource"}
WIDTH = 24
DOCUMENTATION = "https://noderemoval.dev/docs/monitoring.md"
GREEN, ORANGE, RED, BLUE = "green", "orange", "red", "blue"
NONE_UNDER_WAY = "No removal is under way"


def targets(queries, **options):
    return [{"datasource": DATASOURCE, "refId": chr(ord("A") + number), "expr": expression,
             "legendFormat": legend, **options} for number, (expression, legend) in enumerate(queries)]


def panel(kind, title, width, description, queries, *, height=8, unit="short", options=None, defaults=None, **more):
    """`queries` are pairs of expression and legend, or without a legend just expressions."""
    pairs = [(each, "__auto") if isinstance(each, str) else each for each in queries]
    return {"type": kind, "title": title, "description": description, "datasource": DATASOURCE,
            "gridPos": {"w": width, "h": height}, "targets": targets(pairs, **more.pop("target", {})),
            "fieldConfig": {"defaults": {"unit": unit, **(defaults or {})}, "overrides": more.pop("overrides", [])},
            "options": options or {}, **more}


def steps(*pairs):
    """Colours from a value on; the first holds below all of them."""
    return {"mode": "absolute", "steps": [{"color": color, "value": value} for value, color in pairs]}


def stat(title, width, description, queries, *, thresholds=((None, GREEN),), unit="short", mappings=(), **more):
    return panel("stat", title, width, description, queries, height=4, unit=unit, target={"instant": True},
                 options={"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
                          "colorMode": "value", "graphMode": "none", "textMode": "auto", "justifyMode": "auto",
                          "orientation": "auto"},
                 defaults={"thresholds": steps(*thresholds), "color": {"mode": "thresholds"},
                           "mappings": list(mappings), "decimals": 0}, **more)


def graph(title, width, description, queries, *, unit="short", stacked=False, least=0, empty=None, line=None, height=8):
    custom = {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 60 if stacked else 10, "showPoints": "never",
              "spanNulls": False, "stacking": {"mode": "normal" if stacked else "none", "group": "A"}}
    defaults = {"custom": custom, "color": {"mode": "palette-classic"}}
    if least is not None:
        defaults["min"] = least
    if empty:
        defaults["noValue"] = empty
    if line:
        custom["thresholdsStyle"] = {"mode": "line"}
        defaults["thresholds"] = steps((None, GREEN), (line, RED))
    return panel("timeseries", title, width, description, queries, height=height, unit=unit, defaults=defaults,
                 interval="15s",
                 options={"legend": {"showLegend": True, "displayMode": "table", "placement": "right",
                                     "calcs": ["lastNotNull", "max"]},
                          "tooltip": {"mode": "multi", "sort": "desc"}})


def table(title, width, description, columns, *, labels, empty, height=8):
    """`columns` are triples of expression, heading and unit; rows are joined where `labels` are the same."""
    letters = [f"Value #{chr(ord('A') + number)}" for number in range(len(columns))]
    headings = {letter: heading for letter, (_, heading, _) in zip(letters, columns)} | labels
    order = {name: number for number, name in enumerate(["cluster", *labels, *letters])}
    units = [{"matcher": {"id": "byName", "options": heading}, "properties": [{"id": "unit", "value": unit}]}
             for _, heading, unit in columns]
    return panel("table", title, width, description, [expression for expression, _, _ in columns], height=height,
                 target={"instant": True, "format": "table"}, overrides=units,
                 defaults={"noValue": empty, "custom": {"align": "auto", "filterable": True}},
                 options={"showHeader": True, "cellHeight": "sm", "footer": {"show": False}},
                 transformations=[{"id": "merge", "options": {}},
                                  {"id": "organize", "options": {"excludeByName": {"Time": True},
                                                                 "indexByName": order, "renameByName": headings}}])


def bars(title, width, description, queries, *, unit="short", empty, height=8):
    return panel("bargauge", title, width, description, queries, height=height, unit=unit, target={"instant": True},
                 defaults={"min": 0, "noValue": empty, "thresholds": steps((None, BLUE)), "decimals": 0,
                           "color": {"mode": "thresholds"}},
                 options={"orientation": "horizontal", "displayMode": "basic", "valueMode": "color",
                          "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}})


def heatmap(title, width, description, expression, *, unit, height=8):
    return panel("heatmap", title, width, description, [(expression, "{{le}}")], height=height, unit=unit,
                 target={"format": "heatmap"}, interval="15s",
                 options={"calculate": False, "yAxis": {"unit": unit, "axisPlacement": "left"},
                          "color": {"mode": "scheme", "scheme": "Blues", "steps": 32}, "cellGap": 1,
                          "legend": {"show": True}, "tooltip": {"mode": "single", "yHistogram": False}})


def quantile(share, metric, by):
    return f"histogram_quantile({share}, sum by (le, {by}) (increase({metric}_bucket{{{OURS}}}{RANGE})))"


ROWS = {
    "Now": [
        stat("Under way", 3, "Removals that have not ended, also those that wait for their turn.",
             [f'sum(noderemoval_removals{{{OURS},succeeded="Unknown"}}) or vector(0)'], thresholds=[(None, BLUE)]),
        stat("Blocked", 3, "Removals of which a pod cannot leave the node.",
             [f"count(count by (cluster, noderemoval) (noderemoval_active_blocked_since_timestamp_seconds{{{OURS}}})) "
              "or vector(0)"], thresholds=[(None, GREEN), (1, ORANGE)]),
        stat("Oldest blocker", 3, "For how long the pod that has held up a removal longest has done so. "
             "NodeRemovalBlocked fires after 15 minutes.",
             [f"max(noderemoval_oldest_blocked_age_seconds{{{OURS}}}) or vector(0)"],
             unit="s", thresholds=[(None, GREEN), (300, ORANGE), (900, RED)]),
        stat("Wait for a decision", 3, "Removals that do not go on until somebody decides.",
             [f"sum(noderemoval_decisions_owed{{{OURS}}}) or vector(0)"], thresholds=[(None, GREEN), (1, RED)]),
        stat("Failed", 3, "NodeRemovals that ended without removing their node. They count until they are deleted.",
             [f'sum(noderemoval_removals{{{OURS},succeeded="False"}}) or vector(0)'],
             thresholds=[(None, GREEN), (1, RED)]),
        stat("Brake", 3, "Engaged: so many nodes are NotReady that nothing is forced and no Node is deleted.",
             [f"max(noderemoval_brake_engaged{{{OURS}}}) or vector(0)"], thresholds=[(None, GREEN), (1, RED)],
             mappings=[{"type": "value", "options": {"0": {"text": "off"}, "1": {"text": "ENGAGED"}}}]),
        stat("Leaders", 3, "Replicas that act: one in each cluster.",
             [f"sum(leader_election_master_status{{{LEADER}}}) or vector(0)"], thresholds=[(None, RED), (1, GREEN)]),
        stat("Alerts", 3, "Alerts of this operator that fire.",
             ['count(ALERTS{cluster=~"$cluster",alertname=~"NodeRemoval.+",alertstate="firing"}) or vector(0)'],
             thresholds=[(None, GREEN), (1, RED)]),
    ],
    "Active removals": [
        table("Removals under way", 24, "Each removal with its step and its pods. Removals beyond the first 100 are "
              "not here; the panels above count them.",
              [(f"max by (cluster, noderemoval, target, path, step) (time() - "
                f"noderemoval_active_step_start_timestamp_seconds{{{ONE}}})", "at this step for", "s"),
               (f'sum by (cluster, noderemoval) (noderemoval_active_pods{{{ONE},state="remaining"}})', "pods to go",
                "short"),
               (f'sum by (cluster, noderemoval) (noderemoval_active_pods{{{ONE},state="terminating"}})', "terminating",
                "short"),
               (f'sum by (cluster, noderemoval) (noderemoval_active_pods{{{ONE},state="blocked"}})', "blocked",
                "short"),
               (f"max by (cluster, noderemoval) (time() - noderemoval_active_blocked_since_timestamp_seconds{{{ONE}}})",
                "blocked for", "s")],
              labels={"noderemoval": "removal", "target": "node", "path": "way", "step": "step"}, empty=NONE_UNDER_WAY),
        graph("Pods that have to go", 8, "Of each node that is being removed.",
              [(f'sum by (target) (noderemoval_active_pods{{{ONE},state="remaining"}})', "{{target}}")],
              empty=NONE_UNDER_WAY),
        graph("At the same step for", 8, "For how long each removal has been at its step. NodeRemovalSlow fires after "
              "two hours.", [(f"max by (noderemoval, step) (time() - "
                          f"noderemoval_active_step_start_timestamp_seconds{{{ONE}}})", "{{noderemoval}} {{step}}")],
              unit="s", empty=NONE_UNDER_WAY),
        graph("Blocked for", 8, "For how long each removal has been blocked, by reason. NodeRemovalBlocked fires at "
              "the line.",
              [(f"max by (noderemoval, reason) (time() - "
                f"noderemoval_active_blocked_since_timestamp_seconds{{{ONE}}})", "{{noderemoval}} {{reason}}")],
              unit="s", empty="No removal is blocked", line=900),
        graph("Decisions that are waited for", 12, "Removals that do not go on until somebody decides, by reason.",
              [(f"sum by (decision) (noderemoval_decisions_owed{{{OURS}}}) > 0", "{{decision}}")], stacked=True,
              empty="No removal waits for a decision"),
        graph("Removals under way and their limit", 12, "Nodes that are being removed, and --max-concurrent-removals; "
              "a limit of 0 is none.", [(f"max by (kind) (noderemoval_budget_nodes{{{OURS}}})", "{{kind}}")]),
    ],
    "Throughput": [
        graph("NodeRemovals by reason", 12, "All NodeRemovals that exist, by the reason of their condition Succeeded.",
              [(f"sum by (reason) (noderemoval_removals{{{OURS}}}) > 0", "{{reason}}")], stacked=True,
              empty="There is no NodeRemoval"),
        bars("Ended", 6, "Removals that ended in the time that is shown.",
             [(f"sum by (outcome, reason) (increase(noderemoval_removals_finished_total{{{OURS}}}{RANGE})) > 0",
               "{{outcome}} {{reason}}")], empty="No removal ended"),
        bars("Nodes", 6, "Nodes deleted in the time that is shown, and what was decided about nodes that were not "
             "Ready.",
             [(f"sum by (path) (increase(noderemoval_nodes_deleted_total{{{OURS}}}{RANGE}))", "deleted, {{path}}"),
              (f"sum by (decision) (increase(noderemoval_dead_node_decisions_total{{{OURS}}}{RANGE}))",
               "{{decision}}")], empty="0"),
        table("How long steps took", 12, "Of the steps that were done in the time that is shown. The way of a dead "
              "node is another than that of a drained one.",
              [(f"sum by (step, path) (increase(noderemoval_step_duration_seconds_count{{{OURS}}}{RANGE})) > 0",
                "times", "none"),
               (quantile(0.5, "noderemoval_step_duration_seconds", "step, path") + " >= 0", "half within", "s"),
               (quantile(0.9, "noderemoval_step_duration_seconds", "step, path") + " >= 0", "9 of 10 within", "s")],
              labels={"step": "step", "path": "way"}, empty="No step was done"),
        heatmap("How long removals took", 12, "From the creation to the end, whatever the end was.",
                f"sum by (le) (increase(noderemoval_removal_duration_seconds_bucket{{{OURS}}}{RATE}))", unit="s"),
    ],
    "Evictions": [
        graph("Eviction requests", 6, "By what the API server answered.",
              [(f"sum by (result) (rate(noderemoval_evictions_total{{{OURS}}}{RATE}))", "{{result}}")], unit="reqps"),
        graph("Pods told to leave", 6, "By eviction, by deletion with their grace period, or without any.",
              [(f"sum by (method) (rate(noderemoval_pods_removed_total{{{OURS}}}{RATE}))", "{{method}}")],
              unit="reqps"),
        graph("Blocked pods", 6, "Pods that hold up a removal, by reason.",
              [(f"sum by (reason) (noderemoval_blocked_pods{{{OURS}}}) > 0", "{{reason}}")], stacked=True,
              empty="No pod is blocked"),
        graph("Requests withheld", 6, "Evictions and deletions that were about to be sent and were not: the last check "
              "before them did not let them pass, or another replica leads.",
              [(f"sum by (why) (rate(noderemoval_requests_withheld_total{{{OURS}}}{RATE}))", "{{why}}")], unit="reqps"),
    ],
    "Operator": [
        graph("Rounds", 6, "How often removals were looked at, by result. NodeRemovalReconcileErrors fires when more "
              "than a fifth fail.",
              [(f"sum by (result) (rate(controller_runtime_reconcile_total{{{OURS}}}{RATE}))", "{{result}}")],
              unit="ops"),
        graph("Length of rounds", 6, "Half of the rounds and 99 of 100 took no longer.",
              [(f"histogram_quantile({share}, sum by (le) (rate(controller_runtime_reconcile_time_seconds_bucket"
                f"{{{OURS}}}{RATE})))", legend) for share, legend in ((0.5, "half"), (0.99, "99 of 100"))], unit="s"),
        graph("Queue", 6, "Removals that wait for a worker, and workers that are busy. Without the replicas that do "
              "not lead: they have all removals waiting.",
              [(f"sum(workqueue_depth{{{OURS}}} unless on (cluster, instance) "
                f"leader_election_master_status{{{LEADER}}} == 0)", "waiting"),
               (f"sum(controller_runtime_active_workers{{{OURS}}})", "busy")]),
        graph("Longest round that runs", 6, "When it grows, a round hangs.",
              [(f"max(workqueue_longest_running_processor_seconds{{{OURS}}})", "longest")], unit="s"),
        graph("Requests to the API server", 6, "By the code of the answer; <error>: there was none.",
              [(f"sum by (code) (rate(rest_client_requests_total{{{OURS}}}{RATE}))", "{{code}}")], unit="reqps"),
        graph("Length of requests", 6, "99 of 100 took no longer, by verb. Watches count until they begin.",
              [(f"histogram_quantile(0.99, sum by (le, verb) (rate(rest_client_request_duration_seconds_bucket"
                f"{{{OURS}}}{RATE})))", "{{verb}}")], unit="s"),
        graph("Memory", 6, "Resident memory of each replica.",
              [(f"process_resident_memory_bytes{{{OURS}}}", "{{instance}}")], unit="bytes"),
        graph("CPU", 6, "Processors in use by each replica.",
              [(f"rate(process_cpu_seconds_total{{{OURS}}}{RATE})", "{{instance}}")]),
        graph("Lost", 8, "Log lines that nobody read, and events that were not written.",
              [(f"sum(increase(noderemoval_log_lines_dropped_total{{{OURS}}}{RATE}))", "log lines"),
               (f"sum(increase(noderemoval_events_dropped_total{{{OURS}}}{RATE}))", "events")], height=6),
        graph("Clock", 8, "Clock of the API server minus that of the operator.",
              [(f"noderemoval_server_clock_offset_seconds{{{OURS}}}", "{{instance}}")], unit="s", least=None, height=6),
        bars("Replicas", 8, "That are scraped, by version.",
             [(f"count by (version) (noderemoval_build_info{{{OURS}}})", "{{version}}")], empty="0", height=6),
    ],
}


def variable(name, label, query, *, everything=True):
    found = {"name": name, "label": label, "type": "query", "datasource": DATASOURCE, "refresh": 2, "sort": 1,
             "query": {"query": query, "refId": name}, "definition": query, "hide": 0}
    if everything:
        # .* also matches series without the label.
        found |= {"includeAll": True, "allValue": ".*", "multi": True,
                  "current": {"selected": True, "text": ["All"], "value": ["$__all"]}}
    return found


VARIABLES = [
    {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0},
    variable("cluster", "Cluster", "label_values(noderemoval_build_info, cluster)"),
    variable("job", "Job", 'label_values(noderemoval_build_info{cluster=~"$cluster"}, job)', everything=False),
    variable("noderemoval", "Removal",
             f"label_values(noderemoval_active_step_start_timestamp_seconds{{{OURS}}}, noderemoval)"),
]

ENDS = {"name": "Ends of removals", "datasource": DATASOURCE, "enable": True, "iconColor": "blue", "step": "60s",
        "expr": f"sum by (outcome, reason) (changes(noderemoval_removals_finished_total{{{OURS}}}[2m])) > 0",
        "titleFormat": "{{outcome}}", "textFormat": "{{reason}}", "tagKeys": "outcome"}


def placed():
    """All panels, numbered, in rows from left to right."""
    found, top = [], 0
    for title, panels in ROWS.items():
        found.append({"type": "row", "title": title, "collapsed": False, "panels": [],
                      "gridPos": {"x": 0, "y": top, "w": WIDTH, "h": 1}})
        top, left, height = top + 1, 0, 0
        for each in panels:
            if left + each["gridPos"]["w"] > WIDTH:
                top, left, height = top + height, 0, 0
            found.append({**each, "gridPos": {"x": left, "y": top, **each["gridPos"]}})
            left, height = left + each["gridPos"]["w"], max(height, each["gridPos"]["h"])
        top += height
    return [{"id": number, **each} for number, each in enumerate(found, 1)]


def dashboard():
    return {
        "uid": "noderemoval", "title": "Node removal", "tags": ["noderemoval", "kubernetes"],
        "description": "What the NodeRemoval operator does, and what its removals wait for.",
        "schemaVersion": 39, "version": 1, "editable": True, "graphTooltip": 1, "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"}, "timepicker": {}, "timezone": "browser", "fiscalYearStartMonth": 0,
        "links": [{"title": "Documentation", "type": "link", "url": DOCUMENTATION, "icon": "doc", "targetBlank": True}],
        "templating": {"list": VARIABLES}, "annotations": {"list": [ENDS]}, "panels": placed(),
    }
