#!/usr/bin/env python3
"""Writes a Donkeycar tub of a few frames: small_tub.py FOLDER FRAMES.

Grey pictures of square patches, brighter on the side to steer to, the same on every computer. They are JPEG files
with one value per patch (the mean of an 8x8 block, ITU-T T.81's DC coefficient) and nothing else, so that no
package for pictures is needed.
"""
import json
import pathlib
import random
import struct
import sys

ACROSS, DOWN = 25, 9  # patches: 200 x 72 pixels


def segment(marker, content):
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def huffman(place, code_bits, symbols):
    counts = bytes(len(symbols) if bits == code_bits else 0 for bits in range(1, 17))
    return segment(0xC4, bytes([place]) + counts + bytes(symbols))


def patches_as_bits(patches):
    """Differences of neighbouring values: 4 bits for how long, so many for the value, and "end of block"."""
    bits, before = "", 0
    for patch in patches:
        difference, before = patch - 128 - before, patch - 128
        size = abs(difference).bit_length()
        value = difference if difference >= 0 else difference + (1 << size) - 1
        bits += f"{size:04b}" + (f"{value:0{size}b}" if size else "") + "0"
    return bits + "1" * (-len(bits) % 8)


def jpeg(patches):
    bits = patches_as_bits(patches)
    scan = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00")
    return (b"\xff\xd8" + segment(0xDB, bytes([0]) + bytes([8] * 64)) +
            segment(0xC0, struct.pack(">BHHB3B", 8, DOWN * 8, ACROSS * 8, 1, 1, 0x11, 0)) +
            huffman(0x00, 4, range(12)) + huffman(0x10, 1, [0]) + segment(0xDA, bytes([1, 1, 0, 0, 63, 0])) +
            scan + b"\xff\xd9")


def main(folder, frames):
    (folder / "images").mkdir(parents=True)
    chance = random.Random(1)
    records = []
    for i in range(frames):
        angle = chance.uniform(-1, 1)
        patches = [int(128 + 60 * angle * (column - ACROSS // 2) / (ACROSS // 2) + chance.uniform(-50, 50))
                   for _ in range(DOWN) for column in range(ACROSS)]
        name = f"{i}_cam_image_array_.jpg"
        (folder / "images" / name).write_bytes(jpeg(patches))
        records.append({"_index": i, "_session_id": "small", "cam/image_array": name,
                        "user/angle": angle, "user/throttle": chance.uniform(0, 1)})
    (folder / "catalog_0.catalog").write_text("".join(json.dumps(record) + "\n" for record in records))
    manifest = [[], [], {}, {}, {"paths": ["catalog_0.catalog"], "deleted_indexes": []}]
    (folder / "manifest.json").write_text("".join(json.dumps(line) + "\n" for line in manifest))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), int(sys.argv[2]))
