"""What the compiler made of a program, for people: a dictionary that prints as a table."""


class Explanation(dict):
    """opendojo_explain's object (src/api/opendojo.h). str() is a table with a line for each op: its kernel, how the nodes
    share it, KiB of a node's SRAM, KiB to and from HBM and to other nodes, and estimated cycles."""

    HEAD = ("op", "what", "kernel", "shared", "SRAM", "HBM", "sent", "cycles")

    def __str__(self):
        rows = [self.HEAD, *map(self._row, self["ops"])]
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = ["  ".join(cell.ljust(width) if 0 < k < 4 else cell.rjust(width)
                           for k, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows]
        spread = f"{self['batch']} samples, {self['nodes']} nodes, shared as {self['spread']}"
        return "\n".join([spread, *([self["not_samples"]] if self["not_samples"] else []), *lines])

    @staticmethod
    def _row(op):
        cuts = " x ".join(f"{pieces} {axis}" for axis, pieces in op["cuts"])
        shared = f"{op['shared']}: {cuts}" if cuts else op["shared"]
        sizes = [f"{op[key] / 1024:.1f}" for key in ("alive_bytes", "hbm_bytes", "network_bytes")]
        return (str(op["id"]), op["name"], op["kind"], shared, *sizes, f"{sum(op['estimated_cycles'].values()):.0f}")
