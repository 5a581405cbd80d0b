"""All rows, in the order of the table's files. One whose package is missing is there too, and is skipped."""

import own_generative
import own_pictures
import own_points
import own_sequences
import published_blocks
import published_text
import published_timm


def all_rows():
    rows = [row for module in (own_sequences, own_points, own_pictures, own_generative, published_text, published_timm, published_blocks) for row in module.rows()]
    names = [row.name for row in rows]
    assert len(set(names)) == len(names), "two rows have one name"
    return rows
