"""All rows, in the order of the table's files. One whose package is missing is there too, and is skipped."""

import own_sequences
import published_blocks
import published_text
import published_timm
import published_vision


def all_rows():
    rows = [row for module in (own_sequences, published_blocks, published_timm, published_vision, published_text) for row in module.rows()]
    names = [row.name for row in rows]
    assert len(set(names)) == len(names), "two rows have one name"
    return rows
