"""What a process of the operating system holds, as Linux counts it."""

import dataclasses
import pathlib


@dataclasses.dataclass
class Held:
    """Memory in KiB and the number of mappings."""

    memory: int
    mappings: int

    def __sub__(self, before):
        return Held(self.memory - before.memory, self.mappings - before.mappings)


def held(pid):
    """Proportional set size plus page tables: pages shared with other processes count in part, copy-on-write ones that are still
    those of the file or image once for all. The resident set size would count each of them again for every mapping."""
    process = pathlib.Path(f"/proc/{pid}")
    memory = field(process / "smaps_rollup", "Pss") + field(process / "status", "VmPTE")
    return Held(memory, len((process / "maps").read_bytes().splitlines()))


def field(path, name):
    for line in path.read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0])
    raise KeyError(f"{path} has no {name}")
