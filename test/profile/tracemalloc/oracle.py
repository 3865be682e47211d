"""Runs programs on CPython's tracemalloc: statistics, differences and filters of given traces. One program a line."""
import json
import sys
import tracemalloc


def snapshot(traces):
    raw = [
        (kind, size, tuple((file, line) for file, line in frames), len(frames))
        for kind, size, frames in traces
    ]
    return tracemalloc.Snapshot(raw, 9)


def python_filter(spec):
    if "file" in spec:
        return tracemalloc.Filter(
            spec["inclusive"],
            spec["file"],
            lineno=spec.get("line"),
            all_frames=spec.get("allFrames", False),
            domain=spec.get("kind"),
        )
    return tracemalloc.DomainFilter(spec["inclusive"], spec["kind"])


def frames_of(traceback):
    return [[frame.filename, frame.lineno] for frame in reversed(traceback)]


for line in sys.stdin:
    program = json.loads(line)
    filters = [python_filter(spec) for spec in program["filters"]]
    new = snapshot(program["traces"]).filter_traces(filters)
    old = snapshot(program["old"])
    key = {"line": "lineno", "file": "filename", "traceback": "traceback"}[program["by"]]
    cumulative = program["cumulative"]
    print(
        json.dumps(
            {
                "statistics": [
                    [frames_of(s.traceback), s.size, s.count, str(s)]
                    for s in new.statistics(key, cumulative)
                ],
                "differences": [
                    [frames_of(d.traceback), d.size, d.size_diff, d.count, d.count_diff, str(d)]
                    for d in new.compare_to(old, key, cumulative)
                ],
            }
        )
    )
