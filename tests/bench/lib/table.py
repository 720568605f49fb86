"""Prints rows as a table in Markdown, and what a reader must know about the machine."""

import os
import pathlib
import platform

HEADINGS = ["", "unit", "Moonlet", "peer", "", "Moonlet / peer", "must reach", ""]
WIDTHS = [55, 12, 11, 11, 7, 14, 12, 7]


def machine():
    processor = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            processor = line.partition(":")[2].strip()
            break
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) / 1024 / 1024
    cores = len(os.sched_getaffinity(0))
    return f"{processor}, {cores} cores, {memory:.0f} GiB, Linux {platform.release()} {platform.machine()}"


def head():
    return line(HEADINGS) + "\n" + "|" + "|".join("-" * (width + 2) for width in WIDTHS) + "|"


def cells(row):
    ratio = row.moonlet / row.peer if row.moonlet is not None and row.peer else None
    sign = ">= " if row.higher_is_better else "<= "
    verdict = {None: "", True: "reached", False: "missed"}[row.reached()]
    return line([
        row.title,
        row.unit,
        number(row.moonlet),
        number(row.peer),
        row.peer_name,
        number(ratio),
        sign + number(row.target) if row.target is not None else "",
        verdict,
    ])


def line(texts):
    return "| " + " | ".join(text.ljust(width) for text, width in zip(texts, WIDTHS)) + " |"


def number(value):
    """Three digits, or all of them before the point."""
    if value is None:
        return "-"
    if abs(value) < 0.005:
        return "0"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
